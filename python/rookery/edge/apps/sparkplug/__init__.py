"""Sparkplug B 3.0: the gateway as an edge node, drivers as its devices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.edge.apps.base import Application, AppType, Place
from rookery.edge.apps.mqtt.settings import check_tls
from rookery.edge.apps.sparkplug.settings import FIELDS, check_params
from rookery.words import Words


def _make(setting: Mapping[str, Any], place: Place) -> Application:
    from rookery.edge.apps.sparkplug.app import Sparkplug  # noqa: PLC0415 - needs the extra

    return Sparkplug(setting, place)


TYPE = AppType(
    name="SparkplugB",
    title=Words("Sparkplug B", "Sparkplug B"),
    about=Words(
        "Sends what is read as an edge node of Sparkplug B, and takes its commands",
        "作为 Sparkplug B 边缘节点上报数据，并接受写入命令",
    ),
    fields=FIELDS,
    make=_make,
    check_params=check_params,
    check_setting=check_tls,
    packages=("google.protobuf",),
)
