"""Titles and descriptions in Chinese."""

from __future__ import annotations

from rookery.connectors.settings import ZhTexts

TEXTS = ZhTexts(
    connector={
        "server": ("服务器", "节点或负载均衡器的 主机:端口；未写端口时为 9200。"),
        "authentication": ("认证", "需要时填写用户名和密码。"),
        "authentication.username": ("用户名", "本节点登录所用的用户。"),
        "authentication.password": ("密码", "该用户的密码。"),
        "connect_timeout": ("连接超时", "建立连接的最长时间。"),
        "pool_size": ("连接池大小", "最多连接数。"),
        "ssl": ("TLS", "连接的加密。"),
    },
    action={
        "action": ("操作", "create：写入文档；update：修改文档；delete：删除文档。"),
        "index": ("索引", "索引、别名或数据流的名称，可以是模板。"),
        "id": ("文档 ID", "模板；create 时若没有值，每个文档得到各自的 ID。"),
        "doc": ("文档", "JSON 对象的模板；未填写时为规则的整个结果。"),
        "routing": ("路由", "代替 ID 选择分片的值，可以是模板。"),
        "overwrite": ("覆盖", "是否替换 ID 相同的文档；否则新文档失败。"),
        "doc_as_upsert": ("不存在则创建", "文档不存在时是否用修改的内容创建。"),
        "require_alias": ("要求别名", "索引是否必须是别名。"),
        "max_retries": ("重试次数", "为兼容 EMQX 的配置而保留：文档在请求有效期内重发。"),
    },
)
