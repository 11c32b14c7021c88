"""Waiting for what a backend of access control says about itself."""

from __future__ import annotations

import asyncio

from harness.client import DEADLINE_S
from rookery.access.health import Health, State


async def until(health: Health, state: State) -> str:
    """Wait for a state; the reason in both languages."""
    changed = asyncio.Event()
    health.on_change(changed.set)
    while health.state != state:
        changed.clear()
        async with asyncio.timeout(DEADLINE_S):
            await changed.wait()
    return "" if health.reason is None else " ".join(health.reason)
