"""``/authentication`` of a real node: the chain, its users, files of users."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from harness.client import RawClient
from harness.node import HOST, fresh_name
from harness.operator import Operator, eventually
from harness.packets import Auth, ConnAck, Connect
from harness.ports import free_port
from harness.rest import RestSocket

BUILT_IN, SCRAM = "password_based:built_in_database", "scram:built_in_database"
AT, AT_SCRAM = (
    "/authentication/password_based%3Abuilt_in_database",
    "/authentication/scram%3Abuilt_in_database",
)
PROVIDER = {"mechanism": "password_based", "backend": "built_in_database"}
JWT = {"mechanism": "jwt", "algorithm": "hmac-based", "secret": "swordfish-swordfish-swordfish"}
HTTP = {
    "mechanism": "password_based", "backend": "http", "method": "post",
    "url": "http://ann:hunter2@auth.example/", "body": {"username": "${username}"},
}  # fmt: skip
AT_HTTP = "/authentication/password_based%3Ahttp"
BAD_USER_NAME_OR_PASSWORD, CONTINUE = 0x86, 0x18


def ids(rest: RestSocket) -> list[str]:
    return [entry["id"] for entry in rest.ask("GET", "/authentication").json]


def test_the_chain_is_made_moved_and_unmade(rest: RestSocket) -> None:
    made = rest.ask("POST", "/authentication", PROVIDER)
    assert (made.status, made.json["id"], made.json["enable"]) == (200, BUILT_IN, True)
    assert rest.ask("POST", "/authentication", PROVIDER).problem == (409, "ALREADY_EXISTS")
    assert rest.ask("POST", "/authentication", JWT).status == 200
    assert rest.ask("PUT", "/authentication/jwt/position/front").status == 204
    assert ids(rest) == ["jwt", BUILT_IN]
    assert rest.ask("PUT", f"{AT}/position/before%3Ajwt").status == 204
    assert rest.ask("PUT", "/authentication/order", [{"id": "jwt"}]).status == 204
    assert ids(rest) == ["jwt", BUILT_IN]
    assert rest.ask("PUT", "/authentication/order", [{"id": "x"}]).problem == (400, "BAD_REQUEST")
    assert rest.ask("DELETE", "/authentication/jwt").status == 204
    assert rest.ask("GET", "/authentication/jwt").problem == (404, "NOT_FOUND")
    assert ids(rest) == [BUILT_IN]


def test_a_secret_is_never_shown_and_may_be_sent_back(operator: Operator, rest: RestSocket) -> None:
    shown = rest.ask("POST", "/authentication", JWT).json
    assert shown["secret"] == "******"
    assert rest.ask("PUT", "/authentication/jwt", {**shown, "from": "username"}).status == 204
    assert rest.ask("GET", "/authentication/jwt").json == {**shown, "from": "username"}
    stored = (operator.node.data_dir / "configs" / "cluster.hocon").read_text()
    assert JWT["secret"] in stored
    eventually(lambda: operator.audited("PUT", "authentication/jwt"))
    assert not operator.audited(JWT["secret"])


def test_a_constant_of_the_body_is_a_secret_whatever_its_name(
    operator: Operator, rest: RestSocket
) -> None:
    provider = {**HTTP, "body": {"k": "swordfish", "username": "${username}"}}
    shown = rest.ask("POST", "/authentication", provider).json
    assert shown["body"] == {"k": "******", "username": "${username}"}
    assert rest.ask("PUT", AT_HTTP, {**shown, "request_timeout": "7s"}).status == 204
    configs = rest.ask("GET", "/configs", None, {"accept": "application/json"})
    assert configs.json["authentication"][0]["body"] == shown["body"]
    assert "swordfish" in (operator.node.data_dir / "configs" / "cluster.hocon").read_text()
    eventually(lambda: operator.audited("PUT", "authentication"))
    assert not operator.audited("swordfish")


def test_a_hidden_secret_does_not_follow_to_another_place(
    operator: Operator, rest: RestSocket
) -> None:
    away = f"http://{HOST}:{free_port()}/"
    provider = {**HTTP, "url": "http://auth.example/", "headers": {"authorization": "swordfish"}}
    shown = rest.ask("POST", "/authentication", provider).json
    english = rest.ask("PUT", AT_HTTP, {**shown, "url": away})
    assert english.problem == (400, "BAD_CONFIG")
    assert english.json["message"].startswith("headers.authorization: write the secret again: url ")
    chinese = rest.ask("PUT", AT_HTTP, {**shown, "url": away}, {"accept-language": "zh"})
    assert chinese.json["message"].startswith("headers.authorization：请重新填写该密钥：url ")
    entry = {key: value for key, value in shown.items() if key != "id"} | {"url": away}
    whole = rest.ask("PUT", "/configs", {"authentication": [entry]})
    assert whole.problem == (400, "BAD_CONFIG")
    assert "authentication.0.headers.authorization" in whole.json["message"]
    assert rest.ask("GET", AT_HTTP).json == shown
    said = {**shown, "url": away, "headers": {"authorization": "swordfish"}}
    assert rest.ask("PUT", AT_HTTP, said).status == 204
    eventually(lambda: operator.audited("PUT", "authentication"))
    assert not operator.audited("swordfish")


def test_the_audit_log_has_before_and_after(operator: Operator, rest: RestSocket) -> None:
    rest.ask("POST", "/authentication", PROVIDER)
    rest.ask("PUT", AT, {**PROVIDER, "user_id_type": "clientid"})
    # What was, is the default; what is, stands in the request.
    eventually(lambda: operator.audited('"PUT"', '"before"', '"username"', '"clientid"'))


def test_a_provider_that_makes_no_sense_changes_nothing(rest: RestSocket) -> None:
    for body in (
        {"mechanism": "jwt"},
        {"mechanism": "password_based", "backend": "mysql"},
        {**PROVIDER, "colour": "red"},
        {},
    ):
        assert rest.ask("POST", "/authentication", body).status == 400
    assert rest.ask("POST", "/authentication", [1]).problem == (400, "BAD_REQUEST")
    assert ids(rest) == []


def test_what_a_provider_said_is_counted(operator: Operator, rest: RestSocket) -> None:
    rest.ask("POST", "/authentication", PROVIDER)
    operator.add_user("alice", "wonder")
    operator.login("alice", "wonder").disconnect()
    assert operator.refusal("alice", "wrong") == BAD_USER_NAME_OR_PASSWORD
    operator.refusal("bob", "b")
    status = rest.ask("GET", f"{AT}/status").json
    assert status["status"] == "connected"
    assert status["metrics"] == {"total": 3, "success": 1, "failed": 1, "nomatch": 1}
    (node,) = status["node_metrics"]
    assert node["metrics"] == status["metrics"]


# -- users ------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [AT, AT_SCRAM])
def test_users_are_made_found_changed_and_removed(rest: RestSocket, at: str) -> None:
    for name in ("bob", "alice", "root"):
        user = {"user_id": name, "password": "pw", "is_superuser": name == "root"}
        made = rest.ask("POST", f"{at}/users", user)
        assert (made.status, made.json) == (201, {"user_id": name, "is_superuser": name == "root"})
    again = rest.ask("POST", f"{at}/users", {"user_id": "bob", "password": "pw"})
    assert again.problem == (409, "ALREADY_EXISTS")
    page = rest.ask("GET", f"{at}/users?limit=2").json
    assert [row["user_id"] for row in page["data"]] == ["alice", "bob"]
    assert page["meta"] == {"page": 1, "limit": 2, "count": 3, "hasnext": True}
    last = rest.ask("GET", f"{at}/users?limit=2&page=2").json
    assert ([row["user_id"] for row in last["data"]], last["meta"]["hasnext"]) == (["root"], False)
    assert found(rest, f"{at}/users?like_user_id=o") == ["bob", "root"]
    assert found(rest, f"{at}/users?is_superuser=true") == ["root"]
    assert found(rest, f"{at}/users?is_superuser=false&like_user_id=b") == ["bob"]
    changed = rest.ask("PUT", f"{at}/users/bob", {"is_superuser": True})
    assert (changed.status, changed.json["is_superuser"]) == (200, True)
    assert rest.ask("GET", f"{at}/users/bob").json == {"user_id": "bob", "is_superuser": True}
    assert rest.ask("DELETE", f"{at}/users/bob").status == 204
    for method in ("GET", "DELETE"):
        assert rest.ask(method, f"{at}/users/bob").problem == (404, "NOT_FOUND")
    assert rest.ask("PUT", f"{at}/users/bob", {"password": "x"}).problem == (404, "NOT_FOUND")


def found(rest: RestSocket, path: str) -> list[str]:
    return [row["user_id"] for row in rest.ask("GET", path).json["data"]]


def test_a_user_name_may_hold_anything(rest: RestSocket) -> None:
    user = {"user_id": "a/b c?", "password": "pw"}
    assert rest.ask("POST", f"{AT}/users", user).status == 201
    assert rest.ask("GET", f"{AT}/users/a%2Fb%20c%3F").json["user_id"] == "a/b c?"
    assert rest.ask("DELETE", f"{AT}/users/a%2Fb%20c%3F").status == 204


def test_users_of_a_provider_that_has_none_here_are_not_found(rest: RestSocket) -> None:
    assert rest.ask("GET", "/authentication/jwt/users").problem == (404, "NOT_FOUND")


def test_a_user_of_scram_proves_its_password(operator: Operator, rest: RestSocket) -> None:
    rest.ask("POST", "/authentication", {"mechanism": "scram", "backend": "built_in_database"})
    rest.ask("POST", f"{AT_SCRAM}/users", {"user_id": "alice", "password": "first"})
    assert proves(operator, "alice", "first")
    rest.ask("PUT", f"{AT_SCRAM}/users/alice", {"password": "second"})
    assert not proves(operator, "alice", "first")
    assert proves(operator, "alice", "second")
    made = rest.ask("PUT", f"{AT_SCRAM}/users/alice", {"generate": True}).json["password"]
    assert proves(operator, "alice", made)


def proves(operator: Operator, user: str, password: str) -> bool:
    """Whether SCRAM-SHA-256 (RFC 5802, RFC 7677) lets the client in."""
    with RawClient(HOST, operator.node.port, 5) as client:
        bare = f"n={user},r={fresh_name('nonce')}"
        method: Any = {"authentication_method": "SCRAM-SHA-256"}
        client.send(
            Connect(
                fresh_name("c"),
                properties={**method, "authentication_data": f"n,,{bare}".encode()},
            )
        )
        challenge = client.expect(Auth)
        data = challenge.properties["authentication_data"]
        assert isinstance(data, bytes)
        first = data.decode()
        said = dict(part.split("=", 1) for part in first.split(","))
        salted = hashlib.pbkdf2_hmac(
            "sha256", password.encode(), base64.b64decode(said["s"]), int(said["i"])
        )
        key = hmac.digest(salted, b"Client Key", "sha256")
        without_proof = f"c=biws,r={said['r']}"
        message = f"{bare},{first},{without_proof}".encode()
        signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        final = f"{without_proof},p={base64.b64encode(proof).decode()}".encode()
        client.send(Auth(CONTINUE, {**method, "authentication_data": final}))
        return client.expect(ConnAck).reason_code == 0


# -- files ------------------------------------------------------------------------------------


def upload(rest: RestSocket, path: str, name: str, content: str) -> Any:
    mark = "b0undary"
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="filename"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n{content}\r\n--{mark}--\r\n"
    )
    return rest.ask("POST", path, body, {"content-type": f"multipart/form-data; boundary={mark}"})


CSV = "user_id,password,is_superuser\nalice,wonder,false\nroot,land,true\n"


def test_a_file_of_users_is_uploaded(operator: Operator, rest: RestSocket) -> None:
    rest.ask("POST", "/authentication", PROVIDER)
    assert upload(rest, f"{AT}/import_users?type=plain", "users.csv", CSV).status == 204
    operator.login("alice", "wonder").disconnect()
    exported = rest.ask("GET", f"{AT}/export_users").text
    rest.ask("DELETE", f"{AT}/users/alice")
    again = upload(rest, f"{AT}/import_users?type=hash&report=true", "users.json", exported)
    assert (again.status, again.json) == (200, {"added": 1, "changed": 1, "kept": 0})
    operator.login("alice", "wonder").disconnect()


def test_users_come_as_json_too(operator: Operator, rest: RestSocket) -> None:
    rest.ask("POST", "/authentication", PROVIDER)
    users = [{"user_id": "alice", "password": "wonder", "is_superuser": False}]
    assert rest.ask("POST", f"{AT}/import_users?type=plain", users).status == 204
    operator.login("alice", "wonder").disconnect()


def test_a_file_with_a_bad_line_brings_nobody(rest: RestSocket) -> None:
    path = f"{AT}/import_users?type=plain"
    bad = upload(rest, path, "users.csv", CSV + "bob,,maybe\n")
    assert bad.problem == (400, "BAD_REQUEST")
    assert "3" in bad.json["message"]
    assert upload(rest, path, "users.txt", CSV).problem == (400, "BAD_REQUEST")
    assert rest.ask("POST", f"{AT}/import_users", [{}]).problem == (400, "BAD_REQUEST")
    assert rest.ask("POST", path, CSV, {"content-type": "image/png"}).status == 415
    assert rest.ask("POST", f"{AT_SCRAM}/import_users?type=plain", [{}]).status == 400
    assert rest.ask("GET", f"{AT}/users").json["data"] == []


def test_a_backend_says_why_it_cannot_be_asked_before_a_client_comes(
    operator: Operator, rest: RestSocket
) -> None:
    address = f"127.0.0.1:{free_port()}"
    http = {**HTTP, "url": f"http://ann:hunter2@{address}/auth"}
    source = {"type": "http", "method": "post", "url": f"http://{address}/acl", "body": {}}
    assert rest.ask("POST", "/authentication", http).status == 200
    assert rest.ask("POST", "/authorization/sources", source).status == 204
    for path in (f"{AT_HTTP}/status", "/authorization/sources/http/status"):
        eventually(lambda path=path: rest.ask("GET", path).json["status"] == "disconnected")  # type: ignore[misc]
        (error,) = rest.ask("GET", path).json["node_error"]
        assert error["error"].startswith(f"connect to {address} refused")
        (error,) = rest.ask("GET", path, headers={"accept-language": "zh"}).json["node_error"]
        assert error["error"].startswith(f"连接 {address} 被拒绝")
    alarms = {row["name"]: row for row in rest.ask("GET", "/alarms").json["data"]}
    for name in ("password_based:http", "http"):
        alarm = alarms[f"access_service_unreachable/{name}"]
        assert f"connect to {address} refused" in alarm["message"]
        assert "hunter2" not in json.dumps(alarm)

    assert rest.ask("PUT", AT_HTTP, {**http, "enable": False}).status == 204
    off = rest.ask("GET", f"{AT_HTTP}/status").json
    assert (off["status"], off["node_error"][0]["error"]) == ("disconnected", "it is switched off")
    assert rest.ask("DELETE", "/authorization/sources/http").status == 204
    assert not operator.alarms()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"headers": {"authorization": "Bearer x"}}, "url: a user in it and headers.authorization"),
        ({"url": "https://ann:hunter2@auth.example/"}, "url: https://******@auth.example/ needs"),
        ({"body": {"x": "${nothing}"}}, "body"),
        ({"method": "put"}, "method: "),
        ({"pool": 1}, "pool: unknown key"),
    ],
)
def test_a_refusal_names_the_field_as_it_was_sent(
    operator: Operator, rest: RestSocket, change: dict[str, Any], says: str
) -> None:
    refused = rest.ask("POST", "/authentication", {**HTTP, **change})
    assert refused.problem == (400, "BAD_CONFIG")
    message = refused.json["message"]
    assert message.startswith(says)
    for hidden in (str(operator.node.data_dir), "authentication.", "hunter2"):
        assert hidden not in message


def test_rules_that_were_sent_are_named_as_such(rest: RestSocket) -> None:
    refused = rest.ask("POST", "/authorization/sources", {"type": "file", "rules": "{allow, no}."})
    assert refused.problem == (400, "BAD_CONFIG")
    assert refused.json["message"].startswith("rules:1:1: expected a rule")
