"""Connections to Redis: one server, one behind sentinels, or a cluster."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

from rookery.access.databases.settings import (
    DatabaseSettings,
    host_and_port,
    missing_package,
)
from rookery.access.errors import SettingError, Words
from rookery.access.plain import speaks_plainly
from rookery.access.reasons import shown_address
from rookery.access.tls import DISABLED

if TYPE_CHECKING:
    from redis.asyncio import Redis, RedisCluster

DEFAULT_PORT = 6379
SENTINEL_PORT = 26_379

_NOT_IN_CLUSTER = Words(
    "{where}.ssl.{name}: is not available with redis_type = cluster",
    "{where}.ssl.{name}：redis_type = cluster 时不支持",
)
_NO_SERVER = Words("{where}: {name} is missing", "{where}：缺少 {name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisPlace(DatabaseSettings):
    """A deployment and how it is reached.

    Attributes:
        redis_type: Kind of deployment.
        server: ``host:port`` of a single server, or the path of its Unix socket.
        servers: ``host:port`` of a cluster's nodes or of sentinels.
        sentinel: Name of the master that sentinels know.
        database: Its number.
        resend_max: How often a command is sent again over a new connection when its own broke,
            as one may have that was idle. None for commands that must not be carried out twice.
        reserved: Connections on top of ``pool_size``, for those who do not wait for a place.
    """

    redis_type: Literal["single", "sentinel", "cluster"] = "single"
    server: str | None = None
    servers: tuple[str, ...] = ()
    sentinel: str | None = None
    database: int = 0
    resend_max: int = 1
    reserved: int = 0


class RedisConnections:
    """A pool. Belongs to one event loop from :meth:`start` on."""

    def __init__(self, place: RedisPlace, where: str) -> None:
        """Check what can be checked without a connection.

        Raises:
            SettingError: a server is missing or no address, or the package is missing.
        """
        self._settings = place
        self._where = where
        self._addresses = self._servers()
        self._redis: Redis | RedisCluster | None = None
        self._sentinels: list[Redis] = []
        # Clients of clusters and sentinels fail instead of waiting when no connection is free.
        self.places = asyncio.Semaphore(place.pool_size)
        if find_spec("redis") is None:  # an extra
            raise missing_package(where, "redis", "redis")

    @property
    def client(self) -> Redis | RedisCluster | None:
        """What commands are given to; none before the start and after the stop."""
        return self._redis

    @property
    def place(self) -> str:
        """The servers, for people."""
        shown = [shown_address(host, port) for host, port in self._addresses]
        return ", ".join(shown) or str(self._settings.server)

    def _servers(self) -> list[tuple[str, int]]:
        settings = self._settings
        if settings.redis_type == "single":
            if not settings.server:
                raise SettingError(_NO_SERVER.format(where=self._where, name="server"))
            if settings.server.startswith("/"):
                return []
            return [host_and_port(settings.server, DEFAULT_PORT, f"{self._where}.server")]
        if not settings.servers:
            raise SettingError(_NO_SERVER.format(where=self._where, name="servers"))
        if settings.redis_type == "cluster" and settings.ssl.enable:
            self._check_tls_of_cluster()
        if settings.redis_type == "sentinel" and not settings.sentinel:
            raise SettingError(_NO_SERVER.format(where=self._where, name="sentinel"))
        port = SENTINEL_PORT if settings.redis_type == "sentinel" else DEFAULT_PORT
        where = f"{self._where}.servers"
        return [host_and_port(server, port, where) for server in settings.servers]

    def _check_tls_of_cluster(self) -> None:
        tls = self._settings.ssl
        names = {"password": tls.password, "server_name_indication": tls.server_name_indication}
        for name, value in names.items():
            if value is not None and value != DISABLED:
                raise SettingError(_NOT_IN_CLUSTER.format(where=self._where, name=name))

    async def without_tls(self) -> str | None:
        """A server that speaks without TLS although TLS is wanted; the caller bounds the time."""
        if not self._settings.ssl.enable:
            return None
        for host, port in self._addresses:
            # Redis answers PONG, or that it wants a password first.
            if await speaks_plainly(host, port, b"PING\r\n", (b"+PONG", b"-")):
                return shown_address(host, port)
        return None

    async def start(self) -> None:
        """Make the pool; a connection is made by the first question.

        Raises:
            SettingError: a certificate file cannot be used.
        """
        settings = self._settings
        if settings.ssl.enable:
            settings.ssl.context()  # the client of clusters reads the files itself, but later
        match settings.redis_type:
            case "single":
                self._redis = self._single()
            case "cluster":
                self._redis = self._cluster()
            case "sentinel":
                self._redis = self._behind_sentinels()

    def _common(self) -> dict[str, Any]:
        from redis.asyncio.retry import Retry  # noqa: PLC0415
        from redis.backoff import NoBackoff  # noqa: PLC0415

        settings = self._settings
        common: dict[str, Any] = {
            "username": settings.username,
            "password": settings.password.reveal() if settings.password else None,
            "socket_timeout": settings.request_timeout_s,
            "socket_connect_timeout": settings.connect_timeout_s,
            # Whoever asks does what more of them would be for.
            "retry": Retry(NoBackoff(), settings.resend_max),
        }
        return common

    def _single(self) -> Redis:
        from redis.asyncio import (  # noqa: PLC0415
            BlockingConnectionPool,
            Connection,
            Redis,
            SSLConnection,
            UnixDomainSocketConnection,
        )

        settings, common = self._settings, self._common()
        place: dict[str, Any]
        kind: type[Connection | SSLConnection | UnixDomainSocketConnection]
        if self._addresses:
            host, port = self._addresses[0]
            place = {"host": host, "port": port}
            kind = Connection
            if settings.ssl.enable:
                kind = _with_context(SSLConnection, settings.ssl.context())
        else:
            place, kind = {"path": settings.server}, UnixDomainSocketConnection
            common.pop("socket_connect_timeout")
        pool = BlockingConnectionPool(
            max_connections=settings.pool_size + settings.reserved,
            timeout=settings.request_timeout_s,
            connection_class=kind,
            db=settings.database,
            **place,
            **common,
        )
        return Redis.from_pool(pool)

    def _cluster(self) -> RedisCluster:
        from redis.asyncio import RedisCluster  # noqa: PLC0415
        from redis.asyncio.cluster import ClusterNode  # noqa: PLC0415

        nodes = [ClusterNode(host, port) for host, port in self._addresses]
        return RedisCluster(
            startup_nodes=nodes,
            max_connections=self._settings.pool_size + self._settings.reserved,
            **self._common(),
            **self._tls_of_cluster(),
        )

    def _tls_of_cluster(self) -> dict[str, Any]:
        """The client of clusters reads the files itself."""
        tls = self._settings.ssl
        if not tls.enable:
            return {}
        is_verified = tls.verify != "verify_none"
        return {
            "ssl": True,
            "ssl_cert_reqs": "required" if is_verified else "none",
            "ssl_check_hostname": is_verified and tls.server_name_indication != DISABLED,
            "ssl_ca_certs": str(tls.cacertfile) if tls.cacertfile else None,
            "ssl_certfile": str(tls.certfile) if tls.certfile else None,
            "ssl_keyfile": str(tls.keyfile) if tls.keyfile else None,
        }

    def _behind_sentinels(self) -> Redis:
        from redis.asyncio import Sentinel  # noqa: PLC0415
        from redis.asyncio.sentinel import SentinelManagedSSLConnection  # noqa: PLC0415

        common = self._common()
        if self._settings.ssl.enable:
            kind = _with_context(SentinelManagedSSLConnection, self._settings.ssl.context())
            common["connection_class"] = kind
        sentinel = Sentinel(
            self._addresses,
            sentinel_kwargs={
                "socket_timeout": common["socket_timeout"],
                "socket_connect_timeout": common["socket_connect_timeout"],
            },
        )
        self._sentinels = list(sentinel.sentinels)
        master: Redis = sentinel.master_for(
            self._settings.sentinel or "",
            db=self._settings.database,
            max_connections=self._settings.pool_size + self._settings.reserved,
            **common,
        )
        return master

    async def stop(self) -> None:
        """Close every connection. May be called twice."""
        redis, self._redis = self._redis, None
        sentinels, self._sentinels = self._sentinels, []
        for open_ in (redis, *sentinels):
            if open_ is not None:
                await open_.aclose()


def _with_context(kind: type[Any], context: ssl.SSLContext) -> type[Any]:
    """Connections of a kind that speak TLS as ``ssl`` of the configuration says."""

    class OwnTls(kind):  # type: ignore[misc]  # a variable as base
        def __init__(self, **more: Any) -> None:
            super().__init__(**more)
            self.ssl_context.context = context

    return OwnTls
