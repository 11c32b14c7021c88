"""Access control of a real node, changed by its operator while clients are connected."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S
from harness.operator import BUILT_IN, USERS, Operator, eventually, operated
from harness.packets import PingReq, PingResp
from rookery.access.authority import Authority, now_utc
from rookery.client.management import API, Content, ManagementClient
from rookery.errors import BadRequestError, ConflictError, NotFoundError, RookeryError

BAD_USER_NAME_OR_PASSWORD, NOT_AUTHORIZED, BANNED, QUOTA_EXCEEDED = 0x86, 0x87, 0x8A, 0x97
RULES = """\
{allow, {username, "alice"}, all, ["a/#"]}.
{deny, all, all, ["secret/#"]}.
"""


@pytest.fixture
def users(tmp_path: Path) -> Iterator[Operator]:
    """A node with built-in users and a file of rules."""
    (tmp_path / "acl.conf").write_text(RULES)
    text = f"""
        authentication = {BUILT_IN}
        authorization.sources = [{{type = file, path = "acl.conf"}}]
    """
    with operated(tmp_path, text) as operator:
        operator.add_user("alice", "wonder")
        operator.add_user("root", "land", is_superuser=True)
        yield operator


# -- authentication ---------------------------------------------------------------------------


def test_only_the_right_password_gets_in(users: Operator) -> None:
    users.login("alice", "wonder").disconnect()
    assert users.refusal("alice", "wrong") == BAD_USER_NAME_OR_PASSWORD
    assert users.refusal("nobody", "wonder") == BAD_USER_NAME_OR_PASSWORD
    assert users.refusal() == NOT_AUTHORIZED


def test_a_changed_password_holds_at_the_next_login(users: Operator) -> None:
    users.rest.put(f"{USERS}/alice", {"password": "other"})
    assert users.refusal("alice", "wonder") == BAD_USER_NAME_OR_PASSWORD
    users.login("alice", "other").disconnect()


def test_a_made_secret_is_told_once_and_works(users: Operator) -> None:
    secret = users.rest.post(USERS, {"user_id": "sensor"})["password"]
    users.login("sensor", secret).disconnect()
    assert users.rest.get(f"{USERS}/sensor") == {"user_id": "sensor", "is_superuser": False}
    assert secret not in (users.node.data_dir / "log" / "audit.jsonl").read_text()


def test_users_survive_a_restart_and_move_by_file(users: Operator, tmp_path: Path) -> None:
    exported = users.rest.get("/authentication/password_based%3Abuilt_in_database/export_users")
    users.node.restart()
    users.login("alice", "wonder").disconnect()
    with pytest.raises(NotFoundError):
        users.rest.get(f"{USERS}/x%2Fy")
    other = tmp_path / "other"
    other.mkdir()
    with operated(other, f"authentication = {BUILT_IN}") as operator:
        path = "/authentication/password_based%3Abuilt_in_database/import_users"
        content = Content(exported.encode(), "application/json")
        assert operator.rest.post(f"{path}?type=hash&report=true", content)["added"] == 2
        operator.login("alice", "wonder").disconnect()


def test_a_chain_is_added_and_removed_while_the_node_runs(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        operator.login().disconnect()
        provider = {"mechanism": "password_based", "backend": "built_in_database"}
        operator.rest.post("/authentication", provider)
        assert operator.refusal() == NOT_AUTHORIZED
        operator.add_user("alice", "wonder")
        operator.login("alice", "wonder").disconnect()
        operator.node.restart()
        assert operator.refusal() == NOT_AUTHORIZED
        operator.rest.delete("/authentication/password_based%3Abuilt_in_database")
        operator.login().disconnect()


def test_a_chain_of_the_file_is_changed_in_the_file(users: Operator) -> None:
    with pytest.raises(ConflictError, match=r"rookery\.conf:2"):
        users.rest.delete("/authentication/password_based%3Abuilt_in_database")
    users.file.write_text("")
    changed = users.rest.post("/configs_reload")["changed"]
    assert "authentication" in changed
    users.login().disconnect()


# -- authorization ----------------------------------------------------------------------------


def test_rules_decide_what_is_published_and_subscribed(users: Operator) -> None:
    with users.login("alice", "wonder") as alice, users.login("root", "land") as root:
        root.subscribe("secret/#")
        alice.subscribe("a/#", qos=1)
        alice.subscribe("secret/1", granted=[NOT_AUTHORIZED])
        alice.publish("a/1", b"in", qos=1)
        alice.receive("a/1", b"in")
        alice.publish("secret/1", b"out", qos=0)
        root.publish("secret/1", b"own", qos=0)
        root.receive("secret/1", b"own")


def test_rules_of_a_changed_file_hold_for_who_is_connected(users: Operator) -> None:
    rules = users.node.data_dir / "acl.conf"
    with users.login("alice", "wonder") as alice:
        alice.subscribe("b/1")
        rules.write_text('{deny, all, subscribe, ["b/#"]}.\n')
        eventually(lambda: explained(users, "b/2")["line"] == 1)
        alice.subscribe("b/2", granted=[NOT_AUTHORIZED])


def test_a_file_that_makes_no_sense_changes_nothing_and_rings(users: Operator) -> None:
    rules = users.node.data_dir / "acl.conf"
    rules.write_text("{deny, all")
    eventually(lambda: "acl_file_rejected" in users.alarms())
    assert explained(users, "secret/1")["result"] == "deny"
    with pytest.raises(RookeryError, match=r"acl\.conf:1:"):
        users.rest.post("/authorization/reload")
    rules.write_text(RULES)
    eventually(lambda: "acl_file_rejected" not in users.alarms())


def explained(operator: Operator, topic: str) -> dict[str, Any]:
    asked = {"clientid": "c", "username": "bob", "action": "subscribe", "topic": topic}
    answer: dict[str, Any] = operator.rest.post("/authorization/explain", asked)
    return answer


def test_why_something_is_denied_is_told_with_file_and_line(users: Operator) -> None:
    answer = explained(users, "secret/1")
    place = (answer["result"], answer["source"], Path(answer["file"]).name, answer["line"])
    assert place == ("deny", "file", "acl.conf", 2)
    assert explained(users, "free")["source"] == "no_match"
    with pytest.raises(BadRequestError):
        users.rest.post("/authorization/explain", {"action": "publish", "topic": "t"})


def test_why_is_told_in_the_language_asked_for(users: Operator) -> None:
    asked = {"clientid": "c", "username": "bob", "action": "subscribe", "topic": "secret/1"}
    for language, reason in (("en", "the first rule that fits"), ("zh", "第一条匹配的规则")):
        client = ManagementClient(users.node.data_dir, timeout_s=30, prefix=API, language=language)
        answer = client.post("/authorization/explain", asked)
        assert [step["reason"] for step in answer["steps"]] == [reason]


def test_built_in_rules_hold_at_once_and_after_a_restart(tmp_path: Path) -> None:
    text = "authorization { no_match = deny, sources = [{type = built_in_database}] }"
    rule = {"permission": "allow", "action": "all", "topic": "mine/#"}
    base = "/authorization/sources/built_in_database/rules"
    with operated(tmp_path, text) as operator:
        with operator.login(client_id="dev") as client:
            client.subscribe("mine/1", granted=[NOT_AUTHORIZED])
            operator.rest.post(f"{base}/clients", [{"clientid": "dev", "rules": [rule]}])
            client.subscribe("mine/1")
        operator.node.restart()
        with operator.login(client_id="dev") as client:
            client.subscribe("mine/1")
            operator.rest.delete(f"{base}/clients/dev")
            client.subscribe("mine/1", granted=[NOT_AUTHORIZED])


def test_a_superuser_is_told_as_one(users: Operator) -> None:
    users.add_user("chief", "secret", is_superuser=True)
    asked = {"username": "chief", "action": "publish", "topic": "secret/1"}
    answer = users.rest.post("/authorization/explain", asked)
    assert (answer["result"], answer["source"]) == ("allow", "superuser")


# -- bans and quota ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "who"),
    [
        ("clientid", "culprit"),
        ("username", "alice"),
        ("peerhost", "127.0.0.1"),
        ("peerhost_net", "127.0.0.0/8"),
        ("clientid_re", "^culp"),
    ],
)
def test_a_ban_ends_who_is_connected_and_keeps_out(users: Operator, kind: str, who: str) -> None:
    with users.login("alice", "wonder", client_id="culprit") as culprit:
        users.rest.post("/banned", {"as": kind, "who": who, "reason": "test"})
        culprit.expect_closed()
    (ban,) = users.rest.get("/banned")["data"]
    assert (ban["as"], ban["until"]) == (kind, "infinity")
    users.node.restart()
    with pytest.raises(AssertionError):
        users.login("alice", "wonder", client_id="culprit")
    path = f"/banned/{kind}/{who.replace('/', '%2F').replace('^', '%5E')}"
    users.rest.delete(path)
    users.login("alice", "wonder", client_id="culprit").disconnect()


def test_a_ban_that_makes_no_sense_is_refused(users: Operator) -> None:
    for body in ({"as": "mood", "who": "bad"}, {"as": "peerhost", "who": "nowhere"}):
        with pytest.raises(BadRequestError):
            users.rest.post("/banned", body)
    assert users.rest.get("/banned")["data"] == []


def test_a_quota_refuses_who_comes_on_top_and_rings(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        operator.rest.put("/license/setting", {"dynamic_max_connections": 2})
        with operator.login(), operator.login():
            assert operator.refusal() == QUOTA_EXCEEDED
            eventually(lambda: "connection_quota" in operator.alarms())
        eventually(lambda: "connection_quota" not in operator.alarms())
        with operator.login():
            assert "connection_quota" not in operator.alarms()
            # One of one is more than 80 %, which holds for who is there already.
            operator.rest.put("/license/setting", {"dynamic_max_connections": 1})
            eventually(lambda: "connection_quota" in operator.alarms())
            operator.rest.put("/license/setting", {"dynamic_max_connections": 10})
            eventually(lambda: "connection_quota" not in operator.alarms())
        operator.rest.put("/license/setting", {"dynamic_max_connections": "infinity"})
        operator.login().disconnect()


# -- listeners and certificates -----------------------------------------------------------------

CLIENTS = 1000


def tls_text(folder: Path) -> str:
    authority = Authority(folder, now_utc())
    if not authority.has("server"):
        authority.sign_server(["127.0.0.1"], 90)
    return f"""
        listeners.ssl.default {{
          bind = "127.0.0.1:0"
          ssl_options {{ certfile = "{folder}/server.pem", keyfile = "{folder}/server.key" }}
        }}
        authorization.sources = [{{type = file, path = "acl.conf"}}]
    """


def served_certificate(operator: Operator, folder: Path) -> str:
    port = operator.port("ssl:default")
    command = [
        "openssl",
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-CAfile",
        f"{folder}/ca.pem",
    ]
    run = subprocess.run(
        command, input="", capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert "Verify return code: 0 (ok)" in run.stdout, run.stdout + run.stderr
    return run.stdout.partition("-----BEGIN CERTIFICATE-----")[2].partition("-----END")[0]


@pytest.mark.slow
def test_clients_do_not_notice_what_an_operator_changes(tmp_path: Path) -> None:
    certificates = tmp_path / "certs"
    (tmp_path / "acl.conf").write_text(RULES)
    with operated(tmp_path, tls_text(certificates)) as operator:
        clients = [operator.login() for _ in range(CLIENTS)]

        (tmp_path / "acl.conf").write_text(RULES + '{deny, all, all, ["more/#"]}.\n')
        eventually(lambda: explained(operator, "more/1")["result"] == "deny")

        before = served_certificate(operator, certificates)
        for name in ("server.pem", "server.key"):
            (certificates / name).unlink()
        tls_text(certificates)
        (row,) = operator.rest.post("/certificates/reload")
        assert row["ok"]
        assert served_certificate(operator, certificates) != before

        operator.rest.post("/listeners/ssl%3Adefault/restart")
        operator.rest.post("/listeners", {"type": "tcp", "name": "extra", "bind": "127.0.0.1:0"})
        operator.rest.post("/listeners/ws%3Adefault/stop")
        operator.rest.put("/license/setting", {"dynamic_max_connections": 10 * CLIENTS})

        for client in clients:
            client.send(PingReq())
        for client in clients:
            client.expect(PingResp)


def test_listeners_come_and_go_one_by_one(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        operator.rest.post("/listeners", {"type": "tcp", "name": "extra", "bind": "127.0.0.1:0"})
        extra = operator.port("tcp:extra")
        with operator.login() as client:
            operator.rest.post("/listeners/tcp%3Aextra/stop")
            row = operator.rest.get("/listeners/tcp%3Aextra")
            assert row["running"] is False
            operator.rest.post("/listeners/tcp%3Aextra/start")
            assert operator.port("tcp:extra") != 0
            operator.rest.delete("/listeners/tcp%3Aextra")
            client.send(PingReq())
            client.expect(PingResp)
        ids = {row["id"] for row in operator.rest.get("/listeners")}
        assert ids == {"tcp:default", "ws:default"}
        assert extra


def test_a_listener_that_cannot_be_opened_is_not_defined(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        taken = {"type": "tcp", "name": "extra", "bind": f"127.0.0.1:{operator.node.port}"}
        with pytest.raises(RookeryError):
            operator.rest.post("/listeners", taken)
        files = {"certfile": "/nope", "keyfile": "/nope"}
        bad = {"type": "ssl", "name": "extra", "bind": "127.0.0.1:0", "ssl_options": files}
        with pytest.raises(RookeryError, match="certfile"):
            operator.rest.post("/listeners", bad)
        operator.node.assert_served()
        assert len(operator.rest.get("/listeners")) == 2


def test_a_listener_without_its_certificate_says_so_and_others_stand(tmp_path: Path) -> None:
    text = tls_text(tmp_path / "certs")
    (tmp_path / "certs" / "server.key").unlink()
    (tmp_path / "acl.conf").write_text(RULES)
    with operated(tmp_path, text) as operator:
        operator.node.assert_served()
        eventually(lambda: any("not listening" in line for line in operator.node.log))
        (line,) = [line for line in operator.node.log if "not listening" in line]
        assert "ssl:default" in line
        assert "keyfile" in line
        assert "server.key" in line
        row = operator.rest.get("/listeners/ssl%3Adefault")
        assert (row["running"], "keyfile" in row["error"]) == (False, True)


# -- the command line -----------------------------------------------------------------------------


def test_the_commands_do_what_they_say(users: Operator) -> None:
    cli = os.environ.get("ROOKERY_TEST_CLI", str(Path(__file__).parents[3] / ".venv/bin/rookery"))
    environ = {**os.environ, "ROOKERY_PASSWORD": "pw", "ROOKERY_LANG": "en"}

    def run(*words: str, code: int = 0) -> str:
        command = [cli, "ctl", *words, "--data-dir", str(users.node.data_dir)]
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=DEADLINE_S, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert run("users", "add", "carol") == "added carol\n"
    users.login("carol", "pw").disconnect()
    assert "shown this once" in run("users", "add", "dev", "--device")
    assert [row["user_id"] for row in json.loads(run("users", "list", "--json"))] == [
        "alice",
        "carol",
        "dev",
        "root",
    ]
    assert "there is no user 'nobody'" in run("users", "delete", "nobody", code=1)
    said = run("acl", "explain", "--username", "bob", "publish", "secret/1")
    assert said.splitlines()[0].startswith("denied, by file ")
    assert said.splitlines()[0].endswith("acl.conf:2")
    assert run("acl", "reload") == "2 rules hold\n"
    assert "tcp:default" in run("listeners", "list")
    assert run("ban", "add", "username", "carol", "--for", "1h") == "username carol is kept out\n"
    assert "carol" in run("ban", "list")
    assert run("ban", "delete", "username", "carol") == "username carol may come again\n"
    assert run("conf", "reload") == "nothing changed\n"
    assert run("quota", "set", "50") == "0 clients of at most 50\n"
