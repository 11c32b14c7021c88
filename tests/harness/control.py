"""A control plane of a test's own: in this process on real sockets, or the real command.

async with control_world(tmp_path) as world:      # in this process
    admin = await world.set_up()                  # the wizard, then signed in: a token
    answer = await world.ask("GET", "/orgs", token=admin)
    world.control.tenancy …                       # the services themselves
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import aiohttp
from starlette.types import ASGIApp

from harness import role_command
from harness.client import DEADLINE_S
from harness.last_words import listen
from rookery.access import own_certificates as certificates
from rookery.agent import bundle
from rookery.clock import Clock, SystemClock
from rookery.config.control import load_control
from rookery.control.agents.downloads import AgentFile
from rookery.control.assembly import DATABASE_FILE, make, opened
from rookery.control.context import ControlContext
from rookery.control.rest.app import make_api, make_site
from rookery.storage.database import Database
from rookery.storage.engine import url_of
from rookery.web.server import WebServer
from rookery.web.sockets import address_of, open_http

ADMIN = "ada@example.com"
PASSWORD = "Correct-horse-9"
FREE_PORTS = (
    "control.bind=127.0.0.1:0",
    "control.relay.tcp=127.0.0.1:0",
    "control.relay.tls=127.0.0.1:0",
)
_READY = re.compile(r"ready on (\S+),")
_CODE = re.compile(r"\b([0-9a-f]{20})\b")


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def problem(self) -> tuple[int, str]:
        """Status and error code."""
        return self.status, self.json["code"]


class Asker:
    """Asks ``/api`` at an address."""

    def __init__(self, url: str, client: aiohttp.ClientSession) -> None:
        self.url = url
        self.client = client

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """``body`` is sent as JSON; ``path`` begins after ``/api``."""
        sent = dict(headers or {})
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        async with self.client.request(
            method,
            f"{self.url}/api{path}",
            json=body,
            headers=sent,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(DEADLINE_S),
        ) as answer:
            return Answer(answer.status, answer.headers, await answer.text())

    async def sign_in(self, email: str = ADMIN, password: str = PASSWORD) -> str:
        """The access token."""
        answer = await self.ask("POST", "/login", {"email": email, "password": password})
        assert answer.status == 200, answer.text
        token: str = answer.json["accessToken"]
        return token

    async def make(self, token: str, path: str, body: Any) -> str:
        """Make something; its id."""
        answer = await self.ask("POST", path, body, token=token)
        assert answer.status in (201, 204), answer.text
        found = answer.json if answer.text else {}
        return str(found.get("id") or found.get("userId") or "")

    async def set_up(self, code: str | None = None) -> str:
        """Make the first administrator; the access token of that one."""
        given = {"email": ADMIN, "password": PASSWORD, "accessAddress": "https://127.0.0.1:8082"}
        answer = await self.ask("POST", "/setup", {**given, "code": code})
        assert answer.status == 204, answer.text
        return await self.sign_in()


class World(Asker):
    """A control plane in this process."""

    def __init__(self, control: ControlContext, url: str, client: aiohttp.ClientSession) -> None:
        super().__init__(url, client)
        self.control = control


class _Later:
    """Stands for one control plane after the other."""

    control: ControlContext

    def __getattr__(self, name: str) -> Any:
        return getattr(self.control, name)


_apis: list[tuple[_Later, ASGIApp]] = []
"""Applications of control planes that are over.

Making some hundred operations takes half a second of processor time, and nothing in them is of one
control plane: routers do nothing with it before they are asked.
"""


@contextlib.contextmanager
def _api_of(control: ControlContext) -> Iterator[ASGIApp]:
    """What answers ``/api`` of it."""
    if _apis:
        later, api = _apis.pop()
    else:
        later = _Later()
        api = make_api(cast("ControlContext", later))
    later.control = control
    try:
        yield api
    finally:
        _apis.append((later, api))


@cache
def _tables() -> Path:
    """A database in which nothing is but the tables, for the time of the process."""
    folder = tempfile.TemporaryDirectory(prefix="rookery-test-")
    atexit.register(folder.cleanup)
    file = Path(folder.name) / DATABASE_FILE

    async def make_tables() -> None:
        database = Database(url_of("", file))
        await database.open()
        await database.close()

    with ThreadPoolExecutor(1) as thread:  # here a loop may run
        thread.submit(asyncio.run, make_tables()).result()
    return file


def with_tables(data_dir: Path) -> None:
    """A directory that is new has the tables already: making them takes longer than all other of a start.

    That a start makes them is what the first control plane of a run and the tests of the database see.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    if not (data_dir / DATABASE_FILE).exists():
        shutil.copy(_tables(), data_dir)


@contextlib.asynccontextmanager
async def control_world(
    data_dir: Path, *, clock: Clock | None = None, sets: Sequence[str] = ()
) -> AsyncIterator[World]:
    """Serve it on a free port until the block ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    if not any(text.startswith("control.database=") for text in sets):
        with_tables(data_dir)
    config = load_control(None, data_dir, [*FREE_PORTS, *sets], environ={})
    control = make(
        config,
        clock or SystemClock(),
        certificates.prepare(config),
        agent_file=AgentFile(bundle.build, bundle.install_script),
    )
    async with opened(control):
        sock = open_http(config.host, config.port, "control")
        with _api_of(control) as api:
            server = WebServer(
                make_site(control, api),
                [sock],
                connections_max=256,
                tls=control.server_certificate.context(),
                plain_too=True,
            )
            server.open()
            try:
                async with aiohttp.ClientSession() as client:
                    yield World(control, f"http://{address_of(sock)}", client)
            finally:
                await server.close()


class ControlProcess:
    """``rookery control start``, as a user has it."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        self.data_dir = data_dir
        self.arguments = arguments
        self.address = ""
        self.setup_code = ""
        self.log: list[str] = []
        self._process: role_command.Process | None = None
        self._follower: threading.Thread | None = None
        self._ready = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it accepts requests."""
        self._ready.clear()
        if role_command.was_started("control") and "--database" not in self.arguments:
            with_tables(self.data_dir)
        ports = (part for item in FREE_PORTS for part in ("--set", item))
        self._process = role_command.start(
            ["control", "start", "--data-dir", str(self.data_dir), *ports, *self.arguments],
            {**os.environ, "ROOKERY_LANG": "en"},
        )
        assert self._process.stdout is not None
        listen(self)
        self._follower = threading.Thread(target=self._follow, args=[self._process.stdout])
        self._follower.start()
        if not self._ready.wait(DEADLINE_S) or not self.address:
            self.kill()
            raise AssertionError("\n".join(self.log))

    def _follow(self, stream: IO[str]) -> None:
        with stream:
            self._read(stream)
        self._ready.set()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self.log.append(line.rstrip("\n"))
            if found := _READY.search(line):
                self.address = found[1]
            if "set-up code" in line and (found := _CODE.search(line)):
                self.setup_code = found[1]
            if "Console" in line:
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
        assert process.stdout is not None
        process.stdout.close()
        return code
