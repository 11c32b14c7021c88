"""A server that goes away under traffic and comes back: what every sink has to live through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from harness.connector_manager import Managed
from harness.databases import Server
from rookery.connectors.status import State

CLIENTS = 5
SENT_MAX = 240
"""Messages of each client until the server is away: some take long to go, and as long to catch up."""
CHECKED_OFTEN = {"resource_opts": {"health_check_interval": "500ms"}}
"""Settings of a connector."""
WAITING = {
    "resource_opts": {
        "request_ttl": "infinity",
        "retry_interval": "500ms",
        "health_check_interval": "500ms",
        "batch_size": 7,
    }
}
"""Settings of an action that promises everything, and tries often."""

Row = Callable[[str, int], Mapping[str, Any]]
"""What a rule makes of a client's message of that number."""


async def live_through_outage(it: Managed, action_id: str, server: Server, row: Row) -> list[int]:
    """Offer messages before, during and after; returns the numbers that each client sent."""
    connector_id = f"{action_id.partition(':')[0]}:test"
    sent = 0

    async def offer(count: int) -> None:
        nonlocal sent
        for _ in range(count):
            for client in range(CLIENTS):
                it.offer(action_id, row(f"c{client}", sent), client + 1)
            sent += 1
            await asyncio.sleep(0)

    await it.until("action", action_id, State.CONNECTED)
    await offer(40)
    stopping = asyncio.create_task(asyncio.to_thread(server.stop))
    while not stopping.done():
        if sent < SENT_MAX:
            await offer(1)
        await it.until_counted(action_id)  # they add up
        await asyncio.sleep(0.01)
    await stopping
    await it.until("connector", connector_id, State.DISCONNECTED)
    await offer(40)
    assert it.real[action_id].counters().queuing > 0
    await asyncio.to_thread(server.start)
    await it.until("action", action_id, State.CONNECTED)
    await offer(20)
    await it.until_counted(action_id, success=sent * CLIENTS, failed=0, dropped=0)
    return list(range(sent))
