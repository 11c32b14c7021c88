"""Takes records of one topic; an offset is committed when rules have got the records before it.

Who dies takes at most the records of one commit interval again, none is left out. When partitions
move to another member of the group, what rules have got is committed before.
"""

from __future__ import annotations

import base64
from typing import Any

from rookery.connectors.base import Columns, Receive, Reconnecting, Source
from rookery.connectors.kafka.client import Cluster
from rookery.connectors.kafka_consumer.settings import KafkaConsumerParameters

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
        try:
            await self._cluster.partitions(self._parameters.topic)
        except Reconnecting:
            return  # the connector says so, and the consumer goes on by itself

    async def run(self) -> None:
        from rookery.connectors.kafka_consumer.taking import consume  # noqa: PLC0415

        await self._cluster.partitions(self._parameters.topic)
        await consume(self._parameters, self._group, self._cluster.options(), self._take)

    async def _take(self, record: Any) -> None:
        await self._receive(self._columns(record))

    def _columns(self, record: Any) -> Columns:
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


def _shown(data: bytes | None, mode: str) -> bytes | str | None:
    if data is None or mode == "none":
        return data
    return base64.b64encode(data).decode()
