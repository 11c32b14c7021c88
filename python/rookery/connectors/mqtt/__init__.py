"""MQTT: actions publish to another broker, sources subscribe there."""

from __future__ import annotations

from rookery.access.errors import Words
from rookery.connectors.base import Connector, ConnectorType, Context
from rookery.connectors.mqtt.settings import (
    MqttActionSettings,
    MqttConnectorSettings,
    MqttSourceSettings,
)
from rookery.connectors.mqtt.texts_zh import TEXTS


def _open(
    settings: MqttConnectorSettings, context: Context
) -> Connector[MqttActionSettings, MqttSourceSettings]:
    from rookery.connectors.mqtt.connector import MqttConnector  # noqa: PLC0415

    return MqttConnector(settings, context)


TYPE = ConnectorType(
    name="mqtt",
    title=Words("MQTT broker", "MQTT 服务器"),
    about=Words(
        "Bridges to another MQTT broker: publishes results there, and takes messages from it.",
        "桥接到另一个 MQTT 服务器：将结果发布到该服务器，或从该服务器接收消息。",
    ),
    connector_settings=MqttConnectorSettings,
    action_settings=MqttActionSettings,
    source_settings=MqttSourceSettings,
    texts_zh=TEXTS,
    open=_open,
)
