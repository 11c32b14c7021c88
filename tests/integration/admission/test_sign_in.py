"""Who gets in, how, and for how long."""

from __future__ import annotations

import pytest

from harness.node import fresh_name
from harness.rest_node import ADMIN, PASSWORD, Answer, Rest, RestNode, api
from integration.admission.conftest import Start

NEW = "another-password-2"


def change(caller: Rest, name: str, old: str, new: str) -> Answer:
    return caller.post(api("users", name, "change_pwd"), {"old_pwd": old, "new_pwd": new})


def test_the_default_password_only_changes_the_password(start_rest: Start) -> None:
    node = start_rest(has_admin=False)
    answer = node.nobody.post("/login", {"username": ADMIN, "password": "public"})
    first = node.nobody.with_token(answer.json["token"])

    assert answer.json["password_change_required"] is True
    for path in ("/users", "/error_codes", "/audit"):
        refused = first.get(path)
        assert (refused.status, refused.code) == (403, "PASSWORD_CHANGE_REQUIRED")
        assert "change the password first" in refused.json["message"]
    assert first.post("/api_key", {"name": "a"}).code == "PASSWORD_CHANGE_REQUIRED"
    weak = change(first, ADMIN, "public", "public")
    assert (weak.status, weak.code) == (400, "BAD_REQUEST")
    assert change(first, ADMIN, "public", NEW).status == 204
    # Whoever signed in with the old one is signed out, and it works no more.
    assert first.get("/users").code == "BAD_TOKEN"
    old = node.nobody.post("/login", {"username": ADMIN, "password": "public"})
    assert (old.status, old.code) == (401, "BAD_USERNAME_OR_PWD")
    assert node.nobody.login(password=NEW).get("/users").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "192.0.2.1"},
        {"forwarded": "for=192.0.2.1"},
        # A page whose name was made to point here.
        {"host": "rebound.example.org:18083"},
    ],
)
def test_the_default_password_works_on_this_machine_alone(
    start_rest: Start, headers: dict[str, str]
) -> None:
    node = start_rest(has_admin=False)

    body = {"username": ADMIN, "password": "public"}
    answer = node.nobody.ask("POST", "/api/v5/login", body, headers)

    assert (answer.status, answer.code) == (401, "BAD_USERNAME_OR_PWD")
    assert "rookery ctl admins passwd" in answer.json["message"]


def test_a_password_from_the_configuration_is_chosen_already(rest: RestNode) -> None:
    answer = rest.nobody.post("/login", {"username": ADMIN, "password": PASSWORD})

    assert answer.json["password_change_required"] is False
    assert answer.json["role"] == "administrator"
    assert answer.json["license"] == {"edition": "opensource"}


def test_users_and_keys_survive_a_restart_and_tokens_do_not(start_rest: Start) -> None:
    node = start_rest()
    admin, key = node.admin, node.key("viewer")
    admin.post("/users", {"username": "alice", "password": NEW, "role": "viewer"})

    node.node.restart()
    port = node.port()

    assert Rest(port, authorization=admin.authorization).get("/users").code == "BAD_TOKEN"
    assert Rest(port, authorization=key.authorization).get("/error_codes").status == 200
    assert node.nobody.login("alice", NEW).get("/error_codes").status == 200


def test_signing_out_ends_one_token(rest: RestNode) -> None:
    here, there = rest.admin, rest.admin

    assert here.post("/logout", {"username": "somebody"}).status == 400
    assert here.post("/logout", {"username": ADMIN}).status == 204
    assert here.get("/users").code == "BAD_TOKEN"
    assert there.get("/users").status == 200


def test_a_user_that_is_removed_is_signed_out(rest: RestNode) -> None:
    name = fresh_name("u")
    admin = rest.admin
    admin.post("/users", {"username": name, "password": NEW})
    user = rest.nobody.login(name, NEW)

    assert user.delete(api("users", name)).code == "NOT_ALLOWED"
    assert admin.delete(api("users", name)).status == 204
    assert user.get("/users").code == "BAD_TOKEN"
    assert admin.delete(api("users", name)).code == "USER_NOT_FOUND"


