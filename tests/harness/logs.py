"""Logs of a project, asked for; and batches as an agent sends them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp

from harness.adoption import Project, Told
from harness.client import DEADLINE_S
from rookery.contracts.agent_logs import LogEntry, pack
from rookery.contracts.agent_v1 import LogBatch


def batch(number: int, *entries: LogEntry, stream: str = "s1", file: str = "emqx.log") -> LogBatch:
    """Records as they travel."""
    body = pack(entry.line() for entry in entries)
    return LogBatch(f"boot-{number}", stream, file, node="emqx@127.0.0.1", body=body)


def path_of(of: Project, more: str = "", **query: Any) -> str:
    """Below ``/api``."""
    asked = f"?{urlencode(query, doseq=True)}" if query else ""
    return f"/orgs/{of.org}/projects/{of.id}/logs{more}{asked}"


async def logs(of: Project, **query: Any) -> list[dict[str, Any]]:
    """Records that are found, the newest first."""
    answer = await of.asker.ask("GET", path_of(of, **query), token=of.token)
    assert answer.status == 200, answer.text
    items: list[dict[str, Any]] = answer.json["items"]
    return items


async def all_logs(of: Project, **query: Any) -> list[dict[str, Any]]:
    """All of them, part by part."""
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        answer = await of.asker.ask("GET", path_of(of, size=100, **after, **query), token=of.token)
        assert answer.status == 200, answer.text
        found += answer.json["items"]
        if answer.json["nextCursor"] is None:
            return found
        after = {"after": answer.json["nextCursor"]}


@contextlib.asynccontextmanager
async def following(of: Project, **query: Any) -> AsyncIterator[Told]:
    """What comes in inside the block."""
    async with of.asker.client.get(
        f"{of.asker.url}/api{path_of(of, '/live', **query)}",
        headers={"authorization": f"Bearer {of.token}"},
        timeout=aiohttp.ClientTimeout(None, sock_connect=DEADLINE_S),
    ) as answer:
        assert answer.status == 200, await answer.text()
        assert (await answer.content.readline()).startswith(b":")
        yield Told(answer.content)


async def until_found(of: Project, told: Told, raw: str) -> dict[str, Any]:
    """The record with that text, when it comes in."""
    row: dict[str, Any] = await told.until("record", lambda row: raw in row["raw"])
    # What is told can be found.
    async with asyncio.timeout(DEADLINE_S):
        assert any(raw in one["raw"] for one in await all_logs(of))
    return row
