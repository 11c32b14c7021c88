"""``http``: requests to a service."""

from __future__ import annotations

from rookery.access.errors import Words
from rookery.connectors.base import ConnectorType
from rookery.connectors.http.connector import open_connector
from rookery.connectors.http.settings import HttpActionSettings, HttpConnectorSettings
from rookery.connectors.http.texts_zh import TEXTS_ZH

TYPE = ConnectorType(
    name="http",
    title=Words("HTTP server", "HTTP 服务"),
    about=Words(
        "Sends a request to a web service for every result.", "为每条结果向 Web 服务发送一个请求。"
    ),
    connector_settings=HttpConnectorSettings,
    action_settings=HttpActionSettings,
    texts_zh=TEXTS_ZH,
    open=open_connector,
)
