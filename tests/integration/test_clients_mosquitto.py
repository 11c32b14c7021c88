"""mosquitto_pub and mosquitto_sub, with 3.1, 3.1.1 and 5.0."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator

import pytest

from harness.client import DEADLINE_S
from harness.node import Node, fresh_name
from harness.statements import V311, statement

VERSIONS = {"v31": "mqttv31", "v311": "mqttv311", "v5": "mqttv5"}


@pytest.fixture(autouse=True)
def tools() -> None:
    """The two programs come from the package mosquitto-clients."""
    for name in ("mosquitto_pub", "mosquitto_sub"):
        assert shutil.which(name), f"{name} is missing: install mosquitto-clients"


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return VERSIONS[request.param]


def publish(node: Node, version: str, topic_name: str, *arguments: str) -> None:
    command = ["mosquitto_pub", "-h", node.host, "-p", str(node.port), "-V", version]
    subprocess.run([*command, "-t", topic_name, *arguments], check=True, timeout=DEADLINE_S)


class Subscriber:
    """A mosquitto_sub that ends by itself after ``count`` messages."""

    def __init__(self, node: Node, version: str, topic_filter: str, *arguments: str) -> None:
        # Into a pipe it would keep its lines back.
        command = [
            "stdbuf",
            "-oL",
            "mosquitto_sub",
            "-h",
            node.host,
            "-p",
            str(node.port),
            "-V",
            version,
            "-d",
        ]
        command += ["-t", topic_filter, "-F", "\x02%t %q %r %p", *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )
        self._found: list[str] = []
        self._is_ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self._is_ready.wait(DEADLINE_S)

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:  # with -d it tells when it is subscribed
                if line.startswith("\x02"):
                    self._found.append(line[1:].rstrip("\n"))
                if "Subscribed (" in line or line.startswith("\x02"):
                    self._is_ready.set()

    def messages(self) -> list[str]:
        """What it has printed by its end."""
        self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return self._found

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(DEADLINE_S)


@pytest.fixture
def subscribers() -> Iterator[list[Subscriber]]:
    opened: list[Subscriber] = []
    yield opened
    for item in opened:
        item.end()


@statement(V311, "MQTT-7.0.0-2")
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_publish_and_subscribe(
    node: Node, version: str, topic: str, qos: str, subscribers: list[Subscriber]
) -> None:
    subscriber = Subscriber(node, version, f"{topic}/+", "-q", qos, "-C", "2")
    subscribers.append(subscriber)
    publish(node, version, f"{topic}/a", "-q", qos, "-m", "hello")
    publish(node, version, f"{topic}/b", "-q", qos, "-m", "温度")
    assert subscriber.messages() == [f"{topic}/a {qos} 0 hello", f"{topic}/b {qos} 0 温度"]


def test_retained(node: Node, version: str, topic: str, subscribers: list[Subscriber]) -> None:
    publish(node, version, topic, "-q", "1", "-r", "-m", "kept")
    subscriber = Subscriber(node, version, topic, "-q", "1", "-C", "1")
    subscribers.append(subscriber)
    assert subscriber.messages() == [f"{topic} 1 1 kept"]
    publish(node, version, topic, "-r", "-n")
    client = node.connect(level=5)
    client.subscribe(topic)
    client.expect_nothing()


def test_session_resume(
    node: Node, version: str, topic: str, subscribers: list[Subscriber]
) -> None:
    client_id = fresh_name("sub")[-23:]
    durable = ["-i", client_id, "-c", "-q", "1"]
    durable += ["-x", "60"] if version == "mqttv5" else []
    first = Subscriber(node, version, topic, *durable, "-E")
    subscribers.append(first)
    assert first.messages() == []
    for index in range(5):
        publish(node, version, topic, "-q", "1", "-m", str(index))
    second = Subscriber(node, version, topic, *durable, "-C", "5")
    subscribers.append(second)
    assert second.messages() == [f"{topic} 1 0 {index}" for index in range(5)]


def test_will(node: Node, version: str, topic: str, subscribers: list[Subscriber]) -> None:
    watcher = node.connect(level=5)
    watcher.subscribe(f"{topic}/will", qos=1)
    will = ["--will-topic", f"{topic}/will", "--will-payload", "lost", "--will-qos", "1"]
    dying = Subscriber(node, version, topic, *will)
    subscribers.append(dying)
    dying.process.kill()
    watcher.receive(f"{topic}/will", b"lost", qos=1)


def test_request_and_response(node: Node, topic: str) -> None:
    responder = node.connect(level=5)
    responder.subscribe(topic, qos=1)
    command = ["mosquitto_rr", "-h", node.host, "-p", str(node.port), "-V", "mqttv5", "-q", "1"]
    command += ["-t", topic, "-e", f"{topic}/reply", "-m", "question"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as requester:
        question = responder.receive(topic, b"question")
        assert question.properties["response_topic"] == f"{topic}/reply"
        responder.publish(f"{topic}/reply", b"answer", qos=1)
        output, _ = requester.communicate(timeout=DEADLINE_S)
    assert output.strip() == "answer"
