"""What tests start is what a user has, though most of it is forked from a process that is warm."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from harness import role_command
from harness.client import DEADLINE_S
from harness.members import runs
from harness.node import HOST, Node
from harness.waiting import until


@pytest.fixture
def forked(tmp_path: Path) -> Node:
    """A node that is not the first."""
    first = Node(tmp_path, {})
    if not role_command.was_started("node"):
        first.start()
        first.stop()
    first.start()
    return first


def test_it_serves_and_ends_as_the_command_does(forked: Node) -> None:
    process = forked._process
    assert isinstance(process, role_command.Fork)
    assert process.poll() is None
    forked.assert_served()
    forked.stop()
    assert process.poll() == 0
    assert any("stopped" in line for line in forked.log)


def test_a_kill_is_seen_as_one(forked: Node) -> None:
    process = forked._process
    assert process is not None
    forked.kill9()
    assert process.wait(0) == -signal.SIGKILL


def test_what_is_wrong_is_said_and_is_the_exit_code(forked: Node, tmp_path: Path) -> None:
    process = role_command.start(["node", "start", "--data-dir", str(tmp_path)])
    assert process.stdout is not None
    with process.stdout as lines:
        said = lines.read()
    assert process.wait(DEADLINE_S) == 1
    assert "in use" in said or "runs" in said, said
    forked.stop()


def test_who_asked_takes_along_what_was_forked(tmp_path: Path) -> None:
    warm = role_command._Warm()
    listeners = ("listeners.tcp.default", "listeners.ws.default", "dashboard.listeners.http")
    ports = (part for name in listeners for part in ("--set", f"{name}.bind={HOST}:0"))
    fork = warm.start(["node", "start", "--data-dir", str(tmp_path), *ports], os.environ)
    assert fork.stdout is not None
    assert "listening" in fork.stdout.readline()
    orders = warm._orders
    assert orders is not None
    orders.shutdown(socket.SHUT_RDWR)
    assert fork.wait(DEADLINE_S) == -signal.SIGKILL
    until(lambda: not runs(fork.pid), "the node has ended")
    fork.stdout.close()
