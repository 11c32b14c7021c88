"""Elasticsearch and OpenSearch: an action writes a document for every result of a rule.

Speaks the bulk interface over HTTP itself, which both have in common: Elasticsearch's own client
refuses OpenSearch, by name (since 7.14) and by the media types that it sends.
"""

from __future__ import annotations

from typing import Any

from rookery.access.errors import Words
from rookery.connectors.base import Connector, ConnectorType, Context
from rookery.connectors.elasticsearch.settings import (
    ElasticsearchActionSettings,
    ElasticsearchConnectorSettings,
)
from rookery.connectors.elasticsearch.texts_zh import TEXTS


def _open(
    settings: ElasticsearchConnectorSettings, context: Context
) -> Connector[ElasticsearchActionSettings, Any]:
    from rookery.connectors.elasticsearch.connector import (  # noqa: PLC0415 - loads a client
        ElasticsearchConnector,
    )

    return ElasticsearchConnector(settings, context)


TYPE = ConnectorType(
    name="elasticsearch",
    title=Words("Elasticsearch / OpenSearch", "Elasticsearch / OpenSearch 搜索引擎"),
    about=Words(
        "Writes, changes or deletes a document for every result.",
        "为每条结果写入、修改或删除一个文档。",
    ),
    connector_settings=ElasticsearchConnectorSettings,
    action_settings=ElasticsearchActionSettings,
    texts_zh=TEXTS,
    open=_open,
)
