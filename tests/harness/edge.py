"""An edge service of a test's own: in this process on real sockets, or the real command.

async with edge_world(tmp_path) as world:       # in this process
    admin = await world.first_visit()           # chooses the password: a token
    answer = await world.ask("GET", "/neuron/node", token=admin)
    world.edge.service …                        # the services themselves
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import IO, Any

import aiohttp

from harness import role_command
from harness.client import DEADLINE_S
from harness.control import Asker
from rookery.access import own_certificates
from rookery.clock import Clock, SystemClock
from rookery.config.edge import load_edge
from rookery.edge.context import EdgeContext
from rookery.edge.rest.app import make_site
from rookery.edge.serving import opened
from rookery.edge.system.log_lines import LogLines
from rookery.web.line_journal import Journal
from rookery.web.server import WebServer
from rookery.web.sockets import address_of, open_http

ADMIN = "admin"
PASSWORD = "plant-7-north"
_READY = re.compile(r"ready on (\S+)")


class EdgeAsker(Asker):
    """Asks ``/api`` of an edge service."""

    async def sign_in(self, name: str = ADMIN, password: str = PASSWORD) -> str:
        answer = await self.ask("POST", "/login", {"name": name, "pass": password})
        assert answer.status == 200, answer.text
        token: str = answer.json["token"]
        return token

    async def first_visit(self) -> str:
        """Choose the administrator's password."""
        token = await self.sign_in(ADMIN, "0000")
        given = {"old_pass": "0000", "new_pass": PASSWORD}
        answer = await self.ask("POST", "/password", given, token=token)
        assert answer.status == 200, answer.text
        return str(answer.json["token"])

    async def did(self, token: str, method: str, path: str, body: Any = None) -> Any:
        """It was done: the answer."""
        answer = await self.ask(method, path, body, token=token)
        assert answer.status == 200, answer.text
        return answer.json


class EdgeWorld(EdgeAsker):
    """An edge service in this process."""

    def __init__(self, edge: EdgeContext, url: str, client: aiohttp.ClientSession) -> None:
        super().__init__(url, client)
        self.edge = edge


@contextlib.asynccontextmanager
async def edge_world(
    data_dir: Path, *, clock: Clock | None = None, sets: Sequence[str] = ()
) -> AsyncIterator[EdgeWorld]:
    """Serve it on a free port until the block ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    config = load_edge(None, data_dir, ["edge.bind=127.0.0.1:0", *sets], environ={})
    lines = LogLines()
    with Journal("info", None, [lines]):
        async with opened(config, clock or SystemClock(), lines) as edge:
            sock = open_http(config.host, config.port, "edge")
            files = own_certificates.prepare(config)
            server = WebServer(
                make_site(edge), [sock], connections_max=64, tls=files.context(), plain_too=True
            )
            server.open()
            try:
                async with aiohttp.ClientSession() as client:
                    yield EdgeWorld(edge, f"http://{address_of(sock)}", client)
            finally:
                await server.close()


class EdgeProcess:
    """``rookery edge start``, as a user has it."""

    def __init__(self, data_dir: Path, *arguments: str, prefix: Sequence[str] = ()) -> None:
        """``prefix`` stands before the command."""
        self.data_dir = data_dir
        self.arguments = arguments
        self.prefix = prefix
        self.address = ""
        self.log: list[str] = []
        self._process: role_command.Process | None = None
        self._follower: threading.Thread | None = None
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def start(self) -> None:
        """Start it and wait until it accepts requests."""
        self._ready.clear()
        settings = ("--set", "edge.bind=127.0.0.1:0", *self.arguments)
        self._process = role_command.start(
            ["edge", "start", "--data-dir", str(self.data_dir), *settings],
            {**os.environ, "ROOKERY_LANG": "en"},
            self.prefix,
        )
        assert self._process.stdout is not None
        self._follower = threading.Thread(target=self._follow, args=[self._process.stdout])
        self._follower.start()
        if not self._ready.wait(DEADLINE_S) or not self.address:
            self.kill()
            raise AssertionError("\n".join(self.log))

    def _follow(self, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.log.append(line.rstrip("\n"))
                if found := _READY.search(line):
                    self.address = found[1]
                if "  Pages " in line:
                    self._ready.set()
        self._ready.set()

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """It dies without a chance to do anything."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        code = process.wait(DEADLINE_S)
        assert self._follower is not None
        self._follower.join(DEADLINE_S)
        return code
