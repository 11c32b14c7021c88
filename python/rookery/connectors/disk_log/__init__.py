"""``disk_log``: lines in a file of this machine."""

from __future__ import annotations

from rookery.access.errors import Words
from rookery.connectors.base import ConnectorType
from rookery.connectors.disk_log.connector import open_connector, refuse
from rookery.connectors.disk_log.settings import DiskLogActionSettings, DiskLogConnectorSettings
from rookery.connectors.disk_log.texts_zh import TEXTS_ZH

TYPE = ConnectorType(
    name="disk_log",
    title=Words("File", "文件"),
    about=Words("Appends a line to a file for every result.", "为每条结果向文件追加一行。"),
    connector_settings=DiskLogConnectorSettings,
    action_settings=DiskLogActionSettings,
    texts_zh=TEXTS_ZH,
    open=open_connector,
    refuse=refuse,
)
