"""Who has not installed an extra can still see every type, and is told what to install."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.connector_manager import managed
from rookery.connectors.status import State

PROGRAM = """
import sys
sys.modules["{package}"] = None  # as if it were not installed
from rookery.connectors.registry import connector_type, parse_connector
from rookery.connectors.schema import schema_of
from rookery.connectors.base import Context
from rookery.access.errors import SettingError
from pathlib import Path
kind = connector_type("{name}")
assert schema_of(kind, "connector") and schema_of(kind, "action")
settings = parse_connector("{name}", {settings!r})
try:
    kind.open(settings, Context(id="{name}:x", node="n", data_dir=Path("/nonexistent")))
except SettingError as error:
    print(error)
"""
SETTINGS = {
    "pgsql": ("asyncpg", {"server": "h", "database": "d", "username": "u"}),
    "redis": ("redis", {"parameters": {"redis_type": "single", "server": "h"}}),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_types_are_there_without_their_client_library(name: str) -> None:
    package, settings = SETTINGS[name]
    program = PROGRAM.format(name=name, package=package, settings=settings)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    extra = "postgres" if name == "pgsql" else name
    assert f"package {package} is missing; install rookery[{extra}]" in done.stdout


async def test_a_node_runs_without_the_library_of_a_connector_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    async with managed(tmp_path) as run:
        await run.apply(
            {"pgsql:db": {"server": "h", "database": "d", "username": "u"}},
            {"pgsql:row": {"connector": "db", "parameters": {"sql": "SELECT 1"}}},
        )
        await run.until("action", "pgsql:row", State.DISCONNECTED)
        status = await run.manager.settled("connector", "pgsql:db")
        assert status.reason is not None
        assert status.reason.en.endswith("need a package: install rookery[postgres]")
        assert status.reason.zh.endswith("请安装 rookery[postgres]")
