"""``/listeners``, ``/listeners_status`` and ``/certificates`` of a real node."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

from harness.operator import Operator
from harness.rest import RestSocket
from rookery.access.authority import Authority, now_utc

EXTRA = {"type": "tcp", "name": "extra", "bind": "127.0.0.1:0", "max_connections": 7}


def test_listeners_are_listed_with_what_they_do(shared: Operator, asks: RestSocket) -> None:
    with shared.login():
        rows = {row["id"]: row for row in asks.ask("GET", "/listeners").json}
        assert set(rows) == {"tcp:default", "ws:default"}
        row = rows["tcp:default"]
        assert (row["type"], row["name"], row["enable"]) == ("tcp", "default", True)
        expected = {"running": True, "max_connections": "infinity", "current_connections": 1}
        assert row["status"] == expected
        (node,) = row["node_status"]
        assert node["status"] == expected
        assert [row["id"] for row in asks.ask("GET", "/listeners?type=ws").json] == ["ws:default"]
        assert asks.ask("GET", "/listeners?type=quic").problem == (400, "BAD_REQUEST")
        kinds = {row["type"]: row for row in asks.ask("GET", "/listeners_status").json}
        assert kinds["tcp"]["ids"] == ["tcp:default"]
        assert kinds["tcp"]["status"] == expected


def test_a_listener_is_made_changed_stopped_and_removed(shared: Operator, asks: RestSocket) -> None:
    made = asks.ask("POST", "/listeners", EXTRA)
    assert made.status == 200
    assert (made.json["id"], made.json["running"]) == ("tcp:extra", True)
    assert asks.ask("POST", "/listeners", EXTRA).problem == (400, "BAD_LISTENER_ID")
    at = "/listeners/tcp%3Aextra"
    shown = asks.ask("GET", at).json
    assert (shown["max_connections"], shown["zone"]) == (7, "default")
    changed = asks.ask("PUT", at, {**shown, "max_connections": 8})
    assert changed.status == 200, changed.text
    assert changed.json["max_connections"] == 8
    assert asks.ask("PUT", at, {"max_connections": 0}).status == 400
    assert asks.ask("POST", f"{at}/stop").json["running"] is False
    status = {row["type"]: row["status"] for row in asks.ask("GET", "/listeners_status").json}
    assert status["tcp"]["running"] == "inconsistent"
    assert asks.ask("POST", f"{at}/start").json["running"] is True
    assert asks.ask("POST", f"{at}/restart").status == 200
    assert asks.ask("DELETE", at).status == 204
    for method, path in (
        ("GET", at),
        ("PUT", at),
        ("DELETE", at),
        ("POST", f"{at}/start"),
        ("POST", f"{at}/stop"),
        ("POST", f"{at}/restart"),
    ):
        body: dict[str, Any] | None = {} if method == "PUT" else None
        assert asks.ask(method, path, body).problem == (404, "BAD_LISTENER_ID")


def test_a_listener_that_cannot_be_is_refused(shared: Operator, asks: RestSocket) -> None:
    taken = {**EXTRA, "bind": f"127.0.0.1:{shared.node.port}"}
    assert asks.ask("POST", "/listeners", taken).problem == (400, "BAD_REQUEST")
    assert asks.ask("POST", "/listeners", {**EXTRA, "type": "quic"}).status == 400
    assert asks.ask("POST", "/listeners", {"bind": "1884"}).status == 400
    assert asks.ask("POST", "/listeners", {**EXTRA, "colour": "red"}).status == 400
    assert len(asks.ask("GET", "/listeners").json) == 2


def test_certificates_are_listed_and_read_again(asks: RestSocket, tmp_path: Path) -> None:
    authority = Authority(tmp_path, now_utc())
    authority.sign_server(["127.0.0.1"], 90)
    files = {"certfile": f"{tmp_path}/server.pem", "keyfile": f"{tmp_path}/server.key"}
    body = {"type": "ssl", "name": "extra", "bind": "127.0.0.1:0", "ssl_options": files}
    assert asks.ask("POST", "/listeners", body).status == 200
    try:
        (row,) = asks.ask("GET", "/certificates").json
        assert (row["listener"], row["field"]) == ("ssl:extra", "certfile")
        assert 88 <= row["days_left"] <= 90
        expected = [{"listener": "ssl:extra", "ok": True, "result": "ok"}]
        assert asks.ask("POST", "/certificates/reload").json == expected
    finally:
        asks.ask("DELETE", "/listeners/ssl%3Aextra")


def test_a_refusal_of_tls_names_the_member_as_it_was_sent(
    shared: Operator, asks: RestSocket
) -> None:
    folder = shared.node.data_dir
    broken, absent = folder / "broken.pem", folder / "absent.pem"
    broken.write_text("nothing")
    body = {"type": "ssl", "name": "extra", "bind": "127.0.0.1:0"}
    for files, english, chinese in (
        (
            {"certfile": str(absent), "keyfile": str(broken)},
            f"ssl_options.certfile: {absent}: there is no such file",
            f"ssl_options.certfile：{absent}：文件不存在",
        ),
        (
            {"certfile": str(broken), "keyfile": str(broken)},
            f"ssl_options.certfile: {broken}: holds no certificate in PEM format",
            f"ssl_options.certfile：{broken}：不含 PEM 格式的证书",
        ),
    ):
        sent = {**body, "ssl_options": files}
        refused = asks.ask("POST", "/listeners", sent)
        assert refused.problem == (400, "BAD_REQUEST")
        assert refused.json["message"].startswith(english)
        told = asks.ask("POST", "/listeners", sent, {"accept-language": "zh"})
        assert told.json["message"].startswith(chinese)


def test_what_is_on_the_machine_is_not_told_by_naming_it(asks: RestSocket, tmp_path: Path) -> None:
    broken, absent = tmp_path / "broken.pem", tmp_path / "absent.pem"
    broken.write_text("nothing")
    body = {"type": "ssl", "name": "extra", "bind": "127.0.0.1:0"}
    told = []
    for path in (str(broken), str(absent)):
        listener = {**body, "ssl_options": {"certfile": path, "keyfile": path}}
        tls = {"enable": True, "cacertfile": path}
        bridge = {"type": "mqtt", "name": "x", "server": "127.0.0.1:1", "ssl": tls}
        for at, sent in (
            ("/listeners", listener),
            ("/connectors", bridge),
            ("/connectors_probe", bridge),
        ):
            refused = asks.ask("POST", at, sent)
            assert refused.status == 400
            assert "only the node's log says why" in refused.json["message"]
            told.append(refused.json["message"].replace(path, "FILE"))
    assert told[:3] == told[3:]
    listener = {**body, "ssl_options": {"certfile": str(absent), "keyfile": str(absent)}}
    chinese = asks.ask("POST", "/listeners", listener, {"accept-language": "zh"})
    assert f"ssl_options.certfile：{absent}：无法使用" in chinese.json["message"]


def test_an_address_that_is_taken_is_told_in_chinese(asks: RestSocket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        body = {"type": "tcp", "name": "extra", "bind": f"127.0.0.1:{port}"}
        told = asks.ask("POST", "/listeners", body, {"accept-language": "zh"})
    message = f"监听器 tcp:extra 无法绑定 127.0.0.1:{port}：地址已被占用"
    assert (told.status, told.json["message"]) == (400, message)
