"""Strangers at the door: half-open connections, slow ones, noise. Nobody else notices."""

from __future__ import annotations

import base64
import contextlib
import os
import random
import re
import resource
import selectors
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from harness.client import DEADLINE_S, RawClient
from harness.node import HOST, Node, Settings, StartNode, fresh_name
from harness.packets import Connect, Publish
from harness.waiting import until

pytestmark = pytest.mark.skipif(
    "ROOKERY_TEST_BROKER" in os.environ or "ROOKERY_TEST_MOSQUITTO" in os.environ,
    reason="needs listeners with settings of its own",
)

MIB = 1 << 20
HALF_OPEN = 10_000
REPORTS: Settings = {"sys_topics.sys_msg_interval": "1s"}
BEHIND_BALANCER: Settings = {
    "access.anonymous": "everyone",  # a client through a balancer is not of this machine
    "listeners.tcp.behind.bind": f"{HOST}:0",
    "listeners.tcp.behind.proxy_protocol": "true",
    "listeners.tcp.behind.proxy_protocol_timeout": "1s",
    "listeners.tcp.behind.trusted_proxies": '["127.0.0.1"]',
}
V1 = b"PROXY TCP4 203.0.113.9 198.51.100.7 4711 1883\r\n"


def port_of(node: Node, listener: str) -> int:
    """Where a listener stands, as the node says when it starts."""
    pattern = re.compile(rf"{re.escape(HOST)}:(\d+) .*\({re.escape(listener)}\)")
    deadline = time.monotonic() + DEADLINE_S
    while True:
        for line in list(node.log):
            if found := pattern.search(line):
                return int(found[1])
        assert time.monotonic() < deadline, f"no {listener} in\n" + "\n".join(node.log)
        node.assert_served()  # its line may still be on the way here


def figure(node: Node, name: str, wanted: int) -> int:
    """A counter of the node once it is ``wanted`` at least."""
    filter_ = f"$SYS/brokers/+/metrics/{name.replace('.', '/')}"
    deadline = time.monotonic() + DEADLINE_S
    with node.connect(level=5) as watcher:
        watcher.subscribe(filter_)
        while True:
            value = int(watcher.receive().payload)
            if value >= wanted:
                return value
            assert time.monotonic() < deadline, f"{name} is {value}, not {wanted}"


@contextlib.contextmanager
def sockets(port: int, count: int) -> Iterator[list[socket.socket]]:
    """So many connections, made without waiting for one another."""
    made: list[socket.socket] = []
    try:
        for _ in range(count):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex((HOST, port))
            made.append(one)
        yield made
    finally:
        for one in made:
            one.close()


def trickle(waiting: Iterable[socket.socket], piece: bytes) -> None:
    """Send ``piece`` on each as soon as it stands; some may have been closed before."""
    with selectors.DefaultSelector() as selector:
        for one in waiting:
            selector.register(one, selectors.EVENT_WRITE)
        while selector.get_map():
            events = selector.select(DEADLINE_S)
            assert events, "connections that do not come about"
            for key, _ in events:
                ready = key.fileobj
                assert isinstance(ready, socket.socket)
                selector.unregister(ready)
                with contextlib.suppress(OSError):
                    ready.send(piece)


def await_closing(node: Node, waiting: Iterable[socket.socket]) -> None:
    """See the node close each, and serve others meanwhile."""
    deadline = time.monotonic() + DEADLINE_S
    with selectors.DefaultSelector() as selector:
        for one in waiting:
            selector.register(one, selectors.EVENT_READ)
        while selector.get_map():
            node.assert_served()
            for key, _ in selector.select(0.1):
                closed = key.fileobj
                assert isinstance(closed, socket.socket)
                with contextlib.suppress(ConnectionError):
                    if closed.recv(65_536):
                        continue
                selector.unregister(closed)
            assert time.monotonic() < deadline, f"{len(selector.get_map())} were not closed"


