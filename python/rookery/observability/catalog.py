"""Every counter and gauge that a node may show: its name, what it says, and whose name it is.

Names are dotted. EMQX's are written to Prometheus as ``emqx_<name>`` with underscores, our own as
``rookery_<name>``. ``docs/reference/metrics.md`` is made from this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

Owner: TypeAlias = Literal["emqx", "rookery"]


class Figure(NamedTuple):
    """One counter or gauge."""

    name: str
    owner: Owner
    en: str
    zh: str

    @property
    def prometheus(self) -> str:
        """Its name for Prometheus."""
        return prometheus_name(self.name, self.owner)


def prometheus_name(name: str, owner: Owner) -> str:
    """``messages.received`` as ``emqx_messages_received``."""
    return f"{owner}_{name}".replace(".", "_")


# A table reads better with one figure on each line.
# fmt: off

_PACKETS = (
    ("connect.received", "CONNECT packets received", "收到的 CONNECT 报文"),
    ("connack.sent", "CONNACK packets sent", "发送的 CONNACK 报文"),
    ("connack.error", "CONNACK packets that refuse", "拒绝连接的 CONNACK 报文"),
    ("connack.auth_error", "CONNACK packets that refuse for authentication", "因认证失败而拒绝的 CONNACK 报文"),
    ("publish.received", "PUBLISH packets received", "收到的 PUBLISH 报文"),
    ("publish.sent", "PUBLISH packets sent", "发送的 PUBLISH 报文"),
    ("publish.error", "PUBLISH packets received that broke a rule, or were refused other than for authorization", "违反协议或因授权以外的原因被拒绝的 PUBLISH 报文"),
    ("publish.auth_error", "PUBLISH packets received that were not authorized", "未获授权的 PUBLISH 报文"),
    ("publish.dropped", "PUBLISH packets received and dropped", "收到后丢弃的 PUBLISH 报文"),
    ("publish.inuse", "PUBLISH packets received with a packet identifier in use", "报文标识符已被占用的 PUBLISH 报文"),
    ("puback.received", "PUBACK packets received", "收到的 PUBACK 报文"),
    ("puback.sent", "PUBACK packets sent", "发送的 PUBACK 报文"),
    ("puback.inuse", "PUBACK packets received for an identifier in use", "报文标识符已被占用的 PUBACK 报文"),
    ("puback.missed", "PUBACK packets received for nothing in flight", "未知报文标识符的 PUBACK 报文"),
    ("pubrec.received", "PUBREC packets received", "收到的 PUBREC 报文"),
    ("pubrec.sent", "PUBREC packets sent", "发送的 PUBREC 报文"),
    ("pubrec.inuse", "PUBREC packets received for an identifier in use", "报文标识符已被占用的 PUBREC 报文"),
    ("pubrec.missed", "PUBREC packets received for nothing in flight", "未知报文标识符的 PUBREC 报文"),
    ("pubrel.received", "PUBREL packets received", "收到的 PUBREL 报文"),
    ("pubrel.sent", "PUBREL packets sent", "发送的 PUBREL 报文"),
    ("pubrel.missed", "PUBREL packets received for an unknown identifier", "未知报文标识符的 PUBREL 报文"),
    ("pubcomp.received", "PUBCOMP packets received", "收到的 PUBCOMP 报文"),
    ("pubcomp.sent", "PUBCOMP packets sent", "发送的 PUBCOMP 报文"),
    ("pubcomp.inuse", "PUBCOMP packets received for an identifier in use", "报文标识符已被占用的 PUBCOMP 报文"),
    ("pubcomp.missed", "PUBCOMP packets received for nothing in flight", "未知报文标识符的 PUBCOMP 报文"),
    ("subscribe.received", "SUBSCRIBE packets received", "收到的 SUBSCRIBE 报文"),
    ("subscribe.error", "SUBSCRIBE packets received that broke a rule, or with a filter that was refused", "违反协议或含被拒绝过滤器的 SUBSCRIBE 报文"),
    ("subscribe.auth_error", "Topic filters refused as not authorized", "未获授权的订阅"),
    ("suback.sent", "SUBACK packets sent", "发送的 SUBACK 报文"),
    ("unsubscribe.received", "UNSUBSCRIBE packets received", "收到的 UNSUBSCRIBE 报文"),
    ("unsubscribe.error", "UNSUBSCRIBE packets received that broke a rule, or with a filter that is none", "违反协议或含非法过滤器的 UNSUBSCRIBE 报文"),
    ("unsuback.sent", "UNSUBACK packets sent", "发送的 UNSUBACK 报文"),
    ("pingreq.received", "PINGREQ packets received", "收到的 PINGREQ 报文"),
    ("pingresp.sent", "PINGRESP packets sent", "发送的 PINGRESP 报文"),
    ("disconnect.received", "DISCONNECT packets received", "收到的 DISCONNECT 报文"),
    ("disconnect.sent", "DISCONNECT packets sent", "发送的 DISCONNECT 报文"),
    ("auth.received", "AUTH packets received", "收到的 AUTH 报文"),
    ("auth.sent", "AUTH packets sent", "发送的 AUTH 报文"),
)

_EMQX_COUNTERS = (
    ("bytes.received", "Bytes received from clients", "从客户端收到的字节数"),
    ("bytes.sent", "Bytes sent to clients", "发送给客户端的字节数"),
    ("packets.received", "MQTT packets received", "收到的 MQTT 报文"),
    ("packets.sent", "MQTT packets sent", "发送的 MQTT 报文"),
    *((f"packets.{name}", en, zh) for name, en, zh in _PACKETS),
    ("messages.received", "Messages received from clients", "从客户端收到的消息"),
    ("messages.sent", "Messages sent to clients", "发送给客户端的消息"),
    ("messages.qos0.received", "Messages of QoS 0 received", "收到的 QoS 0 消息"),
    ("messages.qos0.sent", "Messages of QoS 0 sent", "发送的 QoS 0 消息"),
    ("messages.qos1.received", "Messages of QoS 1 received", "收到的 QoS 1 消息"),
    ("messages.qos1.sent", "Messages of QoS 1 sent", "发送的 QoS 1 消息"),
    ("messages.qos2.received", "Messages of QoS 2 received", "收到的 QoS 2 消息"),
    ("messages.qos2.sent", "Messages of QoS 2 sent", "发送的 QoS 2 消息"),
    ("messages.publish", "Messages taken for routing, the node's own included", "进入路由的消息（含节点自身消息）"),
    ("messages.delivered", "Deliveries to sessions", "投递到会话的消息"),
    ("messages.acked", "Deliveries acknowledged by clients", "客户端已确认的消息"),
    ("messages.dropped", "Messages dropped before delivery", "投递前丢弃的消息"),
    ("messages.dropped.await_pubrel_timeout", "Messages of QoS 2 dropped because PUBREL did not come",
     "等待 PUBREL 超时而丢弃的消息"),
    ("messages.dropped.no_subscribers", "Messages dropped because nobody subscribed", "无订阅者而丢弃的消息"),
    ("messages.dropped.quota_exceeded", "Messages dropped because the store refused them", "存储拒绝而丢弃的消息"),
    ("messages.dropped.receive_maximum", "Messages dropped beyond Receive Maximum", "超过 Receive Maximum 而丢弃的消息"),
    ("messages.forward", "Messages handed to other workers and nodes", "转发给其他工作线程或节点的消息"),
    ("messages.delayed", "Delayed messages taken", "接收的延迟消息"),
    ("messages.persisted", "Messages written to the durable log", "写入持久日志的消息"),
    ("delivery.dropped", "Deliveries dropped", "丢弃的投递"),
    ("delivery.dropped.no_local", "Deliveries dropped for No Local", "因 No Local 丢弃的投递"),
    ("delivery.dropped.too_large", "Deliveries dropped as larger than the client takes", "超过客户端最大报文长度而丢弃的投递"),
    ("delivery.dropped.qos0_msg", "Deliveries of QoS 0 dropped while the client was slow or away",
     "客户端拥塞或离线时丢弃的 QoS 0 投递"),
    ("delivery.dropped.queue_full", "Deliveries dropped for a full queue", "队列已满而丢弃的投递"),
    ("delivery.dropped.expired", "Deliveries dropped because the message expired", "消息过期而丢弃的投递"),
    ("client.connect", "Times a client asked to connect", "客户端请求连接次数"),
    ("client.connack", "Times a client was answered to its CONNECT", "应答连接请求次数"),
    ("client.connected", "Clients admitted", "成功连接的客户端"),
    ("client.disconnected", "Admitted clients that left", "断开的客户端"),
    ("client.authenticate", "Times a client was authenticated", "执行认证次数"),
    ("client.auth.anonymous", "Clients admitted without a name", "匿名登录次数"),
    ("client.authorize", "Times an action of a client was decided", "执行授权检查次数"),
    ("client.subscribe", "Times a client asked to subscribe", "客户端请求订阅次数"),
    ("client.unsubscribe", "Times a client asked to unsubscribe", "客户端请求取消订阅次数"),
    ("session.created", "Sessions made", "创建的会话"),
    ("session.resumed", "Sessions resumed", "恢复的会话"),
    ("session.takenover", "Sessions taken over by another connection", "被接管的会话"),
    ("session.discarded", "Sessions discarded for a clean start", "因全新开始而丢弃的会话"),
    ("session.terminated", "Sessions ended", "终止的会话"),
    ("authentication.success", "Logins admitted", "认证成功次数"),
    ("authentication.success.anonymous", "Logins admitted without a name", "匿名认证成功次数"),
    ("authentication.failure", "Logins refused", "认证失败次数"),
    ("authorization.allow", "Actions allowed", "授权允许次数"),
    ("authorization.deny", "Actions denied", "授权拒绝次数"),
    ("authorization.cache_hit", "Actions decided by an answer kept from before", "授权缓存命中次数"),
    ("authorization.cache_miss", "Actions that had to be asked about", "授权缓存未命中次数"),
)

_OWN_COUNTERS = (
    ("packets.error", "Packets that were malformed or broke the protocol", "畸形或违反协议的报文"),
    ("authentication.backoff.refused", "Logins refused unasked because too many had failed", "因失败过多直接拒绝的登录"),
    ("authentication.backoff.blocks", "Times somebody was blocked because too many logins had failed", "因登录失败过多的封锁次数"),
    ("authorization.asked", "Actions about which a service was asked", "向外部服务查询授权的次数"),
    ("banned.refused", "Connections and logins refused for a ban", "因黑名单拒绝的连接"),
    ("banned.disconnected", "Connected clients that a ban ended", "因黑名单断开的客户端"),
    ("flapping.detected", "Clients that came and went too often", "检测到的抖动客户端"),
    ("client.expired", "Clients whose authentication expired while connected", "认证到期而断开的客户端"),
    ("client.moved", "Clients disconnected so that they go to another node", "为迁往其他节点而断开的客户端"),
    ("connections.quota.refused", "Clients refused because the node has as many as it may", "超过连接配额而拒绝的客户端"),
    ("connections.refused.access_rules", "Connections closed at once for access_rules", "因 access_rules 关闭的连接"),
    ("connections.refused.max_connections", "Connections closed at once for max_connections", "因 max_connections 关闭的连接"),
    ("connections.delayed.max_conn_rate", "Times new connections waited for max_conn_rate", "因 max_conn_rate 延迟的连接"),
    ("limiter.paused", "Times a client above its rate was held back", "限速暂停次数"),
    ("overload_protection.inbox_full", "Turns in which a worker waited for another one", "因其他工作线程繁忙而等待的次数"),
    ("retained.unconfirmed", "Acknowledgements of retained messages that did not wait longer for other nodes", "未等到其他节点确认即返回的保留消息应答"),
    ("overload_protection.panics", "Defects of the broker that ended a connection", "内部缺陷导致连接终止的次数"),
    ("overload_protection.send_timeout", "Connections closed because they took no bytes", "发送超时关闭的连接"),
    ("overload_protection.unauthenticated", "Connections closed before CONNECT for want of room", "认证前因资源不足关闭的连接"),
    ("overload_protection.evicted", "Half-open connections that gave way to newer ones", "让位于新连接的半开连接"),
    ("proxy_protocol.refused", "Connections whose PROXY header was absent or wrong", "PROXY 头缺失或错误的连接"),
    ("proxy_protocol.untrusted", "Connections of addresses that are no trusted proxy", "来自不受信代理的连接"),
    ("proxy_protocol.timeout", "Connections whose PROXY header did not come in time", "PROXY 头超时的连接"),
    ("proxy_protocol.local", "PROXY headers for connections of the proxy itself", "代理自身（健康检查）的连接"),
    ("websocket.handshake.refused", "WebSocket handshakes that were refused", "拒绝的 WebSocket 握手"),
    ("websocket.idle_timeout", "WebSockets closed because nothing came", "空闲超时关闭的 WebSocket"),
    ("tls.handshake.ok", "TLS handshakes that ended well", "成功的 TLS 握手"),
    ("tls.handshake.failed", "TLS handshakes that failed", "失败的 TLS 握手"),
    ("tls.handshake.timeout", "TLS handshakes that were not finished in time", "超时的 TLS 握手"),
    ("tls.clients.revoked", "Clients disconnected because their certificate was revoked", "证书被吊销而断开的客户端"),
    ("rules.events_dropped", "Events for rules that were dropped because too many were waiting", "因积压过多而丢弃的规则事件"),
    ("hooks.timeouts", "Questions that nobody answered in time", "未及时应答的钩子调用"),
    ("hooks.errors", "Hooks that raised an error", "出错的钩子调用"),
    ("hooks.late", "Hooks that were late", "超时的钩子调用"),
    ("hooks.overload", "Hooks that were not asked because too many were pending", "因积压过多未执行的钩子调用"),
    ("hooks.notices.dropped", "Notices to hooks that were dropped", "丢弃的钩子通知"),
    ("plugins.restarts", "Times a worker process of a plugin was started again", "插件进程重启次数"),
    ("plugins.published", "Messages that plugins published", "插件发布的消息"),
    ("passwords.hashed", "Passwords that were hashed to check them", "为校验而计算哈希的密码"),
    ("passwords.remembered", "Passwords that were checked by an answer kept from before", "由缓存结果校验的密码"),
    ("passwords.busy", "Logins refused because too many passwords were being hashed", "因哈希计算过多而拒绝的登录"),
    ("management.lists.refused", "Lists refused because too many were being made", "因查询过多而拒绝的列表请求"),
    ("trace.lines.lost", "Lines of traces that were lost", "丢失的追踪行"),
    ("opentelemetry.spans.received", "Spans made of messages", "生成的 Span"),
    ("opentelemetry.spans.dropped", "Spans dropped because too many were waiting", "因积压过多丢弃的 Span"),
    ("opentelemetry.spans.exported", "Spans taken by the collector", "采集器接收的 Span"),
    ("opentelemetry.spans.failed", "Spans that the collector did not take", "采集器未接收的 Span"),
    ("log.throttled", "Log records left out because the same came too often", "因重复过多而略去的日志"),
    ("observe.events.dropped", "Events for traces and slow subscriptions that were dropped", "丢弃的追踪与慢订阅事件"),
    ("events.dropped", "Events of the core that the management plane was too slow for", "管理面处理不及而丢弃的事件"),
    ("alarms.left_out", "Alarms left out because too many were active", "因告警过多而略去的告警"),
    ("alarms.not_written", "Times the file of alarms could not be written", "告警文件写入失败次数"),
    ("monitor.not_written", "Samples that could not be written to the disk", "未能写入磁盘的监控采样"),
    ("audit.failures", "Entries of the audit log that could not be written", "审计日志写入失败次数"),
    ("audit.suppressed", "Entries of the audit log that were left out for being too many", "因过多而略去的审计日志条目"),
    ("prometheus.push.ok", "Pushes to the Pushgateway that ended well", "Pushgateway 推送成功次数"),
    ("prometheus.push.failed", "Pushes to the Pushgateway that failed", "Pushgateway 推送失败次数"),
    ("dashboard.login.failed", "Bad passwords of users of the dashboard", "控制台登录失败次数"),
    ("dashboard.login.locked", "Times somebody was locked out for bad passwords", "因密码错误过多的锁定次数"),
    ("dashboard.tokens.gave_way", "Tokens that gave way to newer ones", "让位于新令牌的令牌"),
    ("http.too_slow", "HTTP connections closed as too slow", "因过慢关闭的 HTTP 连接"),
    ("http.gave_way", "HTTP connections that gave way to newer ones", "让位于新连接的 HTTP 连接"),
    ("http.too_many", "HTTP connections refused as too many", "因过多而拒绝的 HTTP 连接"),
)

_EMQX_STATS = (
    ("connections", "Sessions, connected or not", "会话数（含离线）"),
    ("live_connections", "Clients connected", "当前连接的客户端"),
    ("channels", "The same as sessions", "同 sessions"),
    ("sessions", "Sessions, connected or not", "会话数（含离线）"),
    ("cluster_sessions", "Sessions in the whole cluster", "集群会话数"),
    ("topics", "Topic filters somebody subscribed", "被订阅的主题数"),
    ("routes", "The same as topics", "同 topics"),
    ("subscriptions", "Subscriptions, shared ones included", "订阅数（含共享订阅）"),
    ("subscriptions.shared", "Shared subscriptions", "共享订阅数"),
    ("suboptions", "The same as subscriptions", "同 subscriptions"),
    ("subscribers", "Subscriptions that are not shared", "非共享订阅数"),
    ("durable_subscriptions", "Subscriptions of durable sessions", "持久会话的订阅数"),
    ("retained", "Retained messages", "保留消息数"),
    ("delayed", "Delayed messages that wait", "等待中的延迟消息数"),
)

_OWN_STATS = (
    ("sockets", "Network connections of MQTT listeners", "MQTT 监听器的网络连接数"),
    ("unauthenticated", "Network connections that have not been admitted yet", "尚未通过认证的连接数"),
    ("dashboard.tokens", "Users signed in to the dashboard", "已登录控制台的会话数"),
    ("alarms.active", "Alarms that hold", "当前告警数"),
    ("pledges", "Wills and delayed messages of all nodes", "各节点的遗嘱与延迟消息数量"),
)

_OWN_GAUGES = (
    ("connections.quota.used", "Clients that count against access.max_connections", "已用连接配额"),
    ("connections.quota.max", "Most clients at once; 0 is no bound", "连接配额上限，0 表示不限"),
    ("router.bytes", "Bytes of the routing tables", "路由表字节数"),
    ("retained.bytes", "Bytes of retained messages", "保留消息字节数"),
    ("outbox.bytes", "Bytes waiting to be sent", "待发送字节数"),
    ("mqueue.bytes", "Bytes of messages queued for sessions", "会话队列字节数"),
    ("store.bytes_on_disk", "Bytes of the durable log on the disk", "持久日志占用磁盘字节数"),
    ("store.live_bytes", "Bytes of the durable log that are still needed", "持久日志有效字节数"),
    ("store.segments", "Files of the durable log", "持久日志文件数"),
    ("store.messages", "Messages in the durable log", "持久日志中的消息数"),
    ("store.keys", "Entries in the durable log", "持久日志中的条目数"),
    ("store.backlog_bytes", "Bytes that wait to be written", "等待写入的字节数"),
    ("store.commits", "Commits of the durable log since the start", "持久日志提交次数"),
    ("store.writes", "Writes of the durable log since the start", "持久日志写入次数"),
    ("store.syncs", "Times the durable log was forced to the disk", "持久日志同步次数"),
    ("certificate.expiry", "Days until the first certificate ends", "最早到期证书的剩余天数"),
)

# fmt: on

COUNTERS: tuple[Figure, ...] = (
    *(Figure(name, "emqx", en, zh) for name, en, zh in _EMQX_COUNTERS),
    *(Figure(name, "rookery", en, zh) for name, en, zh in _OWN_COUNTERS),
)
"""What only rises; from the start of the node."""


def _with_max(owner: Owner, rows: tuple[tuple[str, str, str], ...]) -> Iterator[Figure]:
    for name, en, zh in rows:
        yield Figure(f"{name}.count", owner, en, zh)
        yield Figure(
            f"{name}.max", owner, f"{en}: the highest since the start", f"{zh}：启动以来最大值"
        )


GAUGES: tuple[Figure, ...] = (
    *_with_max("emqx", _EMQX_STATS),
    *_with_max("rookery", _OWN_STATS),
    *(Figure(name, "rookery", en, zh) for name, en, zh in _OWN_GAUGES),
)
"""What there is at the moment."""

BY_NAME = {figure.name: figure for figure in (*COUNTERS, *GAUGES)}

PER_CERTIFICATE = "certificate.expiry."
"""Gauges that begin so are named by listener and file: days until that certificate ends."""
