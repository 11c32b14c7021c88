"""Answers of a node are what EMQX 5.8.1's document says, but for differences that are explained.

A node with clients, sessions, subscriptions, messages, rules and the rest is asked every operation
that EMQX has too. Explanations are ``[[answer]]`` in docs/reference/emqx-differences.toml; one that
fits nothing any more is wrong as well.

The same questions change everything that can be changed: the audit log has to say what.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.emqx_answers import Asker, Emqx, plain
from harness.emqx_plan import NOUNS, PLUGIN, prepared
from harness.emqx_reasons import Difference, read_reasons, unexplained
from harness.plugins import archive_of, multipart
from harness.rest_node import PREFIX, RestNode, api, rest_node
from rookery.broker.rest.looks import LOOKS, TOLD, UNDESCRIBED, UNRECORDED

ROOT = Path(__file__).resolve().parents[3]
EMQX = Emqx()
Last = Callable[[str], dict[str, Any]]
OURS = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS = {
    plain(operation): operation
    for path, methods in OURS["paths"].items()
    for operation in (f"{method.upper()} {path}" for method in methods)
    if plain(operation) in EMQX.operations
}
# They need another node, see tests/integration/cluster.
OF_CLUSTERS = {
    "DELETE /cluster/{}/force_leave",
    "PUT /cluster/{}/invite",
    "PUT /cluster/{}/invite_async",
    "POST /load_rebalance/{}/start",
    "POST /load_rebalance/{}/stop",
}
SETTINGS = {
    "plugins.install_requires_allow": "false",
    "sysmon.os.cpu_check_interval": "60s",
    "slow_subs.enable": "true",
}
NAMES = {
    "node": "rookery@127.0.0.1",
    "clientid": "sensor-1",
    "topic": "plant/1/state",
    "code": "NOT_FOUND",
}
OF_NOUN = {
    "authentication": {"id": "password_based:built_in_database"},
    "listeners": {"id": "tcp:extra"},
    "rules": {"id": "hot"},
}
CHANGING = {
    (method.upper(), path)
    for path, methods in OURS["paths"].items()
    for method in methods
    if method != "get" and (method.upper(), path) not in UNRECORDED
}
# What EMQX does not have; `made` is a client that is there.
OWN: tuple[tuple[str, str, Any], ...] = (
    ("PUT", "/cluster/links", [{"name": "south", "server": "127.0.0.1:1", "topics": []}]),
    ("PUT", "/cluster/links/south", {"server": "127.0.0.1:1", "topics": ["s"]}),
    ("PUT", "/cluster/links/south/metrics/reset", None),
    ("DELETE", "/cluster/links/south", None),
    ("POST", "/rules", {"id": "off", "sql": 'SELECT * FROM "t"', "actions": []}),
    ("PUT", "/rules/off/enable/false", None),
    ("PUT", "/cluster/rookery@127.0.0.9/invite_async", None),
    ("POST", "/connectors", {"type": "http", "name": "down", "url": "http://127.0.0.1:1"}),
    ("POST", "/alarms/force_deactivate", {"name": "connector:http:down"}),
    ("PUT", "/log/levels/rookery.access", {"level": "debug"}),
    ("DELETE", "/log/levels/rookery.access", None),
    ("POST", "/banned", {"as": "clientid", "who": "evil", "reason": "sends nonsense"}),
    ("POST", "/banned/lift", {"as": "clientid", "who": "evil"}),
    ("POST", "/certificates/reload", None),
    ("POST", "/configs_reload", None),
    ("POST", "/authorization/reload", None),
    ("PUT", "/clients/made/keepalive", {"interval": 77}),
    ("POST", "/plugins/install", multipart(archive_of(PLUGIN))),
    ("PUT", "/plugins/probe-1.0.0/run", {"deadline_s": 1}),
    ("POST", "/plugins/allowed", {"name": "later-1.0.0"}),
    ("DELETE", "/plugins/allowed/later-1.0.0", None),
)
# What no single node can be asked to do, see tests/integration/cluster.
NEEDS_MORE = {
    ("POST", "/cluster/join"): "another node",
    ("POST", "/cluster/leave"): "another node",
    ("DELETE", "/cluster/{node}/force_leave"): "another node",
    ("PUT", "/cluster/{node}/invite"): "another node",
    ("POST", "/load_rebalance/{node}/start"): "another node",
    ("POST", "/load_rebalance/{node}/stop"): "another node",
}
# What is not there, by parameter; names that are refused before anybody looks are of no use.
NOWHERE = {
    "node": "nowhere@127.0.0.1", "id": "http:nothing", "type": "http", "as": "clientid",
    "msgid": "0" * 32, "action": "start", "rootname": "nothing",
}  # fmt: skip
ID_OF = {"listeners": "tcp:nothing", "authentication": "password_based:http", "rules": "nothing"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    with rest_node(tmp_path_factory.mktemp("node"), SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def asked(node: RestNode) -> Iterator[Asker]:
    """Everything asked once."""
    with prepared(node):
        all_of_them = Asker(EMQX, node.admin, {})
        for noun in NOUNS:
            names = {**NAMES, "port": str(node.node.port), **OF_NOUN.get(noun.__name__, {})}
            ask = Asker(EMQX, node.admin, names)
            noun(ask)
            all_of_them.asked |= ask.asked
            all_of_them.found |= ask.found
        for operation in OPERATIONS.values():
            if operation.startswith(("GET", "DELETE")) and "{" in operation:
                all_of_them.refused(operation, nothing_of(operation))
        yield all_of_them


def nothing_of(operation: str) -> dict[str, str]:
    """Names that nothing has, for the parameters of a path."""
    parts = operation.split("/")
    names = {part[1:-1] for part in parts if part.startswith("{")}
    found = {name: NOWHERE.get(name, "nothing") for name in names}
    return found | ({"id": ID_OF[parts[1]]} if parts[1] in ID_OF and "id" in found else {})


def test_every_operation_that_emqx_has_is_asked(asked: Asker) -> None:
    assert OPERATIONS.keys() - asked.asked == OF_CLUSTERS


def test_parameters_that_nobody_knows_are_ignored_as_in_emqx(asked: Asker) -> None:
    assert asked.rest.get("/banned?colour=blue").status == 200
    refused = asked.rest.get("/banned?limit=many")
    assert (refused.status, refused.code) == (400, "BAD_REQUEST")


def test_answers_fit_but_for_what_is_explained(asked: Asker) -> None:
    found = [Difference(where, what) for where, what in sorted(asked.found)]

    assert unexplained(found, read_reasons("answer")) == []


def test_of_every_change_it_is_known_how_it_gets_into_the_audit_log() -> None:
    ways = (LOOKS.keys(), TOLD, UNDESCRIBED.keys())

    assert set().union(*ways) == CHANGING
    assert sum(map(len, ways)) == len(CHANGING), "an operation stands in two of them"


def test_every_change_is_in_the_audit_log_with_what_was_and_what_is(
    node: RestNode, asked: Asker
) -> None:
    assert asked.asked
    with node.node.connect("made", level=5):
        for method, path, body in OWN:
            if method == "DELETE":
                node.local.delete(PREFIX + path)
            else:
                (node.local.put if method == "PUT" else node.local.post)(PREFIX + path, body)

    rows = node.audit("operation_result=success&limit=10000")
    entries = {key_of(row): row for row in rows if row["http_method"]}
    silent = [
        f"{key} {row['created_at']}"
        for row in rows
        if row["http_method"] and (key := key_of(row)) not in UNDESCRIBED
        if row["before"] is None and row["after"] is None
    ]
    assert silent == []
    assert CHANGING - entries.keys() - UNDESCRIBED.keys() == NEEDS_MORE.keys()


def topics(rows: list[dict[str, Any]]) -> set[str]:
    return {row["topic"] for row in rows}


def key_of(row: dict[str, Any]) -> tuple[str, str]:
    path = re.sub(r":(\w+)", r"{\1}", row["operation_id"])
    return row["http_method"].upper(), path


@pytest.fixture
def last(node: RestNode) -> Last:
    return lambda query: node.audit(f"{query}&limit=1")[0]


def test_the_log_has_what_holds_and_not_what_was_sent(node: RestNode, last: Last) -> None:
    admin = node.admin
    assert admin.put("/configs/log", {"console": {"level": "error"}}).status == 200
    assert admin.put("/configs/log", {"file": {"level": "info"}}).status == 200
    entry = last("operation_type=configs")
    before, after = entry["before"]["log"], entry["after"]["log"]
    assert before["console"]["level"] == "error"
    assert after.keys() == before.keys()
    assert after["console"].keys() == before["console"].keys()
    assert after["file"]["level"] == "info"
    assert after == node.local.get(PREFIX + "/configs/log")

    assert admin.put(api("listeners", "tcp:default"), {"max_connections": 77}).status == 200
    entry = last("operation_type=listeners")
    before, after = (entry[name]["listeners.tcp.default"] for name in ("before", "after"))
    assert (after["max_connections"], after) == (77, {**before, "max_connections": 77})


def test_the_log_has_what_was_deleted(node: RestNode, last: Last) -> None:
    admin, ban = (
        node.admin,
        {"as": "clientid", "who": "mallory", "reason": "x", "until": 4102444800},
    )
    for reason in ("one", "two"):
        assert admin.post("/banned?replace=true", {**ban, "reason": reason}).status == 200
    replaced = last("operation_type=banned")
    assert (replaced["before"]["reason"], replaced["after"]["reason"]) == ("one", "two")
    assert admin.delete("/banned/clientid/mallory").status == 204
    deleted = last("operation_type=banned")
    assert (deleted["before"], deleted["after"]) == (replaced["after"], None)


def test_the_log_has_what_was_done_to_a_client(node: RestNode, last: Last) -> None:
    admin = node.admin
    with node.node.connect("watched", level=5, keep_alive=60):
        assert admin.put("/clients/watched/keepalive", {"interval": 90}).status == 200
        entry = last("operation_type=clients")
        assert (entry["before"]["keepalive"], entry["after"]["keepalive"]) == (60, 90)

        assert admin.post("/clients/watched/subscribe", {"topic": "a/#"}).status == 200
        made = last("operation_type=clients")
        assert topics(made["after"]) - topics(made["before"]) == {"a/#"}

        assert admin.post("/clients/watched/unsubscribe", {"topic": "a/#"}).status == 204
        ended = last("operation_type=clients")
        assert (topics(ended["before"]), ended["after"]) == (topics(made["after"]), made["before"])


def test_the_log_has_what_was_refused_as_nothing(node: RestNode, last: Last) -> None:
    assert node.admin.post("/listeners/tcp:nothing/stop").status == 404
    assert node.user("viewer").post("/listeners/tcp:default/stop").status == 403
    for entry in node.audit("operation_type=listeners&limit=2"):
        assert (entry["before"], entry["after"]) == (None, None)
    assert node.admin.post("/listeners/tcp:default/stop").status == 200
    entry = last("operation_type=listeners")
    assert (entry["before"]["running"], entry["after"]["running"]) == (True, False)
    assert node.admin.post("/listeners/tcp:default/start").status == 200
