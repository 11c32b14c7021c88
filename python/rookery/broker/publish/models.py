"""What publishing takes and gives."""

from __future__ import annotations

import base64
import binascii
from typing import Literal

from pydantic import Field

from rookery.native.node import Publication
from rookery.native.properties import NO_PROPERTIES, Properties, encode_properties
from rookery.web.models import Model, Row

PUBLISHER = "http_api"
"""The client identifier that such messages carry, as in EMQX."""

U32_MAX = (1 << 32) - 1


class MessageProperties(Model):
    """Properties of the PUBLISH, MQTT-5.0 section 3.3.2.3."""

    payload_format_indicator: int | None = Field(
        None, ge=0, le=1, description="1 says that the payload is UTF-8 text."
    )
    message_expiry_interval: int | None = Field(
        None, ge=0, le=U32_MAX, description="Seconds after which nobody gets it any more."
    )
    response_topic: str | None = Field(
        None, min_length=1, max_length=65535, description="Topic name for answers."
    )
    correlation_data: str | None = Field(
        None, max_length=65535, description="What answers have to carry."
    )
    user_properties: dict[str, str] | None = Field(None, description="Names and values.")
    content_type: str | None = Field(None, max_length=65535, description="Such as `text/plain`.")


class PublishMessage(Model):
    """A message."""

    topic: str = Field(description="Topic name.", examples=["plant/7/set"])
    payload: str = Field(description="The payload.", examples=["21.5"])
    payload_encoding: Literal["plain", "base64"] = Field(
        "plain", description="How `payload` is written."
    )
    qos: int = Field(0, ge=0, le=2, description="QoS.")
    retain: bool = Field(False, description="Whether it is retained.")
    properties: MessageProperties | None = Field(None, description="Properties of the PUBLISH.")
    clientid: str | None = Field(None, deprecated=True, description="Not used any more.")

    def publication(self) -> Publication:
        """What the core takes.

        Raises:
            ValueError: the payload is not base64.
            BadRequestError: a property breaks a rule of MQTT.
        """
        payload = self.payload.encode()
        if self.payload_encoding == "base64":
            try:
                payload = base64.b64decode(payload, validate=True)
            except binascii.Error:
                raise ValueError("bad_base64_payload") from None
        said = self.properties
        expiry_s = None if said is None else said.message_expiry_interval
        return Publication(
            topic=self.topic,
            payload=payload,
            qos=self.qos,
            retain=self.retain,
            properties=encode_properties(NO_PROPERTIES if said is None else _properties(said)),
            expiry_s=expiry_s,
            client_id=PUBLISHER,
        )


def _properties(said: MessageProperties) -> Properties:
    data = said.correlation_data
    return Properties(
        payload_format_indicator=said.payload_format_indicator,
        content_type=said.content_type,
        response_topic=said.response_topic,
        correlation_data=None if data is None else data.encode(),
        user_properties=tuple((said.user_properties or {}).items()),
    )


class PublishOk(Row):
    """It went to at least one subscriber, or is delayed."""

    id: str = Field(description="Identity of the message.")


class PublishError(Row):
    """It went to nobody, or was not taken."""

    reason_code: int = Field(description="MQTT reason code.", examples=[16])
    message: str = Field(description="The same for people.", examples=["no_matching_subscribers"])
    plugin: str | None = Field(
        default=None,
        description="The plugin that refused it (`refused_by_plugin`), or that is set to refuse and "
        "gave no answer within its deadline (`plugin_did_not_answer`).",
        examples=["payload_transform-1.0.0"],
    )
