"""What every connector, action and source has, in Chinese."""

from __future__ import annotations

_OPTIONS = {
    "resource_opts.health_check_interval": ("健康检查间隔", "两次健康检查之间的时间。"),
    "resource_opts.start_after_created": ("创建后启动", "创建后是否立即连接。"),
    "resource_opts.start_timeout": ("启动超时", "创建或启动时等待连接结果的最长时间。"),
    "resource_opts.worker_pool_size": (
        "缓存工作进程数",
        "为兼容 EMQX 配置而保留：每个动作只有一个缓存和一个发送任务。",
    ),
    "resource_opts.inflight_window": (
        "飞行窗口",
        "同时进行的请求数上限。同一客户端的消息始终保持顺序。",
    ),
    "resource_opts.max_buffer_bytes": (
        "最大缓存",
        "内存中等待的最大字节数，超出的消息被丢弃或写入磁盘。",
    ),
    "resource_opts.buffer_mode": (
        "缓存模式",
        "volatile_offload 将内存放不下的消息写入磁盘，节点停止后不保留。",
    ),
    "resource_opts.max_spill_bytes": (
        "磁盘缓存上限",
        "volatile_offload 模式下磁盘缓存的最大字节数。",
    ),
    "resource_opts.request_ttl": ("请求有效期", "在此时间内未能发送的消息将被丢弃。"),
    "resource_opts.batch_size": ("最大批量", "服务支持批量时，一个请求中的最大消息数。"),
    "resource_opts.batch_time": ("批量等待时间", "未满的批次等待更多消息的最长时间。"),
    "resource_opts.query_mode": ("请求模式", "sync 表示同一时间只有一个请求。"),
    "resource_opts.retry_interval": ("重试间隔", "两次重试之间的最长时间，最初几次更快。"),
}
_TLS = {
    "ssl": ("TLS", "到服务的 TLS 选项。"),
    "ssl.enable": ("启用 TLS", "连接是否加密。"),
    "ssl.verify": ("校验服务端", "是否校验服务端证书。"),
    "ssl.cacertfile": ("CA 证书", "签发服务端证书的 CA，缺省使用系统证书。"),
    "ssl.certfile": ("证书", "出示给服务端的客户端证书。"),
    "ssl.keyfile": ("私钥", "客户端证书的私钥。"),
    "ssl.password": ("私钥密码", "私钥文件加密时的密码。"),
    "ssl.server_name_indication": (
        "服务器名称",
        "请求并校验的域名，替代主机名；disable 表示不发送也不校验。",
    ),
}
_FALLBACK = {
    "fallback_actions": ("备选动作", "接收该动作未能送达的消息。"),
    "fallback_actions.kind": ("类型", "reference 为另一个动作，republish 为重新发布到本节点。"),
    "fallback_actions.type": ("动作类型", "另一个动作的类型。"),
    "fallback_actions.name": ("动作名称", "另一个动作的名称。"),
    "fallback_actions.args": ("参数", "发布什么。"),
    "fallback_actions.args.topic": ("主题", "发布到的主题，可含占位符。"),
    "fallback_actions.args.payload": ("载荷", "消息内容，可含占位符；${.} 为规则的整个结果。"),
    "fallback_actions.args.qos": ("QoS", "0、1、2 或占位符。"),
    "fallback_actions.args.retain": ("保留消息", "true、false 或占位符。"),
    "fallback_actions.args.user_properties": ("用户属性", "给出 JSON 对象的占位符。"),
    "fallback_actions.args.mqtt_properties": ("MQTT 属性", "消息的其他属性。"),
    "fallback_actions.args.direct_dispatch": ("直接派发", "为兼容 EMQX 配置而保留。"),
}
COMMON = {
    "resource_opts": ("资源选项", "运行方式。"),
    "parameters": ("参数", "该类型特有的选项。"),
    **_OPTIONS,
    **_TLS,
    **_FALLBACK,
}
