"""Ten thousand connected clients do not notice what an operator changes beside them."""

from __future__ import annotations

import contextlib
import resource
import shutil
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from harness.authority import Authority, Pair
from harness.client import DEADLINE_S
from harness.holder import Holder, holding
from harness.node import HOST
from harness.operator import Operator, operated
from harness.secure import client_context

CLIENTS = {"tcp": 5000, "ssl": 3000, "ws": 1000, "wss": 1000}
# The node needs one for each client and some for itself.
FILES = sum(CLIENTS.values()) + 500
NOT_AUTHORIZED = 0x87

LISTENER = """
listeners.{kind}.default {{
  bind = "127.0.0.1:0"
  ssl_options {{ certfile = "server.pem", keyfile = "server.key" }}
}}
"""
RULES = '{allow, all, subscribe, ["free/#"]}.\n'


@pytest.fixture
def many_files() -> None:
    """The processes that a test starts may open as many files as the system lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES:
        pytest.skip(f"a process may open {hard} files here")
    if soft != resource.RLIM_INFINITY and soft < FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))


def install(pair: Pair, folder: Path) -> None:
    """As tools do: beside it, then renamed."""
    for source, name in ((pair.key, "server.key"), (pair.cert, "server.pem")):
        shutil.copy(source, folder / f"{name}.new")
        (folder / f"{name}.new").rename(folder / name)


def load(operator: Operator, kind: str, count: int, ca: Path) -> dict[str, Any]:
    """``count`` connections, some of which talk all the time."""
    talking = 10
    config: dict[str, Any] = {
        "mode": "pairs",
        "addresses": [f"{HOST}:{operator.port(f'{kind}:default')}"],
        "publishers": talking,
        "idle_connections": count - 2 * talking,
        "rate": 50.0,
        "qos": 1,
        "topic_prefix": f"free/{kind}",
        "client_id_prefix": kind,
        "duration_s": 600.0,
        "set_up_timeout_s": 100.0,
        "websocket": kind in ("ws", "wss"),
    }
    if kind in ("ssl", "wss"):
        config |= {"tls": True, "tls_ca_file": str(ca), "tls_server_name": "localhost"}
    return config


def common_name(operator: Operator, ca: Path) -> str:
    """Of the certificate that a new client sees."""
    address = (HOST, operator.port("ssl:default"))
    with (
        socket.create_connection(address, DEADLINE_S) as plain,
        client_context(ca).wrap_socket(plain, server_hostname="localhost") as stream,
    ):
        subject: Any = (stream.getpeercert() or {})["subject"]
    return str(dict(item for group in subject for item in group)["commonName"])


def test_nobody_is_dropped(many_files: None, tmp_path: Path, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("ca")
    ca = Authority(folder, "Fleet CA")
    install(ca.issue("first"), tmp_path)
    (tmp_path / "acl.conf").write_text(RULES)
    text = 'authorization.sources = [{type = file, path = "acl.conf"}]\n'
    text += 'listeners.tcp.other.bind = "127.0.0.1:0"\n'
    text += "".join(LISTENER.format(kind=kind) for kind in ("ssl", "wss"))
    with contextlib.ExitStack() as stack:
        operator = stack.enter_context(operated(tmp_path, text))
        holders: list[Holder] = []
        for kind, count in CLIENTS.items():
            holders.append(stack.enter_context(holding(load(operator, kind, count, ca.cert))))
            holders[-1].wait_until_held()
        assert operator.rest.get("/stats?aggregate=true")["live_connections.count"] == sum(
            CLIENTS.values()
        )

        change_everything(operator, ca, tmp_path)

        assert operator.rest.get("/stats?aggregate=true")["live_connections.count"] == sum(
            CLIENTS.values()
        )
        for holder in holders:
            report = holder.report()
            assert (report["disconnects"], report["errors"]) == (0, 0), report
            assert report["received"] > 0


def change_everything(operator: Operator, ca: Authority, folder: Path) -> None:
    """Certificates, rules, listeners, settings; each is seen to hold for new clients."""
    assert common_name(operator, ca.cert) == "first"
    install(ca.issue("second"), folder)
    operator.rest.post("/certificates/reload")
    assert common_name(operator, ca.cert) == "second"

    (folder / "acl.conf").write_text('{deny, all, subscribe, ["closed/#"]}.\n' + RULES)
    operator.rest.post("/authorization/reload")
    with operator.login() as client:
        client.subscribe("closed/1", granted=[NOT_AUTHORIZED])

    other = f"/listeners/{quote('tcp:other', safe='')}"
    for action in ("restart", "stop", "start"):
        operator.rest.post(f"{other}/{action}")
    operator.rest.post("/listeners", {"type": "tcp", "name": "third", "bind": f"{HOST}:0"})
    operator.rest.delete(f"/listeners/{quote('tcp:third', safe='')}")

    operator.rest.post("/banned", {"as": "clientid", "who": "nobody"})
    operator.rest.delete("/banned/clientid/nobody")
    operator.rest.post("/configs_reload")