@pytest.fixture
def many_files() -> Iterator[None]:
    """As many descriptors as the system lets us have, for us and the node we start."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < HALF_OPEN + 1_000:
        pytest.skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_ten_thousand_half_open_connections(start_node: StartNode, many_files: None) -> None:
    node = start_node({**REPORTS, "mqtt.idle_timeout": "60s"})
    node.assert_served()
    before = node.memory()
    with sockets(node.port, HALF_OPEN):
        for _ in range(50):
            node.assert_served()
        until(lambda: met(node) >= HALF_OPEN - 100, "it has met them", shows=lambda: met(node))
        assert node.memory() - before < 100 * MIB
    node.assert_served()


def met(node: Node) -> int:
    """Half open connections that are there, and such that gave way; some are still to be accepted."""
    open_now = int(report(node, "stats", "unauthenticated.count"))
    evicted = int(report(node, "metrics", "overload_protection.evicted"))
    return open_now + evicted + int(report(node, "metrics", "overload_protection.unauthenticated"))


def report(node: Node, kind: str, name: str) -> str:
    """A figure of the next report."""
    with node.connect(level=5) as watcher:
        watcher.subscribe(f"$SYS/brokers/+/{kind}/{name.replace('.', '/')}")
        return watcher.receive().payload.decode()


def test_a_proxy_header_that_trickles_in(start_node: StartNode) -> None:
    node = start_node({**REPORTS, **BEHIND_BALANCER})
    port = port_of(node, "tcp:behind")
    with sockets(port, 200) as slow:
        # One byte at a time of what could be a header: the time for it does not start again.
        for byte in (b"P", b"R", b"O"):
            trickle(slow, byte)
        await_closing(node, slow)
    assert figure(node, "proxy_protocol.timeout", 200) == 200
    client = RawClient(HOST, port, 5)
    client.send_raw(V1)
    client.connect(Connect(fresh_name("c")))
    client.fence()


def test_what_is_no_proxy_header(start_node: StartNode) -> None:
    node = start_node({**REPORTS, **BEHIND_BALANCER})
    port = port_of(node, "tcp:behind")
    noise = random.Random(7)
    wrong = [
        Connect("direct").encode(5),
        b"PROXY TCP4 1.2.3.4\r\n",
        b"PROXY UNKNOWN " + b"x" * 200,
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\x00\x0c",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        *(bytes([0xFF]) + noise.randbytes(500) for _ in range(45)),
    ]
    for data in wrong:
        with socket.create_connection((HOST, port), timeout=DEADLINE_S) as one:
            with contextlib.suppress(OSError):
                one.sendall(data)
            with contextlib.suppress(ConnectionError):
                assert one.recv(1) == b""
    assert figure(node, "proxy_protocol.refused", len(wrong)) == len(wrong)
    node.assert_served()


def test_health_checks_are_no_failures(start_node: StartNode) -> None:
    node = start_node({**REPORTS, **BEHIND_BALANCER})
    port = port_of(node, "tcp:behind")
    lines = len(node.log)
    for _ in range(50):
        socket.create_connection((HOST, port), timeout=DEADLINE_S).close()
        with socket.create_connection((HOST, port), timeout=DEADLINE_S) as check:
            check.sendall(b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00")
    assert figure(node, "proxy_protocol.local", 50) == 50
    assert int(report(node, "metrics", "proxy_protocol.refused")) == 0
    assert int(report(node, "metrics", "packets.error")) == 0
    assert not [line for line in node.log[lines:] if "behind" in line]


def upgrade(path: str = "/mqtt", extra: str = "") -> bytes:
    key = base64.b64encode(bytes(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: mqtt\r\n{extra}\r\n"
    ).encode()


def answer(port: int, data: bytes) -> bytes:
    """All that the node says before it closes, or the head of an upgrade."""
    got = b""
    with socket.create_connection((HOST, port), timeout=DEADLINE_S) as one:
        with contextlib.suppress(OSError):
            one.sendall(data)
        with contextlib.suppress(ConnectionError):
            while piece := one.recv(65_536):
                got += piece
                if got.startswith(b"HTTP/1.1 101") and b"\r\n\r\n" in got:
                    break
    return got


def test_upgrades_that_are_none(start_node: StartNode) -> None:
    node = start_node(REPORTS)
    port = port_of(node, "ws:default")
    noise = random.Random(7)
    cases = [
        (upgrade("/other"), b"404"),
        (upgrade().replace(b"GET", b"PUT"), b"405"),
        (upgrade(extra=f"X-Long: {'x' * 10_000}\r\n"), b"431"),
        (upgrade(extra="".join(f"X-{n}: y\r\n" for n in range(100))), b"431"),
        (b"\x10\x0c\x00\x04MQTT\x05\x02\x00\x3c\x00\x00", b"400"),
        (b"\x16\x03\x01" + noise.randbytes(300), b"400"),
    ]
    for data, status in cases:
        assert answer(port, data).split(b" ")[1:2] == [status], data[:60]
    assert answer(port, upgrade()).startswith(b"HTTP/1.1 101")
    assert figure(node, "websocket.handshake.refused", len(cases)) == len(cases)
    node.assert_served()


def test_an_upgrade_that_trickles_in(start_node: StartNode) -> None:
    node = start_node({**REPORTS, "mqtt.idle_timeout": "1s"})
    before = node.memory()
    with sockets(port_of(node, "ws:default"), 200) as slow:
        trickle(slow, b"GET /mqtt HTTP/1.1\r\nX-Slow: ")
        await_closing(node, slow)
    assert node.memory() - before < 50 * MIB
    node.assert_served()


@pytest.fixture
def behind_tls(tmp_path: Path) -> Settings:
    """A TLS listener that does not wait long for a handshake."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    certfile, keyfile = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30"
    names = ["-out", str(certfile), "-keyout", str(keyfile)]
    words = [*command.split(), "-subj", "/CN=localhost", *names]
    subprocess.run(words, check=True, capture_output=True)
    return {
        "listeners.ssl.default.bind": f"{HOST}:0",
        "listeners.ssl.default.ssl_options.certfile": str(certfile),
        "listeners.ssl.default.ssl_options.keyfile": str(keyfile),
        "listeners.ssl.default.ssl_options.handshake_timeout": "1s",
    }


