"""A consumer of aiokafka: records one after the other, and what of them is committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from rookery.connectors.base import Unhealthy
from rookery.connectors.kafka.client import said
from rookery.connectors.kafka_consumer.settings import KafkaConsumerParameters

_logger = logging.getLogger(__name__)

RECORDS_MAX = 500
"""Most records that are taken from the client at once."""
REQUEST_TIMEOUT_MS = 30_000
STOP_S = 2.0

Take = Callable[[ConsumerRecord], Awaitable[None]]


async def consume(
    parameters: KafkaConsumerParameters, group: str, options: dict[str, Any], take: Take
) -> None:
    """Take records until cancelled.

    Raises:
        Unhealthy: it cannot go on.
    """
    consumer = AIOKafkaConsumer(
        **options,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset=parameters.offset_reset_policy,
        max_partition_fetch_bytes=parameters.max_batch_bytes,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    taking = _Taking(consumer, take, parameters.offset_commit_interval_seconds)
    consumer.subscribe([parameters.topic], listener=taking)
    try:
        await consumer.start()
        await taking.run()
    except KafkaError as error:
        raise Unhealthy(said(error)) from error
    finally:
        await _stop(consumer, taking)


class _Taking(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Records one after the other, and what of them is not committed yet."""

    def __init__(self, consumer: AIOKafkaConsumer, take: Take, interval_s: float) -> None:
        self._consumer = consumer
        self._take = take
        self._interval_s = interval_s
        self._taken: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        commit_at = loop.time() + self._interval_s
        while True:
            wait_s = max(commit_at - loop.time(), 0.0) if self._taken else self._interval_s
            batches = await self._consumer.getmany(
                timeout_ms=round(wait_s * 1000), max_records=RECORDS_MAX
            )
            for partition, records in batches.items():
                for record in records:
                    if partition not in self._consumer.assignment():
                        break  # whoever has it now gets them
                    await self._take(record)
                    self._taken[partition] = record.offset + 1
                    if loop.time() >= commit_at:
                        await self.commit()
                        commit_at = loop.time() + self._interval_s
            if loop.time() >= commit_at:
                await self.commit()
                commit_at = loop.time() + self._interval_s

    async def commit(self) -> None:
        """Commit what rules have got; what cannot be committed is kept for another time."""
        taken, self._taken = self._taken, {}
        if not taken:
            return
        try:
            await self._consumer.commit(taken)
        except (CommitFailedError, IllegalStateError) as error:
            # The partition has moved: its new owner may take some records again.
            _logger.info("an offset could not be committed: %s", said(error))
        except KafkaError as error:
            _logger.info("an offset could not be committed yet: %s", said(error))
            self._taken = taken | self._taken

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        if any(partition in self._taken for partition in revoked):
            await self.commit()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing to do: the offsets are those of the group."""


async def _stop(consumer: AIOKafkaConsumer, taking: _Taking) -> None:
    """Commit, leave the group and disconnect, within some seconds."""
    try:
        async with asyncio.timeout(STOP_S):
            await taking.commit()
            await consumer.stop()
    except TimeoutError:
        _logger.info("the consumer left its group without saying so: no broker answers")
        await consumer._client.close()  # noqa: SLF001 - nothing public closes it then
