"""Takes records of one topic; an offset is committed when rules have got the records before it.

Who dies takes at most the records of one commit interval again, none is left out. When partitions
move to another member of the group, what rules have got is committed before.
"""

from __future__ import annotations

import asyncio
import base64
import logging
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from rookery.connectors.base import Columns, Receive, Source, Unhealthy
from rookery.connectors.kafka.client import Cluster, said
from rookery.connectors.kafka_consumer.settings import KafkaConsumerParameters

_logger = logging.getLogger(__name__)

RECORDS_MAX = 500
"""Most records that are taken from the client at once."""
REQUEST_TIMEOUT_MS = 30_000
STOP_S = 5.0
_TS_TYPES = {0: "create", 1: "append"}


class KafkaConsumerSource(Source):
    """One member of a consumer group."""

    def __init__(
        self, parameters: KafkaConsumerParameters, group: str, cluster: Cluster, receive: Receive
    ) -> None:
        self._parameters = parameters
        self._group = group
        self._cluster = cluster
        self._receive = receive

    async def check(self) -> None:
        await self._cluster.partitions(self._parameters.topic)

    async def run(self) -> None:
        parameters = self._parameters
        await self._cluster.partitions(parameters.topic)
        consumer = AIOKafkaConsumer(
            **self._cluster.options(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset=parameters.offset_reset_policy,
            max_partition_fetch_bytes=parameters.max_batch_bytes,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        taking = _Taking(consumer, self._take, parameters.offset_commit_interval_seconds)
        consumer.subscribe([parameters.topic], listener=taking)
        try:
            await consumer.start()
            await taking.run()
        except KafkaError as error:
            raise Unhealthy(said(error)) from error
        finally:
            await _stop(consumer, taking)

    async def _take(self, record: ConsumerRecord) -> None:
        await self._receive(self._columns(record))

    def _columns(self, record: ConsumerRecord) -> Columns:
        parameters = self._parameters
        return {
            "topic": record.topic,
            "key": _shown(record.key, parameters.key_encoding_mode),
            "value": _shown(record.value, parameters.value_encoding_mode),
            "offset": record.offset,
            "ts": record.timestamp,
            "ts_type": _TS_TYPES.get(record.timestamp_type, "undefined"),
            "headers": {
                name: None if value is None else value.decode(errors="replace")
                for name, value in record.headers
            },
        }


class _Taking(ConsumerRebalanceListener):  # type: ignore[misc]  # the library has no types
    """Records one after the other, and what of them is not committed yet."""

    def __init__(self, consumer: AIOKafkaConsumer, take: Any, interval_s: float) -> None:
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


def _shown(data: bytes | None, mode: str) -> bytes | str | None:
    if data is None or mode == "none":
        return data
    return base64.b64encode(data).decode()
