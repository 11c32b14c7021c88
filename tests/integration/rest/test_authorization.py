"""``/authorization`` of a real node: settings, sources, built-in rules, asking why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.operator import Operator, eventually, operated
from harness.rest import RestSocket

RULES = "/authorization/sources/built_in_database/rules"
ALLOW = {"permission": "allow", "action": "all", "topic": "mine/#"}
NOT_AUTHORIZED = 0x87
HTTP = {
    "type": "http",
    "method": "post",
    "url": "http://127.0.0.1:9/acl",
    "headers": {"authorization": "Bearer swordfish"},
}


def types(rest: RestSocket) -> list[str]:
    return [entry["type"] for entry in rest.ask("GET", "/authorization/sources").json["sources"]]


def test_settings_change_by_name_and_stay(operator: Operator, rest: RestSocket) -> None:
    changed = rest.ask("PUT", "/authorization/settings", {"no_match": "deny"})
    assert (changed.status, changed.json["no_match"]) == (200, "deny")
    assert changed.json["cache"]["enable"] is True
    with operator.login() as client:
        client.subscribe("t", granted=[NOT_AUTHORIZED])
    operator.node.restart()
    assert rest.ask("GET", "/authorization/settings").json["no_match"] == "deny"
    for bad in ({"no_match": "maybe"}, {"colour": "red"}):
        assert rest.ask("PUT", "/authorization/settings", bad).status == 400


def test_sources_are_made_moved_and_unmade(rest: RestSocket) -> None:
    for body in ({"type": "built_in_database"}, HTTP, {"type": "file", "rules": "{allow, all}.\n"}):
        assert rest.ask("POST", "/authorization/sources", body).status == 204
    assert rest.ask("POST", "/authorization/sources", HTTP).problem == (409, "ALREADY_EXISTS")
    assert rest.ask("POST", "/authorization/sources", {"type": "mysql"}).status == 400
    move = {"position": "front"}
    assert rest.ask("POST", "/authorization/sources/file/move", move).status == 204
    assert types(rest) == ["file", "built_in_database", "http"]
    order = [{"type": "http"}, {"type": "file"}]
    assert rest.ask("PUT", "/authorization/sources/order", order).status == 204
    assert types(rest) == ["http", "file", "built_in_database"]
    shown = rest.ask("GET", "/authorization/sources/http").json
    assert shown["headers"] == {"authorization": "******"}
    assert rest.ask("PUT", "/authorization/sources/http", {**shown, "enable": False}).status == 204
    assert rest.ask("GET", "/authorization/sources/http").json == {**shown, "enable": False}
    assert rest.ask("DELETE", "/authorization/sources/http").status == 204
    assert rest.ask("GET", "/authorization/sources/http").problem == (404, "NOT_FOUND")


def test_a_source_says_how_it_is(rest: RestSocket) -> None:
    rest.ask("POST", "/authorization/sources", HTTP)
    rest.ask("POST", "/authorization/sources", {"type": "built_in_database"})
    question = {"clientid": "c", "action": "publish", "topic": "t"}
    rest.ask("POST", "/authorization/explain", question)
    status = rest.ask("GET", "/authorization/sources/http/status").json
    assert status["metrics"] == {"total": 1, "allow": 0, "deny": 0, "nomatch": 1}
    assert status["resource_metrics"]["failed"] == 1
    status = rest.ask("GET", "/authorization/sources/built_in_database/status").json
    assert (status["status"], "metrics" in status) == ("connected", False)
    assert rest.ask("GET", "/authorization/sources/file/status").problem == (404, "NOT_FOUND")


def test_a_file_is_shown_with_its_rules_and_changed_text_holds(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        rest = RestSocket(operator.node.data_dir)
        (tmp_path / "acl.conf").write_text('{deny, all, all, ["secret/#"]}.\n')
        body = {"type": "file", "path": str(tmp_path / "acl.conf")}
        assert rest.ask("POST", "/authorization/sources", body).status == 204
        shown = rest.ask("GET", "/authorization/sources/file").json
        assert shown["rules"] == '{deny, all, all, ["secret/#"]}.\n'
        assert rest.ask("PUT", "/authorization/sources/file", shown).status == 204
        assert rest.ask("GET", "/authorization/sources/file").json == shown
        changed = {**shown, "rules": '{deny, all, all, ["other/#"]}.\n'}
        assert rest.ask("PUT", "/authorization/sources/file", changed).status == 204
        assert explained(rest, "other/1")["result"] == "deny"
        assert explained(rest, "secret/1")["result"] == "allow"
        bad = {"type": "file", "rules": "{deny, all"}
        refused = rest.ask("PUT", "/authorization/sources/file", bad)
        assert refused.problem == (400, "BAD_CONFIG")
        assert explained(rest, "other/1")["result"] == "deny"


def test_a_file_tells_nothing_of_what_it_holds(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "passwords"
    elsewhere.write_text("swordfish 1\n")
    with operated(tmp_path) as operator:
        rest = RestSocket(operator.node.data_dir)
        inside = operator.node.data_dir / "acl.conf"
        inside.write_text("{deny, all}.\nswordfish 2\n")
        link = operator.node.data_dir / "link.conf"
        link.symlink_to(elsewhere)
        for path, expected in (
            (inside, f"path: {inside}:2:"),
            (elsewhere, f"path: {elsewhere}: only the configuration file may name a file outside "),
            (link, f"path: {link}: only the configuration file may name a file outside "),
        ):
            body = {"type": "file", "path": str(path)}
            refused = rest.ask("POST", "/authorization/sources", body)
            assert refused.problem == (400, "BAD_CONFIG")
            assert refused.json["message"].startswith(expected)
            chinese = rest.ask("POST", "/authorization/sources", body, {"accept-language": "zh"})
            assert chinese.json["message"].startswith(f"path：{path}")
            for told in (refused.text, chinese.text):
                assert "swordfish" not in told
        whole = rest.ask(
            "PUT", "/configs", {"authorization": {"sources": [{"type": "file", "path": "/etc/x"}]}}
        )
        assert whole.json["message"].startswith("authorization.sources.0.path: /etc/x: only ")
        inline = rest.ask("POST", "/authorization/sources", {"type": "file", "rules": "sword 2"})
        assert inline.json["message"].startswith("rules:1:")
        assert "found sword" in inline.json["message"]
        off = {"type": "file", "path": str(inside), "enable": False}
        assert rest.ask("POST", "/authorization/sources", off).status == 204
        for asked in ("/authorization/sources", "/authorization/sources/file"):
            assert "swordfish" not in rest.ask("GET", asked).text
        assert rest.ask("DELETE", "/authorization/sources/file").status == 204
        inside.write_text("{deny, all}.\n")
        body = {"type": "file", "path": str(inside)}
        assert rest.ask("POST", "/authorization/sources", body).status == 204
        inside.write_text("swordfish 3\n")
        eventually(lambda: bool(rest.ask("GET", "/alarms").json["data"]))
        told = rest.ask("GET", "/alarms").json["data"]
        assert told[0]["message"].startswith(f"rules are kept as they were: {inside}:1:")
        assert "swordfish" not in str(told)


def test_a_path_is_changed_although_the_old_rules_are_sent_along(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        rest = RestSocket(operator.node.data_dir)
        for name in ("a", "b"):
            file = operator.node.data_dir / "configs" / f"{name}.conf"
            file.parent.mkdir(exist_ok=True)
            file.write_text(f'{{deny, all, all, ["{name}/#"]}}.\n')
        rest.ask("POST", "/authorization/sources", {"type": "file", "path": "a.conf"})
        shown = rest.ask("GET", "/authorization/sources/file").json
        assert shown["rules"] == '{deny, all, all, ["a/#"]}.\n'
        other = {**shown, "path": "b.conf"}
        assert rest.ask("PUT", "/authorization/sources/file", other).status == 204
        now = rest.ask("GET", "/authorization/sources/file").json
        assert (now["path"], now["rules"]) == ("b.conf", '{deny, all, all, ["b/#"]}.\n')


def explained(rest: RestSocket, topic: str) -> Any:
    asked = {"clientid": "c", "action": "publish", "topic": topic}
    return rest.ask("POST", "/authorization/explain", asked).json


@pytest.mark.parametrize(("owners", "key"), [("users", "username"), ("clients", "clientid")])
def test_rules_of_owners(rest: RestSocket, owners: str, key: str) -> None:
    given = [{key: name, "rules": [ALLOW]} for name in ("b/2", "a1", "b1")]
    assert rest.ask("POST", f"{RULES}/{owners}", given).status == 204
    again = rest.ask("POST", f"{RULES}/{owners}", [{key: "c", "rules": []}, given[0]])
    assert again.problem == (409, "ALREADY_EXISTS")
    assert rest.ask("GET", f"{RULES}/{owners}/c").problem == (404, "NOT_FOUND")
    page = rest.ask("GET", f"{RULES}/{owners}?like_{key}=b&limit=1").json
    assert page["data"] == [{key: "b/2", "rules": [ALLOW]}]
    assert page["meta"] == {"page": 1, "limit": 1, "count": 2, "hasnext": True}
    rule = {**ALLOW, "qos": [1], "retain": True}
    body = {key: "b/2", "rules": [rule]}
    assert rest.ask("PUT", f"{RULES}/{owners}/b%2F2", body).status == 204
    assert rest.ask("GET", f"{RULES}/{owners}/b%2F2").json == body
    assert rest.ask("PUT", f"{RULES}/{owners}/x", body).problem == (400, "BAD_REQUEST")
    assert rest.ask("DELETE", f"{RULES}/{owners}/b%2F2").status == 204
    assert rest.ask("DELETE", f"{RULES}/{owners}/b%2F2").problem == (404, "NOT_FOUND")
    bad = [{key: "d", "rules": [{**ALLOW, "action": "fly"}]}]
    assert rest.ask("POST", f"{RULES}/{owners}", bad).problem == (400, "BAD_REQUEST")
    assert rest.ask("DELETE", RULES).status == 204
    assert rest.ask("GET", f"{RULES}/{owners}").json["data"] == []


def test_rules_of_everybody_hold_at_once(operator: Operator, rest: RestSocket) -> None:
    rest.ask("PUT", "/authorization/settings", {"no_match": "deny"})
    rest.ask("POST", "/authorization/sources", {"type": "built_in_database"})
    assert rest.ask("GET", f"{RULES}/all").json == {"rules": []}
    with operator.login() as client:
        client.subscribe("mine/1", granted=[NOT_AUTHORIZED])
        assert rest.ask("POST", f"{RULES}/all", {"rules": [ALLOW]}).status == 204
        assert rest.ask("DELETE", "/authorization/cache").status == 204
        client.subscribe("mine/1")
    assert rest.ask("GET", f"{RULES}/all").json == {"rules": [ALLOW]}
    assert rest.ask("DELETE", f"{RULES}/all").status == 204


def test_a_question_without_who_is_refused(rest: RestSocket) -> None:
    asked = {"action": "publish", "topic": "t"}
    assert rest.ask("POST", "/authorization/explain", asked).problem == (400, "BAD_REQUEST")
    nowhere = {**asked, "peerhost": "nowhere"}
    assert rest.ask("POST", "/authorization/explain", nowhere).problem == (400, "BAD_REQUEST")
    assert rest.ask("POST", "/authorization/reload").json == {"rules": 0}
