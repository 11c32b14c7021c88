"""A node that runs on what an import made admits and allows whom the old one did."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.node import ROOT, Node
from harness.packets import ConnAck, Connect
from harness.secure import SecureClient, client_context
from harness.waiting import until

OLD = {
    "emqx.conf": """\
node.name = emqx@127.0.0.1
listener.tcp.default = 0.0.0.0:1883
listener.ws.default = 8083
listener.ssl.external = 127.0.0.1:0
listener.ssl.external.keyfile = etc/certs/server.key
listener.ssl.external.certfile = etc/certs/server.pem
listener.ssl.external.cacertfile = etc/certs/ca.pem
listener.ssl.external.verify = verify_peer
listener.ssl.external.fail_if_no_peer_cert = true
allow_anonymous = false
acl_nomatch = deny
acl_file = etc/acl.conf
""",
    "acl.conf": """\
{allow, {user, "dashboard"}, subscribe, ["$SYS/#"]}.
{deny, all, subscribe, ["$SYS/#", {eq, "#"}]}.
{allow, all, pubsub, ["devices/%u/#"]}.
""",
    "plugins/emqx_auth_username.conf": """\
auth.user.1.username = alice
auth.user.1.password = wonderland
auth.user.2.username = dashboard
auth.user.2.password = public
auth.user.password_hash = sha256
""",
}
CLI = os.environ.get("ROOKERY_TEST_CLI", str(ROOT / ".venv/bin/rookery"))


@pytest.fixture(scope="module")
def old_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("emqx")
    for name, text in OLD.items():
        (home / "etc" / name).parent.mkdir(parents=True, exist_ok=True)
        (home / "etc" / name).write_text(text)
    certs = str(home / "etc" / "certs")
    made = ("--host", "127.0.0.1", "--client", "device-7")
    subprocess.run([CLI, "tls", "init", "--dir", certs, *made], check=True, capture_output=True)
    return home


@pytest.fixture(scope="module")
def imported(old_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    data_dir = tmp_path_factory.mktemp("imported")
    files = [str(old_home / "etc" / name) for name in OLD]
    target = str(data_dir / "rookery.conf")
    subprocess.run([CLI, "config", "import", *files, "-o", target], check=True, capture_output=True)
    node = Node(data_dir, {})
    node.start()
    # It listens before its users are read, and answers Server unavailable meanwhile.
    until(lambda: enter(node, "alice", b"wonderland", 4).reason_code == 0, "users are there")
    yield node
    node.stop()


def enter(node: Node, username: str | None, password: bytes | None, level: int) -> ConnAck:
    with node.open(level) as client:
        client.send(Connect(f"c-{username}", username=username, password=password))
        return client.expect(ConnAck)


@pytest.mark.parametrize(
    ("username", "password", "is_in"),
    [
        ("alice", b"wonderland", True),
        ("alice", b"looking glass", False),
        ("nobody", b"wonderland", False),
        (None, None, False),
    ],
)
def test_the_same_users_get_in(
    imported: Node, username: str | None, password: bytes | None, is_in: bool, level: int
) -> None:
    assert (enter(imported, username, password, level).reason_code == 0) is is_in


def test_the_same_topics_are_allowed(imported: Node) -> None:
    with imported.open(5) as client:
        client.connect(Connect("alice", username="alice", password=b"wonderland"))
        client.subscribe("devices/alice/#", qos=1, granted=[1])
        client.subscribe("devices/bob/#", "$SYS/#", "#", granted=[0x87, 0x87, 0x87])
        client.publish("devices/alice/door", b"open", qos=1)
        client.receive("devices/alice/door", b"open")
    with imported.open(5) as client:
        client.connect(Connect("dashboard", username="dashboard", password=b"public"))
        client.subscribe("$SYS/#", granted=[0])


def test_the_same_certificates_are_asked_for(imported: Node, old_home: Path) -> None:
    certs = old_home / "etc" / "certs"
    line = next(line for line in imported.log if "ssl:external" in line)
    port = int(line.partition("127.0.0.1:")[2].split()[0])
    shown = client_context(certs / "ca.pem", (certs / "device-7.pem", certs / "device-7.key"))

    with SecureClient(port, shown) as client:
        client.connect(Connect("device", username="alice", password=b"wonderland"))
    with (
        SecureClient(port, client_context(certs / "ca.pem")) as client,
        pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
    ):
        client.receive_packet()
