"""``connectors.redis.NAME`` and ``actions.redis.NAME``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rookery.access.databases.redis_connections import DEFAULT_PORT, SENTINEL_PORT
from rookery.connectors.addresses import every_address, one_address
from rookery.connectors.kinds import KIND, CommaList, SecretText
from rookery.connectors.settings import ActionSettings, ConnectorSettings, Settings, Tls


class _Deployment(Settings):
    """What all deployments have."""

    pool_size: int = Field(
        default=8,
        ge=1,
        le=1024,
        title="Pool size",
        description="Most connections; of a cluster, to each of its nodes.",
    )
    username: str | None = Field(
        default=None, max_length=255, title="Username", description="User, where Redis has users."
    )
    password: SecretText | None = Field(
        default=None, title="Password", description="Password of the user, or of the server."
    )
    auto_reconnect: bool = Field(
        default=True,
        deprecated=True,
        title="Reconnect",
        description="Kept for configurations of EMQX: connections are made again in any case.",
    )


class RedisSingle(_Deployment):
    """One server."""

    redis_type: Literal["single"] = Field(
        default="single", title="Deployment", description="One server."
    )
    server: Annotated[str, one_address(DEFAULT_PORT, may_be_path=True)] = Field(
        min_length=1,
        max_length=1024,
        title="Server",
        description="host:port, or the path of a Unix socket; port 6379 if none is given.",
    )
    database: int = Field(
        default=0, ge=0, le=1 << 20, title="Database", description="Number of the database."
    )


class RedisSentinel(_Deployment):
    """A master that sentinels name."""

    redis_type: Literal["sentinel"] = Field(
        default="sentinel", title="Deployment", description="A master that sentinels name."
    )
    servers: Annotated[CommaList, every_address(SENTINEL_PORT)] = Field(
        min_length=1,
        max_length=256,
        title="Sentinels",
        description="host:port of the sentinels, with commas between them; port 26379 if none is given.",
    )
    sentinel: str = Field(
        min_length=1,
        max_length=255,
        title="Master",
        description="Name by which the sentinels know the master.",
    )
    database: int = Field(
        default=0, ge=0, le=1 << 20, title="Database", description="Number of the database."
    )


class RedisCluster(_Deployment):
    """A cluster."""

    redis_type: Literal["cluster"] = Field(
        default="cluster", title="Deployment", description="A cluster."
    )
    servers: Annotated[CommaList, every_address(DEFAULT_PORT)] = Field(
        min_length=1,
        max_length=256,
        title="Nodes",
        description="host:port of some nodes, with commas between them; port 6379 if none is given.",
    )


RedisDeployment = Annotated[
    RedisSingle | RedisSentinel | RedisCluster, Field(discriminator="redis_type")
]


class RedisConnectorSettings(ConnectorSettings):
    """A deployment of Redis."""

    parameters: RedisDeployment = Field(
        title="Parameters", description="What kind of deployment it is, and where."
    )
    ssl: Tls = Field(default_factory=Tls, title="TLS", description="Encryption of the connection.")


class RedisParameters(Settings):
    """What an action does."""

    command_template: tuple[Annotated[str, Field(max_length=65_535)], ...] = Field(
        min_length=1,
        max_length=1024,
        title="Command",
        description="A command and its arguments, each an element of the list. Arguments are "
        "templates such as ${payload.x}; a value never becomes a command or a second argument.",
        json_schema_extra={KIND: "template"},
    )


class RedisActionSettings(ActionSettings):
    """A command for every result."""

    parameters: RedisParameters = Field(title="Parameters", description="What is done.")
