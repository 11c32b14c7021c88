"""What browsers are told, pages of other origins, bodies that are too long, TLS."""

from __future__ import annotations

import re
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.authority import Authority, Pair
from harness.client import DEADLINE_S
from harness.node import HOST
from harness.operator import eventually
from harness.rest_node import ADMIN, PREFIX, Rest, RestNode
from integration.admission.conftest import Start

PATHS = ("/", "/status", "/api/v5/status", "/api-docs", "/api-docs/swagger.json", "/clients/x")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_guarded(rest: RestNode, path: str) -> None:
    headers = rest.nobody.ask("GET", path).headers

    policy = headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "strict-transport-security" not in headers
    assert "set-cookie" not in headers


def test_answers_of_the_interface_are_kept_by_nobody(rest: RestNode) -> None:
    assert rest.admin.get("/users").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example.org"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_pages_of_other_origins_are_refused(rest: RestNode, headers: dict[str, str]) -> None:
    key = rest.key("administrator")

    for method in ("GET", "POST", "OPTIONS"):
        answer = key.ask(method, "/api/v5/api_key", None, headers)
        assert (answer.status, answer.code) == (403, "CROSS_ORIGIN")
        assert "access-control-allow-origin" not in answer.headers


def test_the_dashboard_itself_is_not_another_origin(rest: RestNode) -> None:
    headers = {"origin": f"http://{HOST}:{rest.port()}", "sec-fetch-site": "same-origin"}

    assert rest.admin.ask("GET", "/api/v5/users", None, headers).status == 200


def test_a_body_that_is_too_long_is_refused(rest: RestNode) -> None:
    body = {"username": "a" * (5 << 20), "password": "x"}

    answer = rest.nobody.post("/login", body)

    assert (answer.status, answer.code) == (413, "EXCEED_LIMIT")


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"x"', b"", b'{"username": 1}', b'{"other": 1}', b"\xff\xfe", b"[" * 9999],
)
def test_a_body_that_makes_no_sense_is_refused(rest: RestNode, body: bytes) -> None:
    headers = {"content-type": "application/json"}

    answer = rest.nobody.ask("POST", "/api/v5/login", body, headers)

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v5/nothing", 404, "NOT_FOUND"),
        ("GET", "/api/v4/nodes", 404, "NOT_FOUND"),
        ("DELETE", "/api/v5/login", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v5/users/%ff", 400, "BAD_REQUEST"),
        ("GET", "/api/v5/error_codes/%ef%bf%bf", 400, "BAD_REQUEST"),
    ],
)
def test_a_wrong_path_is_answered_in_the_same_form(
    rest: RestNode, method: str, path: str, status: int, code: str
) -> None:
    answer = rest.admin.ask(method, path)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/users", "GET, POST"), ("/users/nobody", "DELETE, PUT"), ("/alarms", "DELETE, GET")],
)
def test_a_wrong_method_is_told_all_those_that_are_right(
    rest: RestNode, path: str, methods: str
) -> None:
    answer = rest.admin.ask("PATCH", f"/api/v5{path}")

    assert (answer.status, answer.headers["allow"]) == (405, methods)


@pytest.mark.parametrize("path", ["/api/v5", "/api/v5/"])
def test_the_root_says_where_the_operations_are(rest: RestNode, path: str) -> None:
    answer = rest.nobody.ask("GET", path)

    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert "/api/v5/status" in answer.json["message"]
    assert "/api-docs" in answer.json["message"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/api/v5/nothing", "路径不存在"),
        ("/api/v5/error_codes/NONE", "不存在错误码 NONE"),
        ("/api/v5/users?page=x", "page: 应为整数"),
        ("/api/v5/alarms?sort=colour", "sort: 应为 "),
        ("/api/v5/error_codes/ADDRESS_NOT_PROVEN", "不存在错误码 "),
    ],
)
def test_refusals_are_chinese_for_who_reads_it(rest: RestNode, path: str, told: str) -> None:
    answer = rest.admin.ask("GET", path, None, {"accept-language": "zh-CN"})

    assert answer.json["message"].startswith(told)


