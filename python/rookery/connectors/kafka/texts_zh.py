"""Titles and descriptions of the connectors' settings in Chinese."""

from __future__ import annotations

CONNECTOR = {
    "bootstrap_hosts": (
        "引导服务器",
        "首先询问的服务器，格式为 主机:端口，以逗号分隔；省略端口时为 9092。",
    ),
    "authentication": ("认证", "none，或认证机制及用户名和密码。"),
    "authentication.mechanism": ("认证机制", "证明密码的方式；plain 会直接发送密码。"),
    "authentication.username": ("用户名", "登录所用的用户名。"),
    "authentication.password": ("密码", "该用户的密码。"),
    "connect_timeout": ("连接超时", "建立连接的最长时间。"),
    "metadata_request_timeout": ("元数据超时", "集群告知主题和服务器信息的最长时间。"),
    "health_check_topic": ("健康检查主题", "该主题存在时连接器才算已连接。"),
    "ssl": ("TLS", "与服务器之间的加密。"),
}
