"""Keys of programs, and the codes they get for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.node import fresh_name
from harness.operator import eventually
from harness.rest_node import Rest, RestNode, api
from integration.admission.conftest import Start

PAST, FUTURE = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


def made(rest: RestNode, **body: object) -> tuple[str, Rest]:
    name = fresh_name("k")
    answer = rest.admin.post("/api_key", {"name": name, **body})
    assert answer.status == 200, answer
    return name, rest.nobody.with_key(answer.json["api_key"], answer.json["api_secret"])


def test_a_secret_is_shown_once(rest: RestNode) -> None:
    name, key = made(rest, desc="a remark")
    admin = rest.admin

    rows = [row for row in admin.get("/api_key").json if row["name"] == name]
    assert rows == [admin.get(api("api_key", name)).json]
    assert "api_secret" not in rows[0]
    assert rows[0]["expired_at"] == "infinity"
    assert (rows[0]["desc"], rows[0]["enable"], rows[0]["expired"]) == ("a remark", True, False)
    assert key.get("/error_codes").status == 200
    stored = b"".join(file.read_bytes() for file in rest.node.data_dir.glob("admins.db*"))
    log = (rest.node.data_dir / "log" / "audit.jsonl").read_bytes()
    secret = key.authorization.encode()
    assert secret not in stored + log


@pytest.mark.parametrize("change", [{"enable": False}, {"expired_at": PAST}])
def test_a_key_stops_working_at_once(rest: RestNode, change: dict[str, object]) -> None:
    name, key = made(rest, expired_at=FUTURE)

    assert key.get("/error_codes").status == 200
    rest.admin.put(api("api_key", name), change)
    assert key.get("/error_codes").code == "BAD_API_KEY_OR_SECRET"
    back: dict[str, object] = {"enable": True, "expired_at": "infinity"}
    assert rest.admin.put(api("api_key", name), back).json["expired_at"] == "infinity"
    assert key.get("/error_codes").status == 200
    assert rest.admin.delete(api("api_key", name)).status == 204
    assert key.get("/error_codes").code == "BAD_API_KEY_OR_SECRET"


def test_five_wrong_secrets_lock_that_key_from_that_address(rest: RestNode) -> None:
    key = rest.admin.post("/api_key", {"name": fresh_name("k")}).json
    other = made(rest)[1]

    wrong = rest.nobody.with_key(key["api_key"], "a-wrong-secret-0")
    codes = [wrong.get("/error_codes").code for _ in range(6)]

    assert codes == ["BAD_API_KEY_OR_SECRET"] * 5 + ["LOGIN_LOCKED"]
    right = rest.nobody.with_key(key["api_key"], key["api_secret"]).get("/error_codes")
    assert (right.status, right.code) == (401, "LOGIN_LOCKED")
    assert key["api_secret"].encode() not in right.body
    # Nobody else is locked, and the log tells who is.
    assert other.get("/error_codes").status == 200
    told = f"the API key '{key['api_key']}' is locked"
    eventually(lambda: any(told in line for line in rest.node.log))


def test_a_name_is_taken_once(rest: RestNode) -> None:
    name, _ = made(rest)

    again = rest.admin.post("/api_key", {"name": name})

    assert (again.status, again.code) == (400, "ALREADY_EXISTS")
    assert rest.admin.get("/api_key/none").code == "NOT_FOUND"
    assert rest.admin.post("/api_key", {"name": "9"}).code == "BAD_REQUEST"
    assert rest.admin.post("/api_key", {"name": "a", "expired_at": "soon"}).code == "BAD_REQUEST"
    far = {"name": "a", "expired_at": "9999-12-31T23:59:59-12:00"}
    assert rest.admin.post("/api_key", far).code == "BAD_REQUEST"
    assert rest.admin.get("/api_key").status == 200


def test_keys_never_touch_accounts(rest: RestNode) -> None:
    key = rest.key("administrator")

    for answer in (
        key.get("/users"),
        key.get("/api_key"),
        key.post("/api_key", {"name": "more"}),
        key.post("/users", {"username": "more", "password": "a-password-1"}),
        key.post("/users/admin/change_pwd", {"old_pwd": "", "new_pwd": "a-password-1"}),
        key.post("/logout", {"username": "admin"}),
    ):
        assert (answer.status, answer.code) == (401, "API_KEY_NOT_ALLOW")


def test_keys_of_a_file_are_there_from_the_first_start(start_rest: Start, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(
        "# keys\n"
        "app-1:0123456789abcdef\n"
        "app-2:0123456789abcdeg:viewer\n"
        "short:secret\n"
        "odd:0123456789abcdef:emperor\n"
    )
    node = start_rest({"api_key.bootstrap_file": str(file)})

    assert node.nobody.with_key("app-1", "0123456789abcdef").delete("/audit").status == 405
    viewer = node.nobody.with_key("app-2", "0123456789abcdeg")
    assert viewer.get("/error_codes").status == 200
    assert viewer.post("/publish", {}).status in (403, 404)
    assert node.nobody.with_key("short", "secret").get("/error_codes").status == 401
    rows = node.admin.get("/api_key").json
    assert [row["role"] for row in rows] == ["administrator", "viewer"]
    file.write_text("app-1:another-secret-0123\n")
    node.node.restart()
    assert node.nobody.with_key("app-1", "0123456789abcdef").get("/audit").status == 401
    assert node.nobody.with_key("app-1", "another-secret-0123").get("/audit").status == 200


def test_a_code_signs_somebody_in_once(rest: RestNode) -> None:
    key = rest.key("administrator")
    code = key.post("/sso/code", {"username": "alice@example.org", "role": "viewer"}).json

    answer = rest.nobody.post("/login", {"sso_code": code["sso_code"]})
    again = rest.nobody.post("/login", {"sso_code": code["sso_code"]})

    assert code["expires_in"] == 30
    assert (answer.json["username"], answer.json["role"]) == ("alice@example.org", "viewer")
    assert (again.status, again.code) == (401, "BAD_SSO_CODE")
    somebody = rest.nobody.with_token(answer.json["token"])
    assert somebody.get("/error_codes").status == 200
    # No more rights than a key has.
    assert somebody.get("/users").code == "API_KEY_NOT_ALLOW"
    assert somebody.post("/logout").status == 204


@pytest.mark.parametrize("body", [None, {}, {"username": "", "role": None}])
def test_a_code_for_nobody_in_particular_is_for_the_key_itself(
    rest: RestNode, body: dict[str, Any] | None
) -> None:
    name, key = made(rest, role="viewer")
    code = key.post("/sso/code", body)

    answer = rest.nobody.post("/login", {"sso_code": code.json["sso_code"]})

    assert (code.status, answer.status) == (200, 200)
    assert (answer.json["username"], answer.json["role"]) == (name, "viewer")


@pytest.mark.parametrize("username", ["   ", "a\nb", "\u0000", "x" * 101, 7, ["a"], None])
def test_a_code_is_for_a_name_that_can_be_read(rest: RestNode, username: object) -> None:
    answer = rest.key("administrator").post("/sso/code", {"username": username})

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert "username" in answer.json["message"]


def test_a_code_ends_with_its_key(rest: RestNode) -> None:
    name, key = made(rest)
    codes = [key.post("/sso/code").json["sso_code"] for _ in range(2)]
    somebody = rest.nobody.with_token(
        rest.nobody.post("/login", {"sso_code": codes[0]}).json["token"]
    )
    assert somebody.get("/error_codes").status == 200

    rest.admin.delete(api("api_key", name))

    assert somebody.get("/error_codes").code == "BAD_TOKEN"
    assert rest.nobody.post("/login", {"sso_code": codes[1]}).code == "BAD_SSO_CODE"


def test_a_code_has_no_more_rights_than_its_key(rest: RestNode) -> None:
    asked = {"role": "administrator"}

    assert rest.key("viewer").post("/sso/code", asked).code == "FORBIDDEN"
    assert rest.key("publisher").post("/sso/code").code == "UNAUTHORIZED_ROLE"
    assert rest.admin.post("/sso/code").code == "FORBIDDEN"


def test_a_key_puts_no_accounts_back(rest: RestNode) -> None:
    name = fresh_name("u")
    admin, key = rest.admin, rest.key("administrator")
    admin.post("/users", {"username": name, "password": "a-password-1", "role": "viewer"})
    file = admin.post("/data/export").json["filename"]
    admin.delete(api("users", name))

    assert key.post("/data/import", {"filename": file}).status == 204
    assert name not in {row["username"] for row in admin.get("/users").json}
    assert admin.post("/data/import", {"filename": file}).status == 204
    # Whose password is the same afterwards stays signed in.
    assert name in {row["username"] for row in admin.get("/users").json}
