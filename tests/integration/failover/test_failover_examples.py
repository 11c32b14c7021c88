"""The examples of clients with an address list do what the guide says."""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.client import DEADLINE_S
from harness.foreign import MQTTJS
from harness.node import ROOT, Node, StartNode
from harness.packets import Ack
from harness.waiting import until

EXAMPLES = ROOT / "examples" / "failover"


class Example:
    """A running example and the lines that it prints."""

    def __init__(self, command: list[str], cwd: Path) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd
        )
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._lines.put(line.strip())

    def await_line(self, beginning: str) -> str:
        """The next line that begins so; lines before it are passed over."""
        seen: list[str] = []
        while True:
            try:
                line = self._lines.get(timeout=DEADLINE_S)
            except queue.Empty:
                raise AssertionError(f"no {beginning!r} after {seen}") from None
            if line.startswith(beginning):
                return line
            seen.append(line)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


StartExample = Callable[[str, list[Node]], Example]


@pytest.fixture
def start_example(tmp_path: Path) -> Iterator[StartExample]:
    started: list[Example] = []

    def start(name: str, nodes: list[Node]) -> Example:
        addresses = [f"{node.host}:{node.port}" for node in nodes]
        program = EXAMPLES / name
        if name.endswith(".mjs"):
            # Modules are looked for beside the program.
            program = Path(shutil.copy(program, tmp_path))
            (tmp_path / "node_modules").symlink_to(MQTTJS / "node_modules")
            command = ["node", str(program), *addresses]
        else:
            command = [sys.executable, str(program), *addresses]
        started.append(Example(command, tmp_path))
        return started[-1]

    yield start
    for example in started:
        example.stop()


def node_of(line: str, nodes: list[Node]) -> Node:
    port = int(line.rpartition(":")[2])
    return next(node for node in nodes if node.port == port)


def is_matched(ack: Ack | None) -> bool:
    """Whether somebody was subscribed: else the code is 0x10 (No matching subscribers)."""
    return ack is not None and ack.reason_code == 0


@pytest.mark.parametrize("name", ["paho_client.py", "aiomqtt_client.py", "mqttjs_client.mjs"])
def test_it_goes_to_the_next_address(
    name: str, start_example: StartExample, start_node: StartNode
) -> None:
    nodes = [start_node(), start_node()]
    example = start_example(name, nodes)
    first = node_of(example.await_line("connected to"), nodes)

    first.kill9()
    other = node_of(example.await_line("connected to"), nodes)

    assert other is not first
    with other.connect(level=5) as publisher:
        # The example says that it is connected before the node has its subscription.
        until(lambda: is_matched(publisher.publish("demo/hello", b"again", qos=1)), "it subscribes")
    assert example.await_line("received") == "received demo/hello again"


@pytest.mark.parametrize("name", ["paho_client.py", "aiomqtt_client.py", "mqttjs_client.mjs"])
def test_it_passes_over_an_address_where_nobody_is(
    name: str, start_example: StartExample, start_node: StartNode
) -> None:
    nodes = [start_node(), start_node()]
    nodes[0].kill9()
    example = start_example(name, nodes)

    assert node_of(example.await_line("connected to"), nodes) is nodes[1]