def test_an_encoded_slash_stays_in_its_segment(rest: RestNode) -> None:
    answer = rest.admin.get("/error_codes/a%2Fb")

    assert (answer.status, answer.json["message"]) == (404, "no error code a/b")


def test_a_path_does_not_leave_the_folder_of_pages(rest: RestNode) -> None:
    for path in ("/../models.py", "/%2e%2e/models.py", "/..%2f..%2ferrors.py", "/%2fetc/passwd"):
        answer = rest.nobody.ask("GET", path)
        assert b"import" not in answer.body
        assert b"root:" not in answer.body


def test_everything_is_served_over_tls_as_well(start_rest: Start, tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca", "authority")
    pair = authority.issue("localhost")
    https = "dashboard.listeners.https"
    node = start_rest(
        {
            f"{https}.bind": f"{HOST}:0",
            f"{https}.ssl_options.certfile": str(pair.cert),
            f"{https}.ssl_options.keyfile": str(pair.key),
        }
    )
    context = ssl.create_default_context(cafile=str(authority.cert))
    caller = Rest(node.port("https:dashboard"), tls=context, host="localhost").login()

    answer = caller.get("/users")

    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_a_certificate_is_read_again_when_its_file_changes(
    start_rest: Start, tmp_path: Path
) -> None:
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca", "authority")
    first, second = authority.issue("first"), authority.issue("second")
    https = "dashboard.listeners.https"
    node = start_rest(
        {
            f"{https}.bind": f"{HOST}:0",
            f"{https}.ssl_options.certfile": str(first.cert),
            f"{https}.ssl_options.keyfile": str(first.key),
        }
    )
    context = ssl.create_default_context(cafile=str(authority.cert))
    port = node.port("https:dashboard")
    assert common_name(context, port) == "first"

    second.key.replace(first.key)
    second.cert.replace(first.cert)

    until = time.monotonic() + DEADLINE_S
    while common_name(context, port) != "second":
        assert time.monotonic() < until
    assert Rest(port, tls=context, host="localhost").login().get("/users").status == 200


def test_alarms_of_certificates_follow_what_is_in_use(start_rest: Start, tmp_path: Path) -> None:
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca", "authority")
    today = datetime.now(UTC)
    dates = (f"{today - timedelta(9):%Y%m%d}", f"{today + timedelta(4):%Y%m%d}")
    ending = authority.issue("ending", dates=dates)
    lasting = authority.issue("lasting", dates=(dates[0], f"{today + timedelta(90):%Y%m%d}"))
    own = authority.issue("own", dates=dates)
    https = "dashboard.listeners.https"
    node = start_rest(
        {
            f"{https}.bind": f"{HOST}:0",
            f"{https}.ssl_options.certfile": str(own.cert),
            f"{https}.ssl_options.keyfile": str(own.key),
        }
    )
    admin = node.admin

    def alarms() -> set[str]:
        return {row["name"] for row in admin.get("/alarms").json["data"]}

    def listener(name: str, pair: Pair) -> dict[str, Any]:
        files = {"certfile": str(pair.cert), "keyfile": str(pair.key)}
        return {"type": "ssl", "name": name, "bind": f"{HOST}:0", "ssl_options": files}

    of_dashboard, of_a = (
        f"certificate_expiry/{name}/certfile" for name in ("https:dashboard", "ssl:a")
    )
    assert alarms() == {of_dashboard}
    assert "https:dashboard" in {row["listener"] for row in admin.get("/certificates").json}
    assert admin.post("/listeners", listener("a", ending)).status == 200
    assert alarms() == {of_dashboard, of_a}
    assert b'listener_type="https"' in admin.get("/prometheus/stats").body
    assert admin.delete("/listeners/ssl:a").status == 204
    assert alarms() == {of_dashboard}

    lasting.key.replace(own.key)
    lasting.cert.replace(own.cert)

    eventually(lambda: not alarms())


def common_name(context: ssl.SSLContext, port: int) -> str:
    with (
        socket.create_connection((HOST, port), DEADLINE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        certificate: Any = secure.getpeercert()
        return str(dict(item[0] for item in certificate["subject"])["commonName"])


def test_a_certificate_that_cannot_be_used_refuses_the_start(
    start_rest: Start, tmp_path: Path
) -> None:
    (tmp_path / "bad.pem").write_text("no certificate")
    https = "dashboard.listeners.https"
    with pytest.raises(AssertionError, match=r"bad\.pem"):
        start_rest(
            {
                f"{https}.bind": f"{HOST}:0",
                f"{https}.ssl_options.certfile": str(tmp_path / "bad.pem"),
                f"{https}.ssl_options.keyfile": str(tmp_path / "bad.pem"),
            }
        )


def test_the_reference_can_be_switched_off(start_rest: Start) -> None:
    node = start_rest()
    page = node.nobody.ask("GET", "/api-docs")
    document = node.nobody.ask("GET", "/api-docs/swagger.json")
    assert page.headers["content-type"].startswith("text/html")
    assert "/login" in page.body.decode()
    assert "/login" in document.json["paths"]
    assert node.nobody.ask("GET", "/api-docs/style.css").status == 200

    node.set("dashboard.swagger_support = false")

    assert node.nobody.ask("GET", "/api-docs").status == 404
    assert node.nobody.ask("GET", "/api-docs/swagger.json").status == 404


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        ("application/x-www-form-urlencoded", b"username=a&password=b", "Content-Type"),
        ("text/plain", b'{"username": "a", "password": "b"}', "Content-Type"),
        ("application/json", b'{"username": "a",}', "at character 17"),
        ("application/json", b"[]", "valid dictionary"),
    ],
)
def test_a_body_that_is_no_json_is_called_that(
    rest: RestNode, kind: str, body: bytes, message: str
) -> None:
    answer = rest.nobody.ask("POST", f"{PREFIX}/login", body, {"content-type": kind})

    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert message in answer.json["message"]


def test_refusals_of_whoever_asks_have_no_english_sentence(rest: RestNode) -> None:
    key = rest.key("administrator")
    viewer, admin = rest.user("viewer"), rest.admin
    passwords = {"old_pwd": "wrong", "new_pwd": "a-password-1"}
    asked: list[tuple[Rest, str, str, Any]] = [
        (rest.nobody, "GET", "/users", None),
        (rest.nobody.with_key("nobody", "wrong"), "GET", "/nodes", None),
        (key, "GET", "/users", None),
        (viewer, "DELETE", "/audit", None),
        (viewer, "POST", "/publish", {"topic": "t", "payload": "x"}),
        (admin, "POST", f"/users/{ADMIN}/change_pwd", passwords),
        (admin, "DELETE", f"/users/{ADMIN}", None),
        (admin, "POST", "/plugins/allowed", {"name": "x"}),
    ]
    for who, method, path, body in asked:
        answer = who.ask(method, f"/api/v5{path}", body, {"accept-language": "zh"})
        message = answer.json["message"]
        assert answer.status >= 400, path
        assert not re.search("[A-Za-z]{2,} [a-z]{2,} [a-z]{2,} [a-z]{2,}", message), message


def test_a_node_lists_the_codes_that_it_says(rest: RestNode) -> None:
    codes = {row["code"] for row in rest.admin.get("/error_codes").json}

    assert {"LOGIN_LOCKED", "CLIENTID_NOT_FOUND"} <= codes
    assert not codes & {"ADDRESS_NOT_PROVEN", "SECOND_FACTOR_REQUIRED", "UNREGISTERED"}
