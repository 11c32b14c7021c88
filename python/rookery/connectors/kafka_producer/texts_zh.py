"""Titles and descriptions of the settings in Chinese."""

from __future__ import annotations

from rookery.connectors.kafka.texts_zh import CONNECTOR
from rookery.connectors.settings import ZhTexts

TEXTS = ZhTexts(
    connector=CONNECTOR,
    action={
        "topic": (
            "主题",
            "Kafka 主题。主题必须已存在，除非是模板，例如 site-${payload.site}。",
        ),
        "message": ("消息", "写入的内容。"),
        "message.key": ("键", "消息键的模板。"),
        "message.value": ("值", "消息值的模板；${.} 为规则的全部结果（JSON）。"),
        "message.timestamp": (
            "时间戳",
            "消息时间的模板，单位毫秒；不是数字时使用规则执行的时间。",
        ),
        "partition_strategy": (
            "分区策略",
            "key_dispatch 将同一键的消息按顺序写入同一分区，与 Kafka 官方客户端选择的分区相同；random 随机分布。",
        ),
        "partitions_limit": ("分区数量限制", "只使用前若干个分区。"),
        "partition_count_refresh_interval": ("分区刷新间隔", "查找新分区的间隔。"),
        "required_acks": (
            "所需确认",
            "all_isr：所有同步副本均已写入，且重试不会产生重复；leader_only：一个服务器已写入；none：没有确认。",
        ),
        "compression": ("压缩", "批次的压缩方式。"),
        "max_batch_bytes": ("批次大小", "单个分区的一个批次的最大字节数。"),
        "max_linger_time": ("等待时间", "批次在发送前等待更多消息的时间。"),
        "kafka_headers": (
            "消息头",
            "占位符，例如 ${pub_props}，其值为对象，或由含 key 和 value 的对象组成的数组。",
        ),
        "kafka_ext_headers": ("更多消息头", "由模板生成的消息头。"),
        "kafka_ext_headers.kafka_ext_header_key": ("名称", "消息头名称的模板。"),
        "kafka_ext_headers.kafka_ext_header_value": ("值", "消息头的值的模板。"),
        "kafka_header_value_encode_mode": (
            "消息头编码",
            "none 只接受文本值；json 将每个值写成 JSON。",
        ),
    },
)
