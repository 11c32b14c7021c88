"""What ``/authentication`` takes and gives."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from pydantic import Field

from rookery.config.json_schema import JsonSchema, json_schema
from rookery.config.schema.authentication import PROVIDER
from rookery.web.models import Model, Row, Settings

HTTP_EXAMPLE = {
    "mechanism": "password_based",
    "backend": "http",
    "method": "post",
    "url": "https://auth.example.com/mqtt",
    "body": {"clientid": "${clientid}", "username": "${username}", "password": "${password}"},
}
ID = "password_based:built_in_database"
ServiceState: TypeAlias = Literal["connecting", "connected", "disconnected"]


def with_id(forms: JsonSchema) -> JsonSchema:
    """The same entries as they are shown: each with its id."""
    text = {"type": "string", "description": "Id of the entry.", "readOnly": True}
    return {
        **forms,
        "oneOf": [
            {**form, "properties": {"id": text, **form["properties"]}} for form in forms["oneOf"]
        ],
    }


_FORMS = json_schema(PROVIDER)


class Provider(Settings):
    """A provider."""

    shape: ClassVar[JsonSchema] = {
        **with_id(_FORMS),
        "description": "A provider; `mechanism` and `backend` say which keys it has.",
    }


class ProviderRef(Model):
    """A provider in an order."""

    id: str = Field(description="Its id.", examples=[ID])


class UserRow(Row):
    """A user."""

    user_id: str = Field(description="User name or client identifier.", examples=["alice"])
    is_superuser: bool = Field(description="Whether nothing is denied to it.", examples=[False])


class MadeUser(UserRow):
    """A user after a change."""

    password: str | None = Field(None, description="A password that was made, shown this once.")


class NewUser(Model):
    """A user to add."""

    user_id: str = Field(description="User name or client identifier.", examples=["alice"])
    password: str | None = Field(
        None,
        description="Its password. Without one a password is made, which is in the answer.",
        examples=["a long secret"],
    )
    is_superuser: bool = Field(False, description="Whether nothing is denied to it.")


class UserUpdate(Model):
    """What changes about a user; what is left out stays."""

    password: str | None = Field(
        None, description="Its new password.", examples=["another long secret"]
    )
    is_superuser: bool | None = Field(None, description="Whether nothing is denied to it.")
    generate: bool = Field(
        False, description="Make a password instead; it is in the answer, this once."
    )


class ImportReport(Row):
    """What a file brought."""

    added: int = Field(description="Users that are new.", examples=[2])
    changed: int = Field(description="Users that were there.", examples=[0])
    kept: int = Field(description="Users that were there and stay as they are.", examples=[0])


class ProviderMetrics(Row):
    """What a provider said since the start of the node."""

    total: int = Field(description="How often it was asked.", examples=[3])
    success: int = Field(description="How often it let a client in.", examples=[1])
    failed: int = Field(description="How often it refused one.", examples=[1])
    nomatch: int = Field(description="How often it could not tell.", examples=[1])


class ResourceMetrics(Row):
    """How a service or database answered."""

    matched: int = Field(description="Questions.", examples=[3])
    success: int = Field(description="Answers.", examples=[3])
    failed: int = Field(description="Failures, late answers included.", examples=[0])


class ServiceNodeStatus(Row):
    """Whether a node can ask it."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    status: ServiceState = Field(description="What it finds.")


class ServiceNodeError(Row):
    """Why a node cannot ask it."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    error: str = Field(
        description="The reason, in the language asked for.",
        examples=["PostgreSQL at 127.0.0.1:5432 is starting or stopping: it is tried again"],
    )


class NodeResourceMetrics(Row):
    """Answers to one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    metrics: ResourceMetrics


class NodeProviderMetrics(Row):
    """What a provider said to one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    metrics: ProviderMetrics


class StatusRow(Row):
    """Whether something can be asked, and how its service answers."""

    status: ServiceState = Field(
        description="`connecting`: its service was not reached yet. `disconnected`: switched off, "
        "or its service cannot be asked; `node_error` says why."
    )
    node_status: list[ServiceNodeStatus]
    node_error: list[ServiceNodeError]
    resource_metrics: ResourceMetrics | None = Field(
        None, description="Only of one that asks a service or a database."
    )
    node_resource_metrics: list[NodeResourceMetrics] | None = None


class ProviderStatus(StatusRow):
    """Whether a provider can be asked, and what it said."""

    metrics: ProviderMetrics | None = Field(None, description="Only of one that is switched on.")
    node_metrics: list[NodeProviderMetrics] | None = None
