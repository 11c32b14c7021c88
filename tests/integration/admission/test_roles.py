"""Every caller against every operation of the document. What may be done is said here once more,
and by nobody else: a new operation that is open by mistake fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from harness.rest_node import PREFIX, Answer, Rest, RestNode, rest_node
from integration.admission.conftest import Start

OPEN = {
    ("GET", "/status"),
    ("POST", "/login"),
    ("GET", "/load_rebalance/availability_check"),
    # Prometheus sends no credentials; a setting asks for them.
    ("GET", "/prometheus/stats"),
    ("GET", "/prometheus/auth"),
    ("GET", "/prometheus/data_integration"),
}
"""For everybody."""
ACCOUNTS = ("/users", "/api_key", "/logout")
"""Never for API keys."""
OWN = {("POST", "/logout"), ("POST", "/users/{username}/change_pwd")}
"""For every user, a viewer too."""
SECRETS = {
    ("GET", "/data/files/{filename}"),
    ("GET", "/authentication/{id}/export_users"),
}
"""Looking that a viewer may not do: hashes of passwords."""
ASKING = {
    ("POST", "/authorization/explain"),
    ("POST", "/rule_preview"),
    ("POST", "/rule_test"),
    ("POST", "/rules/{id}/test"),
}
"""Looking that takes a body."""
CODES = {("POST", "/sso/code")}
"""For the key of a viewer as well."""
PUBLISH = {("POST", "/publish"), ("POST", "/publish/bulk")}
"""For a publisher."""
REFUSALS = {
    "AUTHORIZATION_HEADER_ERROR",
    "BAD_TOKEN",
    "TOKEN_TIME_OUT",
    "BAD_API_KEY_OR_SECRET",
    "API_KEY_NOT_ALLOW",
    "UNAUTHORIZED_ROLE",
    "PASSWORD_CHANGE_REQUIRED",
}
Key = tuple[str, str]


def expected(caller: str, key: Key) -> str:
    """The code of the refusal; empty where the operation is reached."""
    method, path = key
    if key in OPEN:
        return ""
    if caller == "nobody":
        return "AUTHORIZATION_HEADER_ERROR"
    is_account = any(path == name or path.startswith(name + "/") for name in ACCOUNTS)
    if caller.endswith("key") and is_account:
        return "API_KEY_NOT_ALLOW"
    if caller == "code" and is_account and path != "/logout":
        return "API_KEY_NOT_ALLOW"
    if caller == "first" and key not in OWN:
        return "PASSWORD_CHANGE_REQUIRED"
    if caller in ("admin", "admin-key", "first"):
        return ""
    if caller in ("viewer", "viewer-key", "code"):
        looks = key in ASKING or (method == "GET" and key not in SECRETS)
        return "" if looks or key in OWN or key in CODES else "UNAUTHORIZED_ROLE"
    return "" if key in PUBLISH else "UNAUTHORIZED_ROLE"


def operations(document: dict[str, Any]) -> list[Key]:
    return [
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    ]


def ask(caller: Rest, key: Key) -> Answer:
    method, path = key
    filled = re.sub(r"\{[^}]*\}", "nobody-has-this", path)
    return caller.ask(method, PREFIX + filled)


CALLERS = (
    "nobody",
    "admin",
    "viewer",
    "admin-key",
    "viewer-key",
    "publisher-key",
    "code",
)


def make_caller(node: RestNode, kind: str) -> Rest:
    """A caller of that kind, fresh."""
    match kind:
        case "nobody":
            return node.nobody
        case "admin":
            return node.user("administrator")
        case "viewer":
            return node.user("viewer")
        case "code":
            code = node.key("viewer").post("/sso/code").json["sso_code"]
            answer = node.nobody.post("/login", {"sso_code": code})
            return node.nobody.with_token(answer.json["token"])
    role = {"admin-key": "administrator"}.get(kind, kind.removesuffix("-key"))
    return node.key(role)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    """For all callers; nothing that they reach has what they name."""
    with rest_node(tmp_path_factory.mktemp("roles")) as running:
        # The first request waits for the interface; the document takes its time too.
        running.local.get(PREFIX + "/nodes")
        yield running


@pytest.mark.parametrize("kind", CALLERS)
def test_the_matrix_has_no_hole(node: RestNode, kind: str) -> None:
    document = node.nobody.ask("GET", "/api-docs/swagger.json").json
    wrong = []
    caller = make_caller(node, kind)
    for key in operations(document):
        answer = ask(caller, key)
        code = answer.code if answer.code in REFUSALS else ""
        if code != expected(kind, key):
            wrong.append((key, answer.status, answer.code, expected(kind, key)))
        if key == ("POST", "/logout") and not expected(kind, key):
            caller = make_caller(node, kind)

    assert wrong == []


def test_an_expired_token_reaches_nothing(node: RestNode) -> None:
    keys = operations(node.nobody.ask("GET", "/api-docs/swagger.json").json)
    node.set("dashboard.token_expired_time = 1s")
    callers = [node.admin for _ in keys[:90]]
    node.node.let_pass(2)
    node.set("dashboard.token_expired_time = 60m")

    for number, key in enumerate(keys):
        if key in OPEN:
            continue
        answer = ask(callers[number % len(callers)], key)
        # Told once why; after that nobody knows the token.
        assert answer.status == 401, key
        assert answer.code in ("TOKEN_TIME_OUT", "BAD_TOKEN"), key


def test_before_the_password_is_changed_nothing_is_reached(start_rest: Start) -> None:
    node = start_rest(has_admin=False)
    token = node.nobody.post("/login", {"username": "admin", "password": "public"}).json["token"]
    first = node.nobody.with_token(token)

    for key in operations(node.nobody.ask("GET", "/api-docs/swagger.json").json):
        if key == ("POST", "/logout"):
            continue
        answer = ask(first, key)
        code = answer.code if answer.code in REFUSALS else ""
        assert code == expected("first", key), key
