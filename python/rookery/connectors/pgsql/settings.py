"""``connectors.pgsql.NAME`` and ``actions.pgsql.NAME``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rookery.access.databases.postgresql_pool import DEFAULT_PORT
from rookery.connectors.addresses import one_address
from rookery.connectors.kinds import KIND, SecretText
from rookery.connectors.settings import ActionSettings, ConnectorSettings, Settings, Tls

DEFAULT_SQL = (
    "insert into t_mqtt_msg(msgid, topic, qos, payload, arrived) values (${id}, ${topic}, ${qos}, "
    "${payload}, TO_TIMESTAMP((${timestamp} :: bigint)/1000))"
)


class PgsqlConnectorSettings(ConnectorSettings):
    """A database."""

    server: Annotated[str, one_address(DEFAULT_PORT, may_be_path=True)] = Field(
        min_length=1,
        max_length=1024,
        title="Server",
        description="host:port, or the folder of a Unix socket; port 5432 if none is given.",
    )
    database: str = Field(
        min_length=1, max_length=255, title="Database", description="Name of the database."
    )
    username: str = Field(
        min_length=1, max_length=255, title="Username", description="Who this node is there."
    )
    password: SecretText | None = Field(
        default=None, title="Password", description="Password of that user."
    )
    pool_size: int = Field(
        default=8,
        ge=1,
        le=1024,
        title="Pool size",
        description="Most connections; they are made when they are needed.",
    )
    disable_prepared_statements: bool = Field(
        default=False,
        title="Without prepared statements",
        description="For poolers that give every transaction another connection, such as PgBouncer "
        "in transaction mode. Values are bound as parameters all the same.",
    )
    auto_reconnect: bool = Field(
        default=True,
        deprecated=True,
        title="Reconnect",
        description="Kept for configurations of EMQX: connections are made again in any case.",
    )
    ssl: Tls = Field(default_factory=Tls, title="TLS", description="Encryption of the connection.")


class PgsqlParameters(Settings):
    """What an action does."""

    sql: str = Field(
        default=DEFAULT_SQL,
        min_length=1,
        max_length=65_535,
        title="SQL",
        description="One statement. ${a.b[1]} is a value of the rule's result, bound as a "
        "parameter of the type that the statement has there; what is not there is NULL.",
        json_schema_extra={KIND: "sql"},
    )


class PgsqlActionSettings(ActionSettings):
    """A statement for every result."""

    parameters: PgsqlParameters = Field(
        default_factory=PgsqlParameters, title="Parameters", description="What is done."
    )
