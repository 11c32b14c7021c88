"""Titles and descriptions in Chinese."""

from __future__ import annotations

from rookery.connectors.settings import ZhTexts

TEXTS = ZhTexts(
    connector={
        "parameters": ("参数", "部署方式及其地址。"),
        "parameters.redis_type": (
            "部署方式",
            "single：单台服务器；sentinel：哨兵；cluster：集群。",
        ),
        "parameters.server": ("服务器", "主机:端口，或 Unix 套接字的路径；未写端口时为 6379。"),
        "parameters.servers": (
            "服务器列表",
            "各哨兵或部分集群节点的 主机:端口，以逗号分隔；未写端口时分别为 26379 和 6379。",
        ),
        "parameters.sentinel": ("主节点", "哨兵所知的主节点名称。"),
        "parameters.database": ("数据库", "数据库编号。"),
        "parameters.pool_size": ("连接池大小", "最多连接数；集群则为到每个节点的最多连接数。"),
        "parameters.username": ("用户名", "Redis 启用用户时所用的用户。"),
        "parameters.password": ("密码", "用户或服务器的密码。"),
        "parameters.auto_reconnect": (
            "自动重连",
            "为兼容 EMQX 的配置而保留：连接总会重新建立。",
        ),
        "ssl": ("TLS", "连接的加密。"),
    },
    action={
        "command_template": (
            "命令",
            "命令及其参数，各为列表的一个元素。参数可以是 ${payload.x} 这样的模板；值不会变成命令或另一个参数。",
        ),
    },
)
