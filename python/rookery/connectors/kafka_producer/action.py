"""Appends what rules made to topics of Kafka.

aiokafka holds records until they are acknowledged and sends them again itself, in order for each
partition and, with ``all_isr``, without doubling any: so :meth:`KafkaProducerAction.send` waits,
through an outage too, and what could not be sent is in the action's buffer behind it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rookery.access.errors import Words
from rookery.connectors.base import Action, ItemFailure, Reconnecting, Recoverable, Unhealthy
from rookery.connectors.kafka.client import Cluster
from rookery.connectors.kafka_producer.settings import KafkaProducerParameters
from rookery.native.action_fields import ActionItem, FieldSpec, FieldValue, Text, Value

if TYPE_CHECKING:
    from rookery.connectors.kafka_producer.producer import Producer, Record, Refusal

_FIXED = 4  # fields before those of the headers

_STOPPED = Words("not connected", "未连接")
_REFUSED = Words("Kafka did not take it: {reason}", "Kafka 未接受该消息：{reason}")
_NO_NAME = Words(
    "{topic} can be no topic of Kafka: 1 to 249 letters, digits, dots, underscores and hyphens",
    "{topic} 不能作为 Kafka 主题：须为 1 至 249 个字母、数字、点、下划线或连字符",
)
_UNKNOWN_TOPIC = Words("there is no topic {topic}", "主题 {topic} 不存在")
_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,249}")
_BEHIND = Words("one before it was not taken", "前一条消息未被接受")


class KafkaProducerAction(Action):
    """A producer for one topic, or one template of topics."""

    batch: ClassVar[bool] = True

    def __init__(self, parameters: KafkaProducerParameters, cluster: Cluster) -> None:
        self._parameters = parameters
        self._cluster = cluster
        self._producer: Producer | None = None
        self._renewing = asyncio.Lock()
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
        await self._find_topic()
        self._producer = await self._begun()

    async def stop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def check(self) -> None:
        try:
            await self._find_topic()
        except Reconnecting:
            # The connector says so. A producer that is kept sends what it has without doubling.
            return

    async def _find_topic(self) -> None:
        if "${" not in self._parameters.topic:
            await self._cluster.partitions(self._parameters.topic)

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure]:
        producer = await self._current()
        if producer is None:
            raise Recoverable(_STOPPED)
        records = [(item, self._record(item)) for item in items]
        known = await producer.find(it.topic for _, it in records if _NAME.fullmatch(it.topic))
        sent = [
            (item, await producer.append(record) if record.topic in known else _untaken(record))
            for item, record in records
        ]
        failures: list[ItemFailure] = []
        # Clients one of whose records was not taken: later ones come again behind it.
        behind: set[int] = set()
        for item, appending in sent:
            refusal = await producer.appended(appending)
            failure = _failure(item, refusal, item.key in behind)
            if failure is not None:
                failures.append(failure)
                if failure.is_recoverable and item.key:
                    behind.add(item.key)
        is_all = len(failures) == len(items) and all(it.is_recoverable for it in failures)
        if is_all and not any(failure.in_company for failure in failures):
            raise Recoverable(failures[0].reason)
        return failures

    async def _current(self) -> Producer | None:
        """The producer; a new one in place of one that is spent."""
        async with self._renewing:
            spent = self._producer
            if spent is None or not spent.is_spent:
                return spent
            try:
                fresh = await self._begun()
            except Unhealthy as error:
                raise Recoverable(error.words) from error
            # Who stopped the action meanwhile has stopped the one that it had.
            is_wanted = self._producer is spent
            if is_wanted:
                self._producer = fresh
            await (spent if is_wanted else fresh).stop()
            return self._producer

    async def _begun(self) -> Producer:
        from rookery.connectors.kafka_producer.producer import Producer  # noqa: PLC0415

        producer = Producer(self._parameters, self._cluster.options())
        await producer.start()
        return producer

    def _record(self, item: ActionItem) -> Record:
        from rookery.connectors.kafka_producer.producer import Record  # noqa: PLC0415

        topic, key, value, timestamp = item.fields[:_FIXED]
        return Record(
            topic=str(topic),
            key=_octets(key),
            value=_octets(value),
            timestamp_ms=_time_ms(timestamp, item.made_at_ms),
            headers=self._headers(item),
        )

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


def _failure(item: ActionItem, refusal: Refusal | None, is_behind: bool) -> ItemFailure | None:
    if refusal is None:
        return ItemFailure(item.number, _BEHIND, is_recoverable=True) if is_behind else None
    reason = _REFUSED.format(reason=refusal.reason)
    return ItemFailure(
        item.number,
        reason,
        is_recoverable=not refusal.is_final,
        in_company=refusal.is_in_company,
    )


def _untaken(record: Record) -> Refusal:
    from rookery.connectors.kafka_producer.producer import Refusal  # noqa: PLC0415

    if _NAME.fullmatch(record.topic):
        return Refusal(_UNKNOWN_TOPIC.format(topic=record.topic), is_final=False)
    return Refusal(_NO_NAME.format(topic=record.topic[:100]), is_final=True)


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
