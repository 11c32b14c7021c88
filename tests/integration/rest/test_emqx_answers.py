"""Answers of a node are what EMQX 5.8.1's document says, but for differences that are explained.

A node with clients, sessions, subscriptions, messages, rules and the rest is asked every operation
that EMQX has too. Explanations are ``[[answer]]`` in docs/reference/emqx-differences.toml; one that
fits nothing any more is wrong as well.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.emqx_answers import Asker, Emqx, plain
from harness.emqx_plan import NOUNS, prepared
from harness.emqx_reasons import Difference, read_reasons, unexplained
from harness.rest_node import rest_node

ROOT = Path(__file__).resolve().parents[3]
EMQX = Emqx()
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
# What is not there, by parameter; names that are refused before anybody looks are of no use.
NOWHERE = {
    "node": "nowhere@127.0.0.1", "id": "http:nothing", "type": "http", "as": "clientid",
    "msgid": "0" * 32, "action": "start", "rootname": "nothing",
}  # fmt: skip
ID_OF = {"listeners": "tcp:nothing", "authentication": "password_based:http", "rules": "nothing"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    """Everything asked once."""
    with contextlib.ExitStack() as held:
        node = held.enter_context(rest_node(tmp_path_factory.mktemp("node"), SETTINGS))
        held.enter_context(prepared(node))
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