def test_another_role_holds_at_once(rest: RestNode) -> None:
    name = fresh_name("u")
    admin = rest.admin
    admin.post("/users", {"username": name, "password": NEW})
    user = rest.nobody.login(name, NEW)

    assert user.post("/api_key", {"name": "x"}).status == 200
    assert admin.put(api("users", name), {"role": "viewer"}).json["role"] == "viewer"
    assert user.delete("/api_key/x").code == "UNAUTHORIZED_ROLE"
    assert user.get("/users").status == 200
    assert admin.delete("/api_key/x").status == 204


def test_one_administrator_stays(start_rest: Start) -> None:
    node = start_rest()
    admin = node.admin
    assert admin.post("/users", {"username": "v", "password": NEW, "role": "viewer"}).status == 200

    assert admin.put(api("users", ADMIN), {"role": "viewer"}).code == "NOT_ALLOWED"
    answer = node.key("administrator").delete(api("users", ADMIN))
    assert answer.code == "API_KEY_NOT_ALLOW"


def test_a_viewer_changes_the_own_password_alone(rest: RestNode) -> None:
    name = fresh_name("u")
    rest.admin.post("/users", {"username": name, "password": NEW, "role": "viewer"})
    viewer = rest.nobody.login(name, NEW)

    assert change(viewer, ADMIN, PASSWORD, NEW).code == "FORBIDDEN"
    assert change(viewer, name, "wrong", PASSWORD).code == "ERROR_PWD_NOT_MATCH"
    assert change(viewer, name, NEW, PASSWORD).status == 204


def test_five_bad_passwords_lock_that_user_from_that_address(rest: RestNode) -> None:
    name = fresh_name("u")
    rest.admin.post("/users", {"username": name, "password": NEW})

    codes = [
        rest.nobody.post("/login", {"username": name, "password": "wrong"}).code for _ in range(6)
    ]

    assert codes == ["BAD_USERNAME_OR_PWD"] * 5 + ["LOGIN_LOCKED"]
    right = rest.nobody.post("/login", {"username": name, "password": NEW})
    assert (right.status, right.code) == (401, "LOGIN_LOCKED")
    # Others get in, and so does the same user after the machine's owner gave a new password.
    assert rest.admin.get("/users").status == 200
    rest.local.post(f"/api/v5/users/{name}/change_pwd", {"new_pwd": PASSWORD})
    assert rest.nobody.login(name).get("/users").status == 200


def test_an_unknown_user_is_refused_like_a_wrong_password(rest: RestNode) -> None:
    unknown = rest.nobody.post("/login", {"username": fresh_name("u"), "password": "x"})
    wrong = rest.nobody.post("/login", {"username": ADMIN, "password": "x"})

    assert unknown.body == wrong.body
    assert unknown.status == wrong.status == 401


def test_a_token_ends_when_it_is_not_used(start_rest: Start) -> None:
    node = start_rest({"dashboard.token_expired_time": "1s"})
    left, used = node.admin, node.admin

    node.node.let_pass(2)

    assert (left.get("/users").code, used.get("/users").code) == (
        "TOKEN_TIME_OUT",
        "TOKEN_TIME_OUT",
    )
    assert left.get("/users").code == "BAD_TOKEN"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "AUTHORIZATION_HEADER_ERROR"),
        ("Negotiate abc", "AUTHORIZATION_HEADER_ERROR"),
        ("Basic ???", "AUTHORIZATION_HEADER_ERROR"),
        ("Basic " + "YWRtaW46cHVibGlj", "BAD_API_KEY_OR_SECRET"),  # admin:public
        ("Bearer nonsense", "BAD_TOKEN"),
    ],
)
def test_who_asks_has_to_be_known(rest: RestNode, authorization: str, code: str) -> None:
    answer = Rest(rest.port(), authorization=authorization).get("/users")

    assert (answer.status, answer.code) == (401, code)
    assert ("www-authenticate" in answer.headers) == (code == "AUTHORIZATION_HEADER_ERROR")


def test_a_refused_caller_is_told_so_before_the_body_is_read(rest: RestNode) -> None:
    answer = rest.nobody.ask("POST", "/api/v5/users", b"{ no json")

    assert answer.status == 401
