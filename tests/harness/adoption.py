"""A cluster that is adopted the way people do it: by the very commands that control prints.

async with changes(asker, token, path) as told:          # what the console is told
    await told.until("cluster", lambda row: row["state"] == "running")
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from harness.client import DEADLINE_S
from harness.control import Asker
from rookery.agent import process
from rookery.agent.places import place_of
from rookery.agent.secret_file import SecretFile


@dataclass
class Project:
    """A project of a control plane, and somebody who may do everything in it."""

    asker: Asker
    token: str
    org: str
    id: str

    @property
    def path(self) -> str:
        return f"/orgs/{self.org}/projects/{self.id}/clusters"

    async def ask(self, method: str, path: str = "", body: Any = None) -> Any:
        """``path`` begins after ``/clusters``; what is answered, which has to be good."""
        answer = await self.asker.ask(method, self.path + path, body, token=self.token)
        assert answer.status < 300, (method, path, answer.status, answer.text)
        return answer.json if answer.text else None

    async def problem(self, method: str, path: str = "", body: Any = None) -> tuple[int, str]:
        """Status and code of what is refused."""
        answer = await self.asker.ask(method, self.path + path, body, token=self.token)
        return answer.problem


async def project(asker: Asker, token: str, name: str = "plant") -> Project:
    """A project of its own."""
    org = await asker.ask("POST", "/orgs", {"name": f"{name} org"}, token=token)
    made = await asker.ask("POST", f"/orgs/{org.json['id']}/projects", {"name": name}, token=token)
    return Project(asker, token, org.json["id"], made.json["id"])


class Told:
    """What a page is told, as it is told."""

    def __init__(self, lines: aiohttp.StreamReader) -> None:
        self._lines = lines

    async def next(self) -> tuple[str, Any]:
        """An event and its data."""
        event = ""
        while True:
            line = (await self._lines.readline()).decode().rstrip("\n")
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return event, json.loads(line.removeprefix("data: "))
            elif not line and self._lines.at_eof():
                raise AssertionError("the stream ended")

    async def until(self, event: str, is_it: Callable[[Any], object]) -> Any:
        """The data of the first such event that is it."""
        last = None
        try:
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    kind, data = await self.next()
                    if kind == event:
                        last = data
                        if is_it(data):
                            return data
        except TimeoutError:
            raise AssertionError(f"not told in time; last: {last}") from None


@contextlib.asynccontextmanager
async def changes(of: Project) -> AsyncIterator[Told]:
    """What is told of a project's clusters inside the block."""
    async with of.asker.client.get(
        f"{of.asker.url}/api{of.path}/events",
        headers={"authorization": f"Bearer {of.token}"},
        timeout=aiohttp.ClientTimeout(None, sock_connect=DEADLINE_S),
    ) as answer:
        assert answer.status == 200, await answer.text()
        assert (await answer.content.readline()).startswith(b":")
        yield Told(answer.content)


class AgentHost:
    """A machine on which commands are pasted into a shell."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.home = folder / "agent"

    def run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Paste a command."""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "LANG": "C.UTF-8",
                "ROOKERY_AGENT_HOME": str(self.home),
            },
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
        return done

    def agent(self, verb: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A verb of the downloaded agent."""
        return self.run(f"python3 rookery-agent.pyz {verb}", check=check)

    @property
    def pid(self) -> int:
        """Of the running agent."""
        found = process.running(place_of(str(self.home)).lock_file)
        assert found is not None, "no agent runs"
        return found

    def kill(self) -> None:
        """The agent dies without a chance to do anything."""
        os.kill(self.pid, signal.SIGKILL)

    def wait_until_removed(self) -> None:
        """The agent has learnt that it was removed, and has forgotten its credentials."""
        log = place_of(str(self.home)).log_file
        awaited, told = ["removed this agent", "not registered; waiting"], []
        follow = ["timeout", str(DEADLINE_S), "tail", "-n", "+1", "-f", str(log)]
        with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as lines:
            assert lines.stdout is not None
            for line in lines.stdout:
                told.append(line)
                if awaited[0] in line:
                    awaited.pop(0)
                if not awaited:
                    break
            lines.terminate()
        assert not awaited, "".join(told)
        assert not self.is_registered
        log.write_text("")

    @property
    def is_registered(self) -> bool:
        """Whether it holds a credential."""
        place = place_of(str(self.home))
        return bool(SecretFile(place.secrets_file, place.key_file).read().get("token"))

    def stop(self) -> None:
        """Whatever runs here ends."""
        if (self.folder / "rookery-agent.pyz").exists():
            self.agent("stop", check=False)


def filled(command: str, values: Mapping[str, str]) -> str:
    """A command as the page shows it: with what was typed in, quoted for the shell."""
    for name, value in values.items():
        command = command.replace(f"${{{name}}}", shlex.quote(value))
    return command


async def commands(
    of: Project, cluster: str, values: Mapping[str, str], *, insecure: bool = False
) -> list[str]:
    """The commands of the page, filled in: one of each step."""
    shown = await of.ask("GET", f"/{cluster}/setup-instructions?platform=python")
    known = {item["name"]: item["default"] for item in shown["parameters"]}
    found = []
    for step in shown["steps"]:
        marked = [item for item in step["commands"] if item["isInsecure"] == insecure]
        chosen = (marked or step["commands"])[0]
        found.append(filled(chosen["text"], {**known, **values}))
    return found
