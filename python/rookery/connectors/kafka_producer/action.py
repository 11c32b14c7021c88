"""Appends what rules made to topics of Kafka.

aiokafka holds records until they are acknowledged and sends them again itself, in order for each
partition and, with ``all_isr``, without doubling any: so :meth:`KafkaProducerAction.send` waits,
through an outage too, and what could not be sent is in the action's buffer behind it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rookery.access.errors import Words
from rookery.connectors.base import Action, ItemFailure, Reconnecting, Recoverable
from rookery.connectors.kafka.client import Cluster
from rookery.connectors.kafka_producer.settings import KafkaProducerParameters
from rookery.native.action_fields import ActionItem, FieldSpec, FieldValue, Text, Value

if TYPE_CHECKING:
    from rookery.connectors.kafka_producer.producer import Producer, Record, Refusal

_FIXED = 4  # fields before those of the headers

_STOPPED = Words("not connected", "未连接")
_REFUSED = Words("Kafka did not take it: {reason}", "Kafka 未接受该消息：{reason}")
_BEHIND = Words("one before it was not taken", "前一条消息未被接受")


class KafkaProducerAction(Action):
    """A producer for one topic, or one template of topics."""

    batch: ClassVar[bool] = True

    def __init__(self, parameters: KafkaProducerParameters, cluster: Cluster) -> None:
        self._parameters = parameters
        self._cluster = cluster
        self._producer: Producer | None = None
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
        from rookery.connectors.kafka_producer.producer import Producer  # noqa: PLC0415

        await self.stop()
        await self._find_topic()
        producer = Producer(self._parameters, self._cluster.options())
        await producer.start()
        self._producer = producer

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
        producer = self._producer
        if producer is None:
            raise Recoverable(_STOPPED)
        sent = [(item, await producer.append(self._record(item))) for item in items]
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
        if len(failures) == len(items) and all(failure.is_recoverable for failure in failures):
            raise Recoverable(failures[0].reason)
        return failures

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
    return ItemFailure(item.number, reason, is_recoverable=not refusal.is_final)


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
