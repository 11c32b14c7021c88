"""Appends what rules made to topics of Kafka.

aiokafka holds records until they are acknowledged and sends them again itself, in order for each
partition and, with ``all_isr``, without doubling any: so :meth:`KafkaProducerAction.send` waits,
through an outage too, and what could not be sent is in the action's buffer behind it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from aiokafka import AIOKafkaProducer
from aiokafka.codec import has_lz4
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    ProducerClosed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.partitioner import DefaultPartitioner

from rookery.access.errors import SettingError, Words
from rookery.connectors.base import Action, ItemFailure, Recoverable, Unhealthy
from rookery.connectors.kafka.client import Cluster, said
from rookery.connectors.kafka_producer.settings import KafkaProducerParameters
from rookery.native.action_fields import ActionItem, FieldSpec, FieldValue, Text, Value

REQUEST_TIMEOUT_MS = 30_000
STOP_S = 1.0
MESSAGE_BYTES_MIN = 1 << 20
_ACKS: dict[str, Any] = {"all_isr": "all", "leader_only": 1, "none": 0}
# Another attempt would end in the same way.
_FINAL = (MessageSizeTooLargeError, InvalidTopicError, TopicAuthorizationFailedError)
_BY_PACKAGE = frozenset({"snappy", "lz4", "zstd"})  # one package has all three
_FIXED = 4  # fields before those of the headers

_STOPPED = Words("not connected", "未连接")
_REFUSED = Words("Kafka did not take it: {reason}", "Kafka 未接受该消息：{reason}")
_NO_COMPRESSION = Words(
    "compression {name} needs a package: install rookery[kafka]",
    "压缩方式 {name} 缺少依赖包，请安装 rookery[kafka]",
)


class KafkaProducerAction(Action):
    """A producer for one topic, or one template of topics."""

    batch: ClassVar[bool] = True

    def __init__(self, parameters: KafkaProducerParameters, cluster: Cluster) -> None:
        self._parameters = parameters
        self._cluster = cluster
        self._producer: AIOKafkaProducer | None = None
        if parameters.compression in _BY_PACKAGE and not has_lz4():
            raise SettingError(_NO_COMPRESSION.format(name=parameters.compression))
        message = parameters.message
        fields: list[FieldSpec] = [
            Text(parameters.topic),
            Text(message.key),
            Text(message.value),
            Text(message.timestamp),
        ]
        if parameters.kafka_headers:
            fields.append(Value(parameters.kafka_headers))
        for header in parameters.kafka_ext_headers:
            fields += [Text(header.kafka_ext_header_key), Text(header.kafka_ext_header_value)]
        self.fields = tuple(fields)

    async def start(self) -> None:
        await self.stop()
        await self.check()
        parameters = self._parameters
        compression = parameters.compression
        producer = AIOKafkaProducer(
            **self._cluster.options(),
            acks=_ACKS[parameters.required_acks],
            enable_idempotence=parameters.required_acks == "all_isr",
            compression_type=None if compression == "no_compression" else compression,
            max_batch_size=parameters.max_batch_bytes,
            max_request_size=max(parameters.max_batch_bytes, MESSAGE_BYTES_MIN),
            linger_ms=round(parameters.max_linger_time * 1000),
            metadata_max_age_ms=round(parameters.partition_count_refresh_interval * 1000),
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            partitioner=_partitioner(parameters),
        )
        try:
            await producer.start()
        except BaseException as error:
            await _stop(producer)
            if isinstance(error, KafkaError):
                raise Unhealthy(said(error)) from error
            raise
        self._producer = producer

    async def stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)

    async def check(self) -> None:
        if "${" not in self._parameters.topic:
            await self._cluster.partitions(self._parameters.topic)

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure]:
        if self._producer is None:
            raise Recoverable(_STOPPED)
        failures: list[ItemFailure] = []
        # Clients one of whose records was not taken: later ones must not come before it.
        behind: set[int] = set()
        sent: list[tuple[ActionItem, asyncio.Future[Any]]] = []
        for item in items:
            try:
                if item.key in behind:
                    raise UnknownTopicOrPartitionError
                sent.append((item, await self._append(self._producer, item)))
            except (KafkaError, ValueError) as error:
                failures.append(_failure(item, error, behind))
        try:
            for item, appended in sent:
                try:
                    await appended
                except KafkaError as error:
                    failures.append(_failure(item, error, behind))
                else:
                    if item.key in behind:
                        failures.append(_failure(item, UnknownTopicOrPartitionError(), behind))
        except BaseException:
            for _, appended in sent:
                appended.add_done_callback(_ignore)
            raise
        if len(failures) == len(items) and all(failure.is_recoverable for failure in failures):
            raise Recoverable(failures[0].reason)
        return failures

    async def _append(self, producer: AIOKafkaProducer, item: ActionItem) -> asyncio.Future[Any]:
        topic, key, value, timestamp = item.fields[:_FIXED]
        future: asyncio.Future[Any] = await producer.send(
            str(topic),
            key=_octets(key),
            value=_octets(value),
            timestamp_ms=_time_ms(timestamp, item.made_at_ms),
            headers=self._headers(item),
        )
        return future

    def _headers(self, item: ActionItem) -> list[tuple[str, bytes]]:
        parameters = self._parameters
        is_json = parameters.kafka_header_value_encode_mode == "json"
        rest = item.fields[_FIXED:]
        found: list[tuple[str, bytes]] = []
        if parameters.kafka_headers:
            found += _headers_of(rest[0], is_json)
            rest = rest[1:]
        for at in range(0, len(rest), 2):
            value = _octets(rest[at + 1])
            if is_json:
                value = json.dumps(value.decode(errors="replace"), ensure_ascii=False).encode()
            found.append((str(rest[at]), value))
        return found


async def _stop(producer: AIOKafkaProducer) -> None:
    """End it, though what it could not send is still there: the buffer has that, too."""
    stopping = asyncio.ensure_future(producer.stop())
    done, _ = await asyncio.wait({stopping}, timeout=STOP_S)
    if not done:
        # It would wait for a broker as long as there is none.
        sender, waiting = producer._sender, producer._message_accumulator  # noqa: SLF001
        with contextlib.suppress(asyncio.CancelledError):
            await sender.close()
        waiting.fail_all(ProducerClosed())
    await asyncio.gather(stopping, return_exceptions=True)


def _ignore(appended: asyncio.Future[Any]) -> None:
    if not appended.cancelled():
        appended.exception()


def _failure(item: ActionItem, error: Exception, behind: set[int]) -> ItemFailure:
    is_recoverable = isinstance(error, KafkaError) and not isinstance(error, _FINAL)
    if is_recoverable and item.key:
        behind.add(item.key)
    return ItemFailure(
        item.number, _REFUSED.format(reason=said(error)), is_recoverable=is_recoverable
    )


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


def _headers_of(column: FieldValue, is_json: bool) -> list[tuple[str, bytes]]:
    """Headers from a column of the result: an object, or an array of key and value."""
    if not isinstance(column, str):
        return []
    try:
        values = json.loads(column)
    except ValueError:
        return []
    if isinstance(values, dict):
        pairs = list(values.items())
    elif isinstance(values, list):
        pairs = [
            (entry.get("key"), entry.get("value")) for entry in values if isinstance(entry, dict)
        ]
    else:
        return []
    if is_json:
        return [(str(key), json.dumps(value, ensure_ascii=False).encode()) for key, value in pairs]
    return [(str(key), value.encode()) for key, value in pairs if isinstance(value, str)]


def _time_ms(field: FieldValue, otherwise_ms: int) -> int:
    text = field.decode(errors="replace") if isinstance(field, bytes) else str(field)
    return int(text) if text.isascii() and text.isdigit() else otherwise_ms


def _octets(field: FieldValue) -> bytes:
    return field if isinstance(field, bytes) else str(field).encode()
