"""What becomes of every key of EMQX 3 and 4, as data: one row a key."""

from __future__ import annotations

from rookery.config.importing.model import Row
from rookery.config.importing.tables.listeners import LISTENERS
from rookery.config.importing.tables.mqtt import MQTT
from rookery.config.importing.tables.node import NODE
from rookery.config.importing.tables.plugins import PLUGINS

ROWS: tuple[Row, ...] = (*LISTENERS, *MQTT, *NODE, *PLUGINS)

__all__ = ["ROWS"]