def test_half_handshakes(start_node: StartNode, behind_tls: Settings) -> None:
    node = start_node({**REPORTS, **behind_tls})
    port = port_of(node, "ssl:default")
    before = node.memory()
    with sockets(port, 300) as half:
        # The beginning of a ClientHello that goes no further.
        trickle(half, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32))
        await_closing(node, half)
    assert figure(node, "tls.handshake.timeout", 300) == 300
    assert node.memory() - before < 50 * MIB
    for data in (Connect("plain").encode(5), b"GET / HTTP/1.1\r\n\r\n", bytes(100)):
        with socket.create_connection((HOST, port), timeout=DEADLINE_S) as one:
            one.sendall(data)
            with contextlib.suppress(ConnectionError):
                while one.recv(4096):
                    pass  # the alert that says so
    assert figure(node, "tls.handshake.failed", 3) == 3


@pytest.mark.parametrize("listener", ["tcp:default", "ws:default", "tcp:behind"])
def test_noise_at_every_listener(shared_nodes: StartNode, listener: str) -> None:
    node = shared_nodes({**REPORTS, **BEHIND_BALANCER})
    port = port_of(node, listener)
    noise = random.Random(listener)
    for _ in range(300):
        with socket.create_connection((HOST, port), timeout=DEADLINE_S) as one:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):
                for _ in range(noise.randrange(1, 4)):
                    one.sendall(noise.randbytes(noise.randrange(1, 2_000)))
    node.assert_served()
    assert int(report(node, "metrics", "overload_protection.panics")) == 0


def test_a_fast_client_waits_and_loses_nothing(start_node: StartNode, topic: str) -> None:
    node = start_node(
        {
            **REPORTS,
            "listeners.tcp.default.messages_rate": "400/s",
            "listeners.tcp.default.messages_burst": "100/s",
        }
    )
    receiver, sender = node.connect(level=5), node.connect(level=5)
    receiver.subscribe(topic)
    sender.send(*[Publish(topic, b"%d" % n) for n in range(1_500)])
    for n in range(1_500):
        receiver.receive(topic, b"%d" % n)
    sender.fence()
    assert figure(node, "limiter.paused", 1) >= 1
