"""A client that asks a Kafka cluster how it is, and what producers and consumers connect with.

aiokafka retries by itself, so a connector that was connected once stays, and says that it is
connecting again while the cluster cannot be reached.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rookery.access.databases.settings import host_and_port
from rookery.access.errors import Words
from rookery.access.reasons import why_unreachable
from rookery.connectors.base import Reconnecting, Unhealthy
from rookery.connectors.kafka.settings import DEFAULT_PORT, KafkaConnectorSettings, addresses

if TYPE_CHECKING:
    from aiokafka.client import AIOKafkaClient

_UNREACHABLE = Words(
    "{hosts} can be connected to, and no Kafka broker answers ({reason}): see whether one runs "
    "there, and whether it expects TLS or a login",
    "可以连接 {hosts}，但没有 Kafka broker 应答（{reason}）：请检查其是否运行，以及是否要求 TLS 或认证",
)
_LOGIN = Words(
    "{hosts} can be connected to, and no Kafka broker lets this node in ({reason}): check mechanism, "
    "username and password, and whether it expects TLS",
    "可以连接 {hosts}，但没有 Kafka broker 允许本节点登录（{reason}）：请检查认证机制、用户名、密码，"
    "以及是否要求 TLS",
)
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
        from aiokafka.client import AIOKafkaClient  # noqa: PLC0415
        from aiokafka.errors import KafkaError  # noqa: PLC0415

        await self.stop()
        timeout_s = max(self._settings.connect_timeout, self._settings.metadata_request_timeout)
        client = AIOKafkaClient(request_timeout_ms=int(timeout_s * 1000), **self.options())
        try:
            await client.bootstrap()
            self._client = client
            await self.check()
        except KafkaError as error:
            await client.close()
            raise Unhealthy(await self._why(error)) from error
        except BaseException:
            self._client = None
            await client.close()
            raise

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
        topic = self._settings.health_check_topic
        if topic is not None:
            await self.partitions(topic)
        else:
            await self._ask()

    async def partitions(self, topic: str) -> set[int]:
        """The partitions of a topic.

        Raises:
            Unhealthy: there is no such topic.
            Reconnecting: no broker answers.
        """
        found: set[int] | None = (await self._ask()).partitions_for_topic(topic)
        if not found:
            raise Unhealthy(_NO_TOPIC.format(topic=topic))
        return set(found)

    async def _ask(self) -> Any:
        """What there is in the cluster."""
        from aiokafka.errors import KafkaError  # noqa: PLC0415

        if self._client is None:
            raise Unhealthy(_STOPPED)
        try:
            # All topics: asking for one would make it, where the cluster is set up so.
            async with asyncio.timeout(self._settings.metadata_request_timeout):
                return await self._client.fetch_all_metadata()
        except (KafkaError, TimeoutError) as error:
            raise Reconnecting(await self._why(error)) from error

    async def _why(self, error: BaseException) -> Words:
        """The library keeps to itself what became of its connections: make one, and see."""
        address = self._hosts[0]
        host, port = host_and_port(address, DEFAULT_PORT, "")
        try:
            async with asyncio.timeout(self._settings.connect_timeout):
                _, writer = await asyncio.open_connection(host, port, ssl=self._tls)
        except OSError as found:
            return why_unreachable(", ".join(self._hosts), found)
        writer.close()
        words = _UNREACHABLE if isinstance(self._settings.authentication, str) else _LOGIN
        return words.format(hosts=", ".join(self._hosts), reason=said(error))
