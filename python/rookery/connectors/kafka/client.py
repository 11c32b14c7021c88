"""A client that asks a Kafka cluster how it is, and what producers and consumers connect with.

aiokafka retries by itself, so a connector that was connected once stays, and says that it is
connecting again while the cluster cannot be reached.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from rookery.access.errors import Words
from rookery.connectors.base import Reconnecting, Unhealthy
from rookery.connectors.kafka.settings import KafkaConnectorSettings, addresses

_UNREACHABLE = Words("{hosts} cannot be reached: {reason}", "无法连接 {hosts}：{reason}")
_NO_TOPIC = Words("there is no topic {topic}", "主题 {topic} 不存在")
_STOPPED = Words("not connected", "未连接")
_MECHANISMS = {
    "plain": "PLAIN",
    "scram_sha_256": "SCRAM-SHA-256",
    "scram_sha_512": "SCRAM-SHA-512",
}


def said(error: BaseException) -> str:
    """What an error of the library says, in a few words."""
    text = str(error) or type(error).__name__
    return text.removeprefix("KafkaError: ").removeprefix("KafkaConnectionError: ")


def no_topic(topic: str) -> Unhealthy:
    return Unhealthy(_NO_TOPIC.format(topic=topic))


class Cluster:
    """One cluster, and a connection for questions. Belongs to one event loop."""

    def __init__(self, settings: KafkaConnectorSettings, client_id: str) -> None:
        self._settings = settings
        self._hosts = addresses(settings.bootstrap_hosts)
        self._client: AIOKafkaClient | None = None
        self._tls = settings.ssl.client_tls().context() if settings.ssl.enable else None
        self.client_id = client_id

    def options(self) -> dict[str, Any]:
        """What every client of the cluster is made with."""
        options: dict[str, Any] = {
            "bootstrap_servers": self._hosts,
            "client_id": self.client_id,
            "ssl_context": self._tls,
        }
        authentication = self._settings.authentication
        security = "SSL" if self._tls else "PLAINTEXT"
        if not isinstance(authentication, str):
            security = f"SASL_{security}"
            options |= {
                "sasl_mechanism": _MECHANISMS[authentication.mechanism],
                "sasl_plain_username": authentication.username,
                "sasl_plain_password": authentication.password.reveal(),
            }
        return options | {"security_protocol": security}

    async def start(self) -> None:
        """Connect.

        Raises:
            Unhealthy: no broker can be reached.
        """
        await self.stop()
        timeout_s = max(self._settings.connect_timeout, self._settings.metadata_request_timeout)
        client = AIOKafkaClient(request_timeout_ms=int(timeout_s * 1000), **self.options())
        try:
            await client.bootstrap()
            await self._check_topic(client)
        except KafkaError as error:
            await client.close()
            raise self._unreachable(error) from error
        except BaseException:
            await client.close()
            raise
        self._client = client

    async def stop(self) -> None:
        """Disconnect. May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def check(self) -> None:
        """Whether a broker answers.

        Raises:
            Unhealthy: not connected yet, or a topic is missing.
            Reconnecting: no broker answers, and the clients are trying.
        """
        if self._client is None:
            raise Unhealthy(_STOPPED)
        try:
            await self._check_topic(self._client)
        except (KafkaError, TimeoutError) as error:
            raise Reconnecting(self._unreachable(error).words) from error

    async def partitions(self, topic: str) -> set[int]:
        """The partitions of a topic.

        Raises:
            Unhealthy: there is no such topic.
            Reconnecting: no broker answers.
        """
        if self._client is None:
            raise Unhealthy(_STOPPED)
        try:
            found = await self._partitions(self._client, topic)
        except (KafkaError, TimeoutError) as error:
            raise Reconnecting(self._unreachable(error).words) from error
        return found

    async def _check_topic(self, client: AIOKafkaClient) -> None:
        topic = self._settings.health_check_topic
        if topic is None:
            async with asyncio.timeout(self._settings.metadata_request_timeout):
                await client.fetch_all_metadata()
        else:
            await self._partitions(client, topic)

    async def _partitions(self, client: AIOKafkaClient, topic: str) -> set[int]:
        # All topics: asking for one would make it, where the cluster is set up so.
        async with asyncio.timeout(self._settings.metadata_request_timeout):
            metadata = await client.fetch_all_metadata()
        found: set[int] | None = metadata.partitions_for_topic(topic)
        if not found:
            raise no_topic(topic)
        return set(found)

    def _unreachable(self, error: BaseException) -> Unhealthy:
        return Unhealthy(_UNREACHABLE.format(hosts=", ".join(self._hosts), reason=said(error)))
