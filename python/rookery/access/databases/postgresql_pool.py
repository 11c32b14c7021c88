"""Connections to PostgreSQL, for whoever asks it questions or writes rows into it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from rookery.access.databases.settings import DatabaseSettings, host_and_port, missing_package

if TYPE_CHECKING:
    import asyncpg

DEFAULT_PORT = 5432
IDLE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlPlace(DatabaseSettings):
    """A database and how it is reached.

    Attributes:
        server: ``host:port``, or the folder of a Unix socket.
        database: Its name.
    """

    server: str
    database: str


def address_of(place: PostgresqlPlace, where: str) -> tuple[str, int]:
    """Host, or folder of the socket, and port.

    Raises:
        SettingError: the server is no address, or the package for PostgreSQL is missing.
    """
    if find_spec("asyncpg") is None:  # an extra
        raise missing_package(where, "asyncpg", "postgres")
    if place.server.startswith("/"):
        return place.server, DEFAULT_PORT
    return host_and_port(place.server, DEFAULT_PORT, f"{where}.server")


async def open_pool(
    place: PostgresqlPlace, address: tuple[str, int], **options: Any
) -> asyncpg.Pool:
    """Make the pool; a connection is made by the first who needs one.

    Raises:
        SettingError: a certificate file cannot be used.
    """
    import asyncpg  # noqa: PLC0415

    host, port = address
    return await asyncpg.create_pool(
        host=host,
        port=port,
        user=place.username,
        password=place.password.reveal() if place.password else None,
        database=place.database,
        min_size=0,
        max_size=place.pool_size,
        max_inactive_connection_lifetime=IDLE_S,
        timeout=place.connect_timeout_s,
        command_timeout=place.request_timeout_s,
        ssl=place.ssl.context() if place.ssl.enable else False,
        **options,
    )
