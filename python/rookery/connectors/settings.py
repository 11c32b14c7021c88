"""Bases of what connectors, actions and sources are made from, by EMQX's names.

A type's own class names its fields with title and description in English; the Chinese texts stand
in ``texts_zh.py`` beside. Kinds of values are in :mod:`rookery.connectors.kinds`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from rookery.access.tls import ClientTls
from rookery.connectors.kinds import KIND, REVEAL, SecretText
from rookery.connectors.options import ActionOptions, ConnectorOptions, SourceOptions
from rookery.connectors.refusals import RefusedValue
from rookery.words import Words

DESCRIPTION_LENGTH_MAX = 4096
# As in EMQX, which has more of them.
NAME_PATTERN = r"^[0-9a-zA-Z][0-9a-zA-Z_-]{0,254}$"


@dataclass(frozen=True, slots=True)
class ZhTexts:
    """Texts in Chinese: path below the class (``ssl.verify``) to title and description.

    What the bases below have is told already. ``action`` and ``source`` are the fields of
    ``parameters``.
    """

    connector: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    action: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    source: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class Settings(BaseModel):
    """Base of all: a key that nobody knows is an error, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def shown(self) -> dict[str, Any]:
        """As people see it: secrets hidden."""
        return self.model_dump(mode="json", exclude_none=True)

    def stored(self) -> dict[str, Any]:
        """As it is kept: secrets written out."""
        return self.model_dump(mode="json", exclude_none=True, context={REVEAL: True})


Parameters = Settings
"""What is particular to an action or a source: base of the class of its ``parameters``."""

_INERT_TLS = frozenset(
    {
        *("versions", "ciphers", "depth", "secure_renegotiate", "reuse_sessions", "log_level"),
        *("hibernate_after", "user_lookup_fun", "partial_chain", "middlebox_comp_mode"),
        *("verify_peer_ext_key_usage", "managed_certs", "cacerts"),
    }
)


class Tls(Settings):
    """``ssl`` towards a service."""

    enable: bool = Field(
        default=False, title="Enable TLS", description="Whether the connection is encrypted."
    )
    verify: Literal["verify_peer", "verify_none"] = Field(
        default="verify_peer",
        title="Verify the server",
        description="Whether the server's certificate must check.",
    )
    cacertfile: Path | None = Field(
        default=None,
        title="CA certificates",
        description="Who may sign it; else whom the system trusts.",
    )
    certfile: Path | None = Field(
        default=None, title="Certificate", description="Certificate that is shown to the server."
    )
    keyfile: Path | None = Field(
        default=None, title="Private key", description="Key of the certificate."
    )
    password: SecretText | None = Field(
        default=None, title="Password of the key", description="Where the key file is encrypted."
    )
    server_name_indication: str | None = Field(
        default=None,
        max_length=255,
        title="Server name",
        description="Name that is asked for and checked instead of the host's; "
        "disable asks for none and checks none.",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_inert(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: value for key, value in raw.items() if key not in _INERT_TLS}
        return raw

    def client_tls(self) -> ClientTls:
        """The same for :mod:`rookery.access.tls`, which makes the context."""
        return ClientTls(**{name: getattr(self, name) for name in type(self).model_fields})


class FallbackReference(Settings):
    """Another action."""

    kind: Literal["reference"] = Field(title="Kind", description="Another action.")
    type: str = Field(max_length=64, title="Action type", description="Type of the other action.")
    name: str = Field(
        pattern=NAME_PATTERN, title="Action name", description="Name of the other action."
    )


_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
_WILDCARD = Words("must hold no + and no #, which no topic has", "不能包含 + 或 #，主题中没有它们")


def _checked_topic(template: str) -> str:
    """Where something is published to: what a placeholder gives is seen only then."""
    if not {"+", "#"}.isdisjoint(_PLACEHOLDER.sub("", template)):
        raise RefusedValue(_WILDCARD)
    return template


TopicTemplate: TypeAlias = Annotated[str, AfterValidator(_checked_topic)]


class FallbackRepublishArgs(Settings):
    """What is published; templates of the rule's result."""

    topic: TopicTemplate = Field(
        min_length=1,
        max_length=65_535,
        title="Topic",
        description="Where to, with placeholders.",
        json_schema_extra={KIND: "template"},
    )
    payload: str = Field(
        default="${.}",
        max_length=1 << 20,
        title="Payload",
        description="What, with placeholders; ${.} is the whole result of the rule.",
        json_schema_extra={KIND: "body"},
    )
    qos: int | str = Field(default=0, title="QoS", description="0, 1, 2 or a placeholder.")
    retain: bool | str = Field(
        default=False, title="Retain", description="true, false or a placeholder."
    )
    user_properties: str = Field(
        default="",
        title="User properties",
        description="A placeholder that gives a JSON object.",
        json_schema_extra={KIND: "template"},
    )
    mqtt_properties: dict[str, str] = Field(
        default_factory=dict,
        title="MQTT properties",
        description="Other properties of the message.",
    )
    direct_dispatch: bool | str = Field(
        default=False, title="Direct dispatch", description="Kept for configurations of EMQX."
    )


class FallbackRepublish(Settings):
    """A message of this node."""

    kind: Literal["republish"] = Field(title="Kind", description="A message of this node.")
    args: FallbackRepublishArgs = Field(title="Arguments", description="What is published.")


Fallback: TypeAlias = FallbackReference | FallbackRepublish


class Described(Settings):
    """What connectors, actions and sources have in common."""

    enable: bool = Field(default=True, title="Enabled", description="Whether it works.")
    description: str = Field(
        default="",
        max_length=DESCRIPTION_LENGTH_MAX,
        title="Description",
        description="For those who look after it.",
    )
    tags: tuple[str, ...] = Field(
        default=(), max_length=64, title="Tags", description="Words to find it by."
    )


class ConnectorSettings(Described):
    """Base of a type's connectors."""

    resource_opts: ConnectorOptions = Field(
        default_factory=ConnectorOptions, title="Resource options", description="How it is run."
    )


class ActionSettings(Described):
    """Base of a type's actions; each gives ``parameters`` a class of its own."""

    connector: str = Field(
        pattern=NAME_PATTERN, title="Connector", description="Name of the connector that it uses."
    )
    parameters: Parameters
    resource_opts: ActionOptions = Field(
        default_factory=ActionOptions, title="Resource options", description="How it is run."
    )
    fallback_actions: tuple[Fallback, ...] = Field(
        default=(),
        max_length=8,
        title="Fallback actions",
        description="Get what this action could not deliver.",
    )


class SourceSettings(Described):
    """Base of a type's sources; each gives ``parameters`` a class of its own."""

    connector: str = Field(
        pattern=NAME_PATTERN, title="Connector", description="Name of the connector that it uses."
    )
    parameters: Parameters
    resource_opts: SourceOptions = Field(
        default_factory=SourceOptions, title="Resource options", description="How it is run."
    )
