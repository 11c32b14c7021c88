"""Runs the agent's commands as a person does."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from harness.client import DEADLINE_S
from harness.node import ROOT
from harness.rest_node import ADMIN, PASSWORD, RestNode
from harness.stand_in_control import REGISTRATION_TOKEN, StandInControl


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


class AgentCommand:
    """``rookery agent`` with a folder of its own."""

    def __init__(self, home: Path, program: tuple[str, ...] = ()) -> None:
        self.home = home
        cli = os.environ.get("ROOKERY_TEST_CLI", str(ROOT / ".venv/bin/rookery"))
        self._program = program or (cli, "agent")

    def __call__(self, *words: str, password: str = PASSWORD, language: str = "en") -> Done:
        done = subprocess.run(
            [*self._program, words[0], "--home", str(self.home), *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
            stdin=subprocess.DEVNULL,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home.parent),
                "ROOKERY_LANG": language,
                "EMQX_DASHBOARD_PASSWORD": password,
            },
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def register(
        self, control: StandInControl, api_url: str, *more: str, password: str = PASSWORD
    ) -> Done:
        return self(
            "register",
            *("--url", control.url, "--registration-token", REGISTRATION_TOKEN),
            *("--emqx-dashboard-username", ADMIN, "--emqx-dashboard-url", api_url),
            *more,
            password=password,
        )


def api_url(node: RestNode) -> str:
    return f"http://127.0.0.1:{node.port()}"
