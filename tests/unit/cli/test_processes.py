"""Whose process it is, told by locks and open files and never by its number alone."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rookery.cli.processes import (
    LOCK_FILE,
    ForeignProcessError,
    NodeProcess,
    held_sockets,
    port_holder,
)

HOLD_LOCK = """
import fcntl, os, signal, sys
lock = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(lock, fcntl.LOCK_EX)
os.ftruncate(lock, 0)
os.pwrite(lock, (sys.argv[2] if len(sys.argv) > 2 else str(os.getpid())).encode(), 0)
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("held", flush=True)
signal.pause()
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / LOCK_FILE).parent.mkdir()
    return tmp_path


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def hold(started: list[subprocess.Popen[str]], data_dir: Path, *more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_LOCK, str(data_dir / LOCK_FILE), *more],
        stdout=subprocess.PIPE,
        text=True,
    )
    started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def find(data_dir: Path) -> NodeProcess:
    found = NodeProcess.find(data_dir)
    assert found is not None
    return found


def test_without_a_lock_file_nothing_runs(tmp_path: Path) -> None:
    assert NodeProcess.find(tmp_path) is None


def test_a_lock_file_that_nobody_holds_means_nothing(data_dir: Path) -> None:
    # Left by a node that was killed; its number may be somebody else's now.
    (data_dir / LOCK_FILE).write_text(f"{os.getpid()}\n")
    assert NodeProcess.find(data_dir) is None


def test_the_process_that_holds_the_lock_is_found_and_ended(
    data_dir: Path, started: list[subprocess.Popen[str]]
) -> None:
    process = hold(started, data_dir)
    found = find(data_dir)
    assert found.pid == process.pid
    assert not found.has_ended(0)
    found.signal(signal.SIGTERM)
    assert found.has_ended(10)
    found.signal(signal.SIGTERM)  # too late is no error
    found.close()
    assert process.wait(10) == -signal.SIGTERM
    assert NodeProcess.find(data_dir) is None


def test_a_suspended_process_is_seen_to_be_so(
    data_dir: Path, started: list[subprocess.Popen[str]]
) -> None:
    process = hold(started, data_dir)
    found = find(data_dir)
    was_suspended = found.is_suspended
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert (was_suspended, found.is_suspended) == (False, True)
    found.signal(signal.SIGTERM)
    found.signal(signal.SIGCONT)
    assert found.has_ended(10)
    found.close()


def test_a_process_that_does_not_hold_the_lock_is_never_touched(
    data_dir: Path, started: list[subprocess.Popen[str]]
) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], text=True)
    started.append(bystander)
    hold(started, data_dir, str(bystander.pid))
    with pytest.raises(ForeignProcessError):
        NodeProcess.find(data_dir)
    assert bystander.poll() is None


@pytest.mark.parametrize("content", ["", "nonsense", "-1", "0", "99999999"])
def test_a_held_lock_with_a_senseless_number_is_nobodys(
    data_dir: Path, started: list[subprocess.Popen[str]], content: str
) -> None:
    process = hold(started, data_dir)
    (data_dir / LOCK_FILE).write_text(content)
    with pytest.raises(ForeignProcessError):
        NodeProcess.find(data_dir)
    assert process.poll() is None


def test_looking_does_not_take_the_lock(data_dir: Path) -> None:
    (data_dir / LOCK_FILE).touch()
    assert NodeProcess.find(data_dir) is None
    with (data_dir / LOCK_FILE).open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(
    ("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_the_holder_of_a_port_is_named(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as sock:
        try:
            sock.bind((host, 0))
        except OSError:
            pytest.skip(f"no {host} here")
        sock.listen()
        holder = port_holder(sock.getsockname()[1])
    assert holder is not None
    assert holder[1] == os.getpid()


def test_a_free_port_has_no_holder() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        # Bound, but nobody listens.
        assert port_holder(port) is None


def test_the_sockets_that_a_process_holds_are_found(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with (
        socket.create_server(("127.0.0.1", 0)) as plain,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as six,
        socket.socket(socket.AF_UNIX) as local,
        socket.socket() as bound_only,
    ):
        local.bind(path)
        local.listen()
        bound_only.bind(("127.0.0.1", 0))
        held = held_sockets(os.getpid())
        assert held is not None
        here = {f"127.0.0.1:{plain.getsockname()[1]}", f"[::1]:{six.getsockname()[1]}", path}
        assert here <= set(held)
        assert f"127.0.0.1:{bound_only.getsockname()[1]}" not in held


def test_a_process_that_has_ended_holds_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert held_sockets(process.pid) is None
