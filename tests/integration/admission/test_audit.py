"""Every change leaves an entry that says who, from where, what it was before and after."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from harness.node import fresh_name
from harness.rest_node import ADMIN, PREFIX, RestNode, api
from integration.admission.conftest import Start


def test_an_entry_has_before_and_after_and_no_secret(rest: RestNode) -> None:
    name = fresh_name("u")
    admin = rest.admin
    secret = "a-secret-77777"
    admin.post("/users", {"username": name, "password": secret, "role": "administrator"})
    admin.put(api("users", name), {"role": "viewer", "description": "later"})
    body = {"old_pwd": secret, "new_pwd": secret + "8"}
    admin.post(api("users", name, "change_pwd"), body)

    changed, updated, created = rest.audit("operation_type=users&limit=3")

    assert (created["before"], created["after"]) == (
        None,
        {"role": "administrator", "description": ""},
    )
    assert updated["before"] == {"role": "administrator", "description": ""}
    assert updated["after"] == {"role": "viewer", "description": "later"}
    assert (updated["source"], updated["from"], updated["source_ip"]) == (
        ADMIN,
        "dashboard",
        "127.0.0.1",
    )
    assert (updated["operation_id"], updated["http_method"]) == ("/users/:username", "put")
    assert updated["http_request"]["bindings"] == {"username": name}
    assert updated["operation_result"] == "success"
    assert changed["http_request"]["body"] == {"old_pwd": "******", "new_pwd": "******"}
    assert secret not in (rest.node.data_dir / "log" / "audit.jsonl").read_text()


def test_what_was_refused_is_there_too(rest: RestNode) -> None:
    viewer = rest.user("viewer")
    viewer.delete("/users/nobody")
    rest.nobody.post("/login", {"username": "guess", "password": "x"})

    guessed = rest.audit("operation_type=login&operation_result=failure&limit=1")[0]
    refused = rest.audit("operation_result=failure&http_method=delete&limit=1")[0]

    assert (guessed["source"], guessed["http_status_code"]) == ("guess", 401)
    assert guessed["failure"] == ["BAD_USERNAME_OR_PWD: bad username or password"]
    assert refused["http_status_code"] == 403
    assert refused["operation_id"] == "/users/:username"


def test_why_something_failed_is_english_whoever_asked(rest: RestNode) -> None:
    chinese = {"accept-language": "zh", "content-type": "application/json"}
    asked: list[tuple[str, str, dict[str, object]]] = [
        ("PUT", "/users/nobody", {"role": "viewer", "description": ""}),
        ("POST", "/users", {"username": "x"}),
        ("POST", "/nowhere", {}),
    ]
    for method, path, body in asked:
        answer = rest.admin.ask(method, f"{PREFIX}{path}", json.dumps(body).encode(), chinese)
        assert answer.status >= 400
        assert not answer.json["message"].isascii()
    entries = rest.audit("operation_result=failure&limit=2")
    assert [entry["operation_id"] for entry in entries] == ["/users", "/users/:username"]
    assert all(entry["failure"][0].isascii() for entry in entries)


@pytest.mark.parametrize(
    "body",
    [b'{"username": NaN}', b'{"username": "\\ud800", "password": ""}', b"[" * 600 + b"]" * 600],
    ids=["no JSON number", "no Unicode", "deep"],
)
def test_what_nobody_could_write_down_leaves_an_entry_that_can_be_read(
    rest: RestNode, body: bytes
) -> None:
    kind = {"content-type": "application/json"}
    answer = rest.nobody.ask("POST", f"{PREFIX}/login", body, kind)

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    text = rest.admin.get("/audit?operation_result=failure&limit=1").body.decode()
    entry = json.loads(text, parse_constant=pytest.fail)["data"][0]
    assert entry["http_status_code"] == 400


def test_everybody_who_asks_is_told_apart(rest: RestNode) -> None:
    for caller in (rest.key("administrator"), rest.admin):
        caller.delete("/error_codes")
        caller.post("/sso/code")
    rest.local.post("/api/v5/api_key", {"name": "made-locally"})

    assert (
        rest.audit("from=rest_api&operation_type=sso&limit=1")[0]["operation_result"] == "success"
    )
    assert (
        rest.audit("from=dashboard&operation_type=sso&limit=1")[0]["operation_result"] == "failure"
    )
    entry = rest.audit("from=cli&operation_type=api_key&limit=1")[0]
    assert entry["source"].startswith("local")
    assert entry["source_ip"] == ""


def test_a_name_that_came_with_a_code_stands_with_its_key(rest: RestNode) -> None:
    code = rest.key("administrator").post("/sso/code", {"username": "admin"}).json["sso_code"]
    token = rest.nobody.post("/login", {"sso_code": code}).json["token"]
    rest.nobody.with_token(token).delete("/alarms")
    entry = rest.audit("from=dashboard&limit=1")[0]
    assert entry["source"].startswith("admin (API key ")


def test_looking_leaves_no_entry(rest: RestNode) -> None:
    before = rest.audit("limit=1")

    rest.local.get("/api/v5/users")

    assert rest.audit("limit=1") == before


def test_pages_and_times(start_rest: Start) -> None:
    node = start_rest()
    for number in range(5):
        node.local.post("/api/v5/api_key", {"name": f"k{number}"})

    names = [
        node.local.get(f"/api/v5/audit?operation_type=api_key&limit=2&page={page}")
        for page in (1, 2, 3)
    ]
    shown = [[row["http_request"]["body"]["name"] for row in page["data"]] for page in names]
    assert shown == [["k4", "k3"], ["k2", "k1"], ["k0"]]
    assert [page["meta"]["hasnext"] for page in names] == [True, True, False]
    middle = quote(names[1]["data"][0]["created_at"])
    since = node.audit(f"operation_type=api_key&gte_created_at={middle}")
    until = node.audit(f"operation_type=api_key&lte_created_at={middle}")
    assert len(since) + len(until) >= 6
    assert node.audit("gte_created_at=4102444800000000") == []
    assert node.admin.get("/audit?gte_created_at=yesterday").code == "BAD_REQUEST"
    assert node.admin.get("/audit?from=somewhere").code == "BAD_REQUEST"


def test_the_log_survives_a_restart(start_rest: Start) -> None:
    node = start_rest()
    node.local.post("/api/v5/api_key", {"name": "before"})
    node.node.restart()

    assert node.audit("operation_type=api_key")[0]["http_request"]["body"]["name"] == "before"


def test_nobody_pushes_out_what_others_did(start_rest: Start) -> None:
    node = start_rest()
    for _ in range(80):
        assert node.nobody.post("/users", {"username": "x"}).status == 401

    entries = node.audit("operation_result=failure&http_method=post&limit=1000")

    assert len(entries) == 60
    assert node.local.get("/api/v5/metrics?aggregate=true")["audit.suppressed"] == 20
