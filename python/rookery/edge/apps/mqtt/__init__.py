"""Sends what drivers read to an MQTT broker, and takes requests to write and read from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.edge.apps.base import Application, AppType, Place
from rookery.edge.apps.mqtt.settings import FIELDS, check_params, check_setting
from rookery.words import Words


def _make(setting: Mapping[str, Any], place: Place) -> Application:
    from rookery.edge.apps.mqtt.app import MqttApplication  # noqa: PLC0415 - loads a client library

    return MqttApplication(setting, place)


TYPE = AppType(
    name="MQTT",
    title=Words("MQTT", "MQTT"),
    about=Words(
        "Sends what is read to an MQTT broker, in order, also after the broker was away",
        "将采集数据按顺序发送到 MQTT 服务器，断线恢复后自动补发",
    ),
    fields=FIELDS,
    make=_make,
    check_params=check_params,
    check_setting=check_setting,
)
