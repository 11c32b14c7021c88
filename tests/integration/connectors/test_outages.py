"""Every service goes away while clients publish: what a rule matched arrives, in order per client."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import rookery
from harness.client import RawClient
from harness.connector_manager import managed
from harness.connectors import in_order
from harness.packets import Connect, PubAck, Publish
from harness.sinks import SINKS, SQL, Sink
from rookery.connectors.status import State
from rookery.native.rules import ActionOutput, RuleSpec

CLIENTS = 5
BEFORE, MEANWHILE, WAITING, AFTER = 20, 60, 220, 10
"""Messages of each client before the service goes, while it goes, while it is away, when it is back."""
OFTEN = {"health_check_interval": "500ms"}
OPTIONS = {**OFTEN, "request_ttl": "infinity", "retry_interval": "500ms", "batch_size": 50}


class Publishers:
    """Clients that number what they send, and wait until the broker has it."""

    def __init__(self, port: int) -> None:
        self._clients = [RawClient("127.0.0.1", port) for _ in range(CLIENTS)]
        for number, client in enumerate(self._clients):
            client.connect(Connect(f"c{number}"))
        self.sent = 0

    def publish(self, count: int) -> int:
        """So many of each; how many there are by now."""
        numbers = range(self.sent, self.sent + count)
        self.sent += count
        for client in self._clients:
            ids = [client.packet_id() for _ in numbers]
            topic = f"out/{client.client_id}"
            client.send(
                *(
                    Publish(topic, b'{"n":%d}' % number, 1, id_)
                    for number, id_ in zip(numbers, ids, strict=True)
                )
            )
            for id_ in ids:
                client.expect(PubAck, packet_id=id_)
        return self.sent * CLIENTS


@pytest.fixture(params=SINKS)
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sink]:
    folder = tmp_path / "sink"
    folder.mkdir()
    with SINKS[request.param](folder) as running:
        yield running


async def test_what_waits_for_a_service_that_is_away_arrives_in_order(
    sink: Sink, tmp_path: Path
) -> None:
    action_id = f"{sink.type}:out"
    connector = {**sink.connector, "resource_opts": OFTEN}
    action = {"connector": "away", "parameters": sink.parameters, "resource_opts": OPTIONS}
    file_dirs = (sink.folder,) if sink.folder else ()
    async with (
        rookery.Broker() as broker,
        managed(tmp_path, file_dirs=file_dirs, core=broker.actions) as it,
    ):
        await it.apply({f"{sink.type}:away": connector}, {action_id: action})
        output = ActionOutput(action_id, it.manager.fields_of(action_id))
        await broker.rules.put(RuleSpec("all", SQL, outputs=(output,)))
        publishers = await asyncio.to_thread(Publishers, broker.port)
        await it.until("action", action_id, State.CONNECTED)
        count = await asyncio.to_thread(publishers.publish, BEFORE)
        await it.until_counted(action_id, success=count)
        going = asyncio.create_task(asyncio.to_thread(sink.stop))
        await asyncio.to_thread(publishers.publish, MEANWHILE)
        await going
        count = await asyncio.to_thread(publishers.publish, WAITING)
        counters = await it.until_counted(action_id, matched=count)
        assert counters.queuing + counters.inflight >= WAITING * CLIENTS
        await asyncio.to_thread(sink.start)
        count = await asyncio.to_thread(publishers.publish, AFTER)
        await it.until_counted(action_id, success=count, failed=0, dropped=0)
        of_rule = (await broker.rules.counters())["all"]
        assert (of_rule.matched, of_rule.passed, of_rule.failed) == (count, count, 0)
        assert of_rule.actions_success == count
    found = await asyncio.to_thread(sink.found, count)
    if not sink.is_doubled:
        assert sum(map(len, found.values())) == count
    assert {client: in_order(numbers) for client, numbers in found.items()} == {
        f"c{client}": list(range(publishers.sent)) for client in range(CLIENTS)
    }
