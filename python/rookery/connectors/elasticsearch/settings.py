"""``connectors.elasticsearch.NAME`` and ``actions.elasticsearch.NAME``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rookery.connectors.addresses import one_address
from rookery.connectors.kinds import KIND, Seconds, SecretText
from rookery.connectors.settings import ActionSettings, ConnectorSettings, Settings, Tls

DEFAULT_PORT = 9200
# How EMQX spreads requests over its connections.
_INERT = frozenset({"pool_type", "enable_pipelining"})
_TEMPLATE: dict[str, Any] = {KIND: "template"}
TEMPLATE_LENGTH_MAX = 65_535


class BasicAuthentication(Settings):
    """Username and password."""

    username: str = Field(
        min_length=1, max_length=255, title="Username", description="Who this node is there."
    )
    password: SecretText = Field(title="Password", description="Password of that user.")


class ElasticsearchConnectorSettings(ConnectorSettings):
    """A cluster, by one address."""

    server: Annotated[str, one_address(DEFAULT_PORT)] = Field(
        default="127.0.0.1:9200",
        min_length=1,
        max_length=1024,
        title="Server",
        description="host:port of a node or of a balancer; port 9200 if none is given.",
    )
    authentication: BasicAuthentication | None = Field(
        default=None, title="Authentication", description="Username and password, where needed."
    )
    connect_timeout: Seconds = Field(
        default=15.0, title="Connect timeout", description="Longest time to connect."
    )
    pool_size: int = Field(
        default=8, ge=1, le=1024, title="Pool size", description="Most connections."
    )
    ssl: Tls = Field(default_factory=Tls, title="TLS", description="Encryption of the connection.")

    @model_validator(mode="before")
    @classmethod
    def _without_inert(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: value for key, value in raw.items() if key not in _INERT}
        return raw


class _Operation(Settings):
    """What all operations have."""

    index: str = Field(
        min_length=1,
        max_length=TEMPLATE_LENGTH_MAX,
        title="Index",
        description="Name of an index, of an alias or of a data stream; a template.",
        json_schema_extra=_TEMPLATE,
    )
    routing: str | None = Field(
        default=None,
        max_length=TEMPLATE_LENGTH_MAX,
        title="Routing",
        description="What chooses the shard, instead of the id; a template.",
        json_schema_extra=_TEMPLATE,
    )
    max_retries: int = Field(
        default=2,
        ge=0,
        title="Retries",
        description="Kept for configurations of EMQX: a document is sent again within the request TTL.",
    )


class Create(_Operation):
    """A new document."""

    action: Literal["create"] = Field(
        default="create", title="Action", description="Write a document."
    )
    id: str | None = Field(
        default=None,
        max_length=TEMPLATE_LENGTH_MAX,
        title="Document id",
        description="A template; without a value each document gets an id of its own.",
        json_schema_extra=_TEMPLATE,
    )
    doc: str | None = Field(
        default=None,
        max_length=TEMPLATE_LENGTH_MAX,
        title="Document",
        description="A template of a JSON object; without one, the whole result of the rule.",
        json_schema_extra=_TEMPLATE,
    )
    overwrite: bool = Field(
        default=True,
        title="Overwrite",
        description="Whether a document with the same id is replaced; else the new one fails.",
    )
    require_alias: bool = Field(
        default=False, title="Require alias", description="Whether the index must be an alias."
    )


class Update(_Operation):
    """Changes to a document."""

    action: Literal["update"] = Field(title="Action", description="Change a document.")
    id: str = Field(
        min_length=1,
        max_length=TEMPLATE_LENGTH_MAX,
        title="Document id",
        description="A template.",
        json_schema_extra=_TEMPLATE,
    )
    doc: str | None = Field(
        default=None,
        max_length=TEMPLATE_LENGTH_MAX,
        title="Changes",
        description="A template of a JSON object whose members are put into the document; "
        "without one, the whole result of the rule.",
        json_schema_extra=_TEMPLATE,
    )
    doc_as_upsert: bool = Field(
        default=False,
        title="Create if missing",
        description="Whether a document that is not there is made of the changes.",
    )
    require_alias: bool = Field(
        default=False, title="Require alias", description="Whether the index must be an alias."
    )


class Delete(_Operation):
    """The end of a document."""

    action: Literal["delete"] = Field(title="Action", description="Delete a document.")
    id: str = Field(
        min_length=1,
        max_length=TEMPLATE_LENGTH_MAX,
        title="Document id",
        description="A template.",
        json_schema_extra=_TEMPLATE,
    )


Operation = Annotated[Create | Update | Delete, Field(discriminator="action")]


class ElasticsearchActionSettings(ActionSettings):
    """A document for every result."""

    parameters: Operation = Field(title="Parameters", description="What is done.")
