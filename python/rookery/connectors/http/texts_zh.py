"""Chinese texts of the fields."""

from __future__ import annotations

from rookery.connectors.settings import ZhTexts

TEXTS_ZH = ZhTexts(
    connector={
        "url": ("URL", "请求地址，路径部分可含占位符，如 ${topic}。"),
        "headers": ("请求头", "所有动作的请求都会携带，值可含占位符。"),
        "connect_timeout": ("连接超时", "建立连接的最长时间。"),
        "pool_size": ("连接数", "同时进行的请求数上限，每个请求使用独立的连接。"),
        "max_inactive": ("空闲时间", "没有请求的连接保留多久。"),
    },
    action={
        "method": ("请求方法", "HTTP 请求方法。"),
        "path": ("路径", "接在连接器的 URL 之后，可含占位符，其值会被编码。"),
        "headers": ("请求头", "优先于连接器的请求头，值可含占位符。"),
        "body": ("请求体", "发送的内容，可含占位符；缺省为整个结果的 JSON。"),
        "max_retries": ("快速重试次数", "连接中断时立即重发的次数。"),
        "request_timeout": ("请求超时", "等待响应的最长时间。"),
    },
)
