"""What an MQTT connector, its actions and its sources are made from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from rookery.access.databases.settings import host_and_port
from rookery.access.topic_filters import is_topic_filter
from rookery.connectors.addresses import one_address
from rookery.connectors.kinds import KIND, Seconds, SecretText
from rookery.connectors.options import ActionOptions
from rookery.connectors.refusals import RefusedValue
from rookery.connectors.settings import (
    ActionSettings,
    ConnectorSettings,
    Parameters,
    SourceSettings,
    Tls,
    TopicTemplate,
)
from rookery.words import Words

_NO_SECONDS = Words("must be whole seconds", "应为整秒")
_NO_FILTER = Words(
    "must be a topic filter: + is a level by itself, # the last one",
    "应为主题过滤器：+ 须单独占一级，# 只能是最后一级",
)

DEFAULT_PORT = 1883
KEEP_ALIVE_S_MAX = 65_535
TOPIC_BYTES_MAX = 65_535
SHARE = "$share/"


class MqttConnectorSettings(ConnectorSettings):
    """``connectors.mqtt``."""

    server: Annotated[str, one_address(DEFAULT_PORT)] = Field(
        title="Broker",
        description="Address of the remote broker, host:port; the port is 1883 if left out.",
    )
    clientid_prefix: str | None = Field(
        default=None,
        max_length=128,
        title="Client ID prefix",
        description="Text before the client identifiers, which are made from the names of the "
        "connector and the node and stay the same over a restart.",
    )
    proto_ver: Literal["v3", "v4", "v5"] = Field(
        default="v4",
        title="MQTT version",
        description="v3 is MQTT 3.1, v4 is 3.1.1, v5 is 5.0.",
    )
    bridge_mode: bool = Field(
        default=False,
        title="Bridge mode",
        description="Tells the broker that a bridge connects, as some brokers expect with MQTT 3.",
    )
    username: str | None = Field(
        default=None,
        max_length=65_535,
        title="User name",
        description="What to authenticate as.",
    )
    password: SecretText | None = Field(
        default=None, title="Password", description="Password of the user."
    )
    clean_start: bool = Field(
        default=True,
        title="Clean start",
        description="Whether the broker forgets the session of a source whose connection ends. "
        "false keeps what arrives in the meantime.",
    )
    keepalive: Seconds = Field(
        default=160.0,
        title="Keep alive",
        description="Most time without a packet; then the broker is asked whether it lives.",
    )
    retry_interval: Seconds = Field(
        default=15.0,
        title="Acknowledgement timeout",
        description="How long the broker may take to acknowledge a message; then the connection "
        "is made again, and the message sent again.",
    )
    max_inflight: int = Field(
        default=32,
        ge=0,
        le=65_535,
        title="In-flight window",
        description="Most messages of one connection that wait for an acknowledgement; "
        "0: as many as the broker takes.",
    )
    pool_size: int = Field(
        default=8,
        ge=1,
        le=256,
        title="Connections",
        description="How many connections actions share; all messages of one client take the "
        "same. A source has one of its own.",
    )
    connect_timeout: Seconds = Field(
        default=10.0,
        title="Connect timeout",
        description="How long connecting may take.",
    )
    ssl: Tls = Field(
        default_factory=Tls, title="TLS", description="Encryption towards the remote broker."
    )

    @field_validator("keepalive")
    @classmethod
    def _keepalive(cls, keepalive: float) -> float:
        if not 1 <= keepalive <= KEEP_ALIVE_S_MAX or keepalive != int(keepalive):
            raise RefusedValue(_NO_SECONDS)
        return keepalive

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return host_and_port(self.server, DEFAULT_PORT, "server")


class MqttActionParameters(Parameters):
    """``parameters`` of an action."""

    topic: TopicTemplate = Field(
        min_length=1,
        max_length=TOPIC_BYTES_MAX,
        title="Topic",
        description="Topic on the remote broker; a template such as ${topic}.",
        json_schema_extra={KIND: "template"},
    )
    qos: Literal[0, 1, 2] | str = Field(
        default=1,
        title="QoS",
        description="0, 1, 2 or a template such as ${qos}. With 0 nobody acknowledges a message.",
    )
    retain: bool | str = Field(
        default=False,
        title="Retain",
        description="Whether the remote broker keeps the message; true, false or a template.",
    )
    payload: str | None = Field(
        default=None,
        max_length=1 << 20,
        title="Payload",
        description="Template of the payload, such as ${payload}; without one it is the whole "
        "result of the rule as JSON.",
        json_schema_extra={KIND: "body"},
    )


class MqttActionOptions(ActionOptions):
    """``resource_opts``: messages that are at hand go out together."""

    batch_size: int = Field(
        default=100,
        ge=1,
        le=65_535,
        title="Batch size",
        description="Most messages that are sent before the first one must be acknowledged.",
    )


class MqttActionSettings(ActionSettings):
    """``actions.mqtt``."""

    parameters: MqttActionParameters = Field(title="Parameters", description="What is published.")
    resource_opts: MqttActionOptions = Field(
        default_factory=MqttActionOptions, title="Resource options", description="How it is run."
    )


def _checked_filter(text: str) -> str:
    if not is_topic_filter(text):
        raise RefusedValue(_NO_FILTER)
    return text


class MqttSourceParameters(Parameters):
    """``parameters`` of a source."""

    topic: Annotated[str, AfterValidator(_checked_filter)] = Field(
        min_length=1,
        max_length=TOPIC_BYTES_MAX,
        title="Topic filter",
        description="What to subscribe to on the remote broker. With several nodes use "
        "$share/group/filter: else each node gets every message.",
    )
    qos: Literal[0, 1, 2] = Field(
        default=1,
        title="QoS",
        description="Highest QoS. A message of 1 or 2 is acknowledged when rules have got it.",
    )


class MqttSourceSettings(SourceSettings):
    """``sources.mqtt``."""

    parameters: MqttSourceParameters = Field(
        title="Parameters", description="What is subscribed to."
    )
