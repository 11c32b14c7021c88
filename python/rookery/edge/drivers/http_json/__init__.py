"""Devices and services that answer a GET with JSON: gateways, sensors, weather."""

from __future__ import annotations

from rookery.edge.drivers.base import DriverType
from rookery.edge.drivers.http_json.address import check_tag
from rookery.edge.drivers.http_json.driver import HttpJson
from rookery.edge.drivers.http_json.settings import FIELDS
from rookery.words import Words

TYPE = DriverType(
    name="HTTP JSON",
    title=Words("HTTP JSON", "HTTP JSON"),
    about=Words(
        "Reads values out of the JSON that a URL answers with", "从 URL 返回的 JSON 中读取数据"
    ),
    fields=FIELDS,
    make=HttpJson,
    check_tag=check_tag,
)
