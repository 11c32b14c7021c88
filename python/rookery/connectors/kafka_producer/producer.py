"""A producer of aiokafka, and records in its words."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.codec import has_lz4
from aiokafka.errors import (
    InvalidMessageError,
    InvalidTimestampError,
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    ProducerClosed,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.partitioner import DefaultPartitioner

from rookery.access.errors import Words
from rookery.connectors.base import Unhealthy
from rookery.connectors.kafka.client import said
from rookery.connectors.kafka_producer.settings import KafkaProducerParameters

REQUEST_TIMEOUT_MS = 30_000
STOP_S = 1.0
MESSAGE_BYTES_MIN = 1 << 20
_ACKS: dict[str, Any] = {"all_isr": "all", "leader_only": 1, "none": 0}
# Another attempt would end in the same way.
_FINAL = (MessageSizeTooLargeError, InvalidTopicError, TopicAuthorizationFailedError)
# Kafka refuses a whole batch over one record of it.
_OF_ONE = (
    InvalidMessageError,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
)
FIND_S = 0.5
"""How long a topic that is not known yet holds up the records beside it."""
FIND_AGAIN_S = 0.05
_BY_PACKAGE = frozenset({"snappy", "lz4", "zstd"})  # one package has all three
_NO_COMPRESSION = Words(
    "compression {name} needs a package: install rookery[kafka]",
    "压缩方式 {name} 缺少依赖包，请安装 rookery[kafka]",
)


@dataclass(frozen=True, slots=True)
class Record:
    """What is appended."""

    topic: str
    key: bytes
    value: bytes
    timestamp_ms: int
    headers: list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record was not taken; in company: perhaps over another one in the same batch."""

    reason: Words | str
    is_final: bool
    is_in_company: bool = False


class Producer:
    """Appends records. Belongs to one event loop."""

    def __init__(self, parameters: KafkaProducerParameters, options: dict[str, Any]) -> None:
        """Takes what every client of the cluster is made with.

        Raises:
            Unhealthy: a package is missing.
        """
        self.is_spent = False
        """Whether another one has to be made: Kafka counts records, and takes none behind refused ones."""
        self._counts = parameters.required_acks == "all_isr"
        compression = parameters.compression
        if compression in _BY_PACKAGE and not has_lz4():
            raise Unhealthy(_NO_COMPRESSION.format(name=compression))
        self._producer = AIOKafkaProducer(
            **options,
            acks=_ACKS[parameters.required_acks],
            enable_idempotence=self._counts,
            compression_type=None if compression == "no_compression" else compression,
            max_batch_size=parameters.max_batch_bytes,
            max_request_size=max(parameters.max_batch_bytes, MESSAGE_BYTES_MIN),
            linger_ms=round(parameters.max_linger_time * 1000),
            metadata_max_age_ms=round(parameters.partition_count_refresh_interval * 1000),
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            partitioner=_partitioner(parameters),
        )

    async def start(self) -> None:
        """Connect.

        Raises:
            Unhealthy: no broker can be reached.
        """
        try:
            await self._producer.start()
        except KafkaError as error:
            await self.stop()
            raise Unhealthy(said(error)) from error
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it, though what it could not send is still there: the buffer has that, too."""
        stopping = asyncio.ensure_future(self._producer.stop())
        done, _ = await asyncio.wait({stopping}, timeout=STOP_S)
        if not done:
            # It would wait for a broker as long as there is none.
            sender = self._producer._sender  # noqa: SLF001
            with contextlib.suppress(asyncio.CancelledError):
                await sender.close()
            self._producer._message_accumulator.fail_all(ProducerClosed())  # noqa: SLF001
        await asyncio.gather(stopping, return_exceptions=True)

    async def find(self, topics: Iterable[str]) -> set[str]:
        """Which of them Kafka has, as far as it says so soon."""
        client = self._producer.client
        cluster = client.cluster
        wanted = set(topics)
        unknown = {topic for topic in wanted if cluster.partitions_for_topic(topic) is None}
        for topic in unknown:
            client.add_topic(topic)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIND_S if unknown else None):
                while unknown:
                    await client.force_metadata_update()
                    unknown = {it for it in unknown if cluster.partitions_for_topic(it) is None}
                    if unknown:  # Kafka may be making it
                        await asyncio.sleep(FIND_AGAIN_S)
        # The client would ask for all of them for ever.
        client._topics -= unknown  # noqa: SLF001
        return wanted - unknown

    async def append(self, record: Record) -> asyncio.Future[Any] | Refusal:
        """Take a record; in the order of the calls. :meth:`appended` says what became of it."""
        try:
            future: asyncio.Future[Any] = await self._producer.send(
                record.topic,
                key=record.key,
                value=record.value,
                timestamp_ms=record.timestamp_ms,
                headers=record.headers,
            )
        except (KafkaError, ValueError) as error:
            return _refusal(error)
        future.add_done_callback(_seen)  # whoever waits may be cancelled
        return future

    async def appended(self, future: asyncio.Future[Any] | Refusal) -> Refusal | None:
        """Return when a record is there; or why it is not."""
        if isinstance(future, Refusal):
            return future
        try:
            await asyncio.shield(future)
        except KafkaError as error:
            self.is_spent = self.is_spent or (self._counts and not error.retriable)
            if isinstance(error, _OF_ONE):
                return Refusal(said(error), is_final=False, is_in_company=True)
            return _refusal(error)
        return None


def _refusal(error: Exception) -> Refusal:
    return Refusal(said(error), isinstance(error, _FINAL) or not isinstance(error, KafkaError))


def _seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _partitioner(parameters: KafkaProducerParameters) -> Callable[..., int]:
    limit = None if parameters.partitions_limit == "all_partitions" else parameters.partitions_limit
    by_key = DefaultPartitioner()
    is_random = parameters.partition_strategy == "random"

    def choose(key: bytes | None, everyone: Sequence[int], available: Sequence[int]) -> int:
        usable = sorted(everyone)[:limit]
        if is_random:
            reachable = [partition for partition in available if partition in usable]
            return random.choice(reachable or usable)  # noqa: S311 - spreads load
        found: int = by_key(key, usable, usable)
        return found

    return choose
