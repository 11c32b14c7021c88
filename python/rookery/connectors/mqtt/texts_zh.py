"""Titles and descriptions of the settings in Chinese."""

from __future__ import annotations

from rookery.connectors.settings import ZhTexts

TEXTS = ZhTexts(
    connector={
        "server": ("服务器", "远程服务器的地址，格式为 主机:端口；省略端口时为 1883。"),
        "clientid_prefix": (
            "客户端 ID 前缀",
            "客户端 ID 的前缀；其余部分由连接器名和节点名组成，重启后不变。",
        ),
        "proto_ver": ("MQTT 版本", "v3 为 MQTT 3.1，v4 为 3.1.1，v5 为 5.0。"),
        "bridge_mode": ("桥接模式", "告知对方这是一个桥接连接，部分 MQTT 3 服务器需要。"),
        "username": ("用户名", "用于认证的用户名。"),
        "password": ("密码", "该用户的密码。"),
        "clean_start": (
            "清除会话",
            "连接断开后远程服务器是否丢弃数据源的会话。设为 false 时会保留断开期间到达的消息。",
        ),
        "keepalive": ("心跳间隔", "没有报文往来的最长时间，超过后会询问对方是否在线。"),
        "retry_interval": (
            "确认超时",
            "远程服务器确认一条消息的最长时间；超时后重新连接并重发该消息。",
        ),
        "max_inflight": (
            "飞行窗口",
            "每个连接上等待确认的消息的最大数量；0 表示以对方允许的数量为准。",
        ),
        "pool_size": (
            "连接数",
            "动作共用的连接数，同一客户端的消息总走同一连接。每个数据源另有自己的连接。",
        ),
        "connect_timeout": ("连接超时", "建立连接的最长时间。"),
        "ssl": ("TLS", "与远程服务器之间的加密。"),
    },
    action={
        "topic": ("主题", "远程服务器上的主题，可使用模板，例如 ${topic}。"),
        "qos": ("QoS", "0、1、2 或模板，例如 ${qos}。QoS 0 的消息没有确认。"),
        "retain": ("保留", "远程服务器是否保留该消息：true、false 或模板。"),
        "payload": (
            "有效载荷",
            "有效载荷的模板，例如 ${payload}；留空则为规则的全部结果（JSON）。",
        ),
    },
    source={
        "topic": (
            "主题过滤器",
            "在远程服务器上订阅的主题。多节点时请使用 $share/组名/过滤器，否则每个节点都会收到全部消息。",
        ),
        "qos": ("QoS", "最高 QoS。QoS 1 和 2 的消息在规则收到之后才会确认。"),
    },
)
