"""Titles and descriptions in Chinese."""

from __future__ import annotations

from rookery.connectors.settings import ZhTexts

TEXTS = ZhTexts(
    connector={
        "server": ("服务器", "主机:端口，或 Unix 套接字所在的目录；未写端口时为 5432。"),
        "database": ("数据库", "数据库名称。"),
        "username": ("用户名", "本节点登录数据库所用的用户。"),
        "password": ("密码", "该用户的密码。"),
        "pool_size": ("连接池大小", "最多连接数，需要时才建立。"),
        "disable_prepared_statements": (
            "不使用预处理语句",
            "用于每个事务可能换连接的连接池，例如事务模式的 PgBouncer。值仍以参数方式绑定。",
        ),
        "auto_reconnect": ("自动重连", "为兼容 EMQX 的配置而保留：连接总会重新建立。"),
        "ssl": ("TLS", "连接的加密。"),
    },
    action={
        "sql": (
            "SQL",
            "一条语句。${a.b[1]} 是规则结果中的值，按该处的类型以参数绑定；不存在的值为 NULL。",
        ),
    },
)
