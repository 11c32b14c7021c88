"""Publishes what rules made at another broker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from paho.mqtt.reasoncodes import ReasonCode

from rookery.access.errors import Words
from rookery.connectors.base import Action, ItemFailure, Recoverable, Unhealthy
from rookery.connectors.mqtt.connection import Answer, Connection, Ended
from rookery.connectors.mqtt.message import BadMessage, check_size, check_topic, packed
from rookery.connectors.mqtt.properties import properties_of
from rookery.connectors.mqtt.reasons import reason_words
from rookery.connectors.mqtt.settings import MqttActionParameters
from rookery.native.action_fields import ActionItem, FieldSpec, FieldValue, Row, Text, Value

_STOPPED = Words("not connected", "未连接")
_REFUSED = Words("the broker refused it: {reason}", "服务器拒绝了该消息：{reason}")
_BAD_QOS = Words("{qos} is no QoS", "{qos} 不是有效的 QoS")
_BAD_MESSAGE = Words("this can be no message: {reason}", "无法构成消息：{reason}")
# MQTT-5.0 section 3.4.2.1: what the broker could take another time.
_LATER = frozenset({0x80, 0x83, 0x97})
_TRUE = frozenset({"true", "1"})


class MqttAction(Action):
    """Publishes, and is done when the broker has acknowledged."""

    batch: ClassVar[bool] = True

    def __init__(
        self, parameters: MqttActionParameters, connection_of: Callable[[int], Connection | None]
    ) -> None:
        self._connection_of = connection_of
        payload: FieldSpec = Row() if parameters.payload is None else Text(parameters.payload)
        self.fields = (
            Text(parameters.topic),
            payload,
            Text(str(parameters.qos)),
            Text(_word(parameters.retain)),
            Value("${pub_props}"),
            # The column above is JSON, which has no place for octets that are no text.
            Value("${pub_props.Correlation-Data}"),
        )

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure]:
        failures: list[ItemFailure] = []
        sent: list[tuple[int, Answer]] = []
        broken: Unhealthy | None = None
        for item in items:
            try:
                if broken is not None:
                    raise broken
                sent.append((item.number, await self._publish(item)))
            except Unhealthy as error:
                # None of the later ones may overtake it.
                broken = error
                failures.append(ItemFailure(item.number, error.words, is_recoverable=True))
            except (ValueError, TypeError) as error:
                failures.append(ItemFailure(item.number, _words(error)))
        for number, answer in sent:
            failure = _failure(number, await answer)
            if failure is not None:
                failures.append(failure)
        ended = any(failure.in_company for failure in failures)
        is_all = len(failures) == len(items) and all(it.is_recoverable for it in failures)
        if is_all and not ended:
            raise Recoverable(failures[0].reason)
        return failures

    async def _publish(self, item: ActionItem) -> Answer:
        connection = self._connection_of(item.key)
        if connection is None:
            raise Unhealthy(_STOPPED)
        topic, payload = _text(item.fields[0]), _octets(item.fields[1])
        check_topic(topic)
        limits = connection.limits
        qos = min(_qos(item.fields[2]), limits.qos)
        retain = _text(item.fields[3]).lower() in _TRUE and limits.retain
        is_v5 = connection.endpoint.is_v5
        properties = properties_of(item.fields[4], item.fields[5]) if is_v5 else None
        check_size(topic, payload, qos, packed(properties, is_v5), limits.packet_bytes)
        return await connection.publish(topic, payload, qos, retain, properties)


def _words(error: Exception) -> Words:
    if isinstance(error, BadMessage):
        return error.words
    return _BAD_MESSAGE.format(reason=reason_words(error))


def _failure(number: int, answer: ReasonCode | Unhealthy) -> ItemFailure | None:
    if isinstance(answer, Unhealthy):
        ended = isinstance(answer, Ended)
        return ItemFailure(number, answer.words, is_recoverable=True, in_company=ended)
    if not answer.is_failure:
        return None
    later = answer.value in _LATER
    return ItemFailure(number, _REFUSED.format(reason=reason_words(answer)), is_recoverable=later)


def _word(value: bool | str) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _qos(field: FieldValue) -> int:
    text = _text(field)
    if text not in {"0", "1", "2"}:
        raise BadMessage(_BAD_QOS.format(qos=text[:20]))
    return int(text)


def _text(field: FieldValue) -> str:
    return field.decode() if isinstance(field, bytes) else str(field)


def _octets(field: FieldValue) -> bytes:
    return field if isinstance(field, bytes) else str(field).encode()
