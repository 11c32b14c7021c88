"""Titles and descriptions of the settings in Chinese."""

from __future__ import annotations

from rookery.connectors.kafka.texts_zh import CONNECTOR
from rookery.connectors.settings import ZhTexts

TEXTS = ZhTexts(
    connector=CONNECTOR,
    source={
        "topic": ("主题", "Kafka 主题，必须已存在。"),
        "group_id": (
            "消费者组",
            "同一组的节点共同消费消息。留空时由连接器名和主题名组成。",
        ),
        "max_batch_bytes": ("批次大小", "每次从一个分区获取的最大字节数。"),
        "offset_reset_policy": ("起始位置", "消费者组还没有偏移量时，从最新还是最早的消息开始。"),
        "offset_commit_interval_seconds": (
            "提交间隔",
            "提交偏移量的间隔。只提交规则已收到的消息。",
        ),
        "key_encoding_mode": ("键编码", "规则得到的键是否为 base64。"),
        "value_encoding_mode": ("值编码", "规则得到的值是否为 base64。"),
    },
)
