"""Every hookpoint: one list, with the contract of each.

``docs/reference/hookpoints.md`` is made of it. A hookpoint is a question (somebody waits for the
answer, within a deadline) or a notice. Plugins are asked in their order; of hooks of one plugin
there is one each. What has no hook costs the node one branch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["question", "notice", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hookpoint:
    """A place where a plugin can decide or be told.

    Attributes:
        name: EMQX 5's name.
        method: The method of :class:`rookery.plugins.Plugin`; none: it is never called.
        kind: Whether somebody waits for an answer.
        arguments: What the method gets.
        returns: What it may return.
        changes: What may be changed by that; none: nothing.
        changes_zh: The same in Chinese.
        is_chain: Each plugin sees what the one before it left; otherwise the first opinion decides.
        failure: What holds when it is not answered in time, unless it is configured otherwise.
        when: When it is called.
        when_zh: The same in Chinese.
        v3: The name in EMQX 3 (with the arguments of its callback).
        note: What is different from EMQX, or else remarkable.
        note_zh: The same in Chinese.
    """

    name: str
    method: str | None
    kind: Kind
    arguments: str
    returns: str = ""
    changes: str = ""
    changes_zh: str = ""
    is_chain: bool = False
    failure: str = ""
    when: str
    when_zh: str
    v3: str = ""
    note: str = ""
    note_zh: str = ""


HOOKPOINTS: tuple[Hookpoint, ...] = (
    Hookpoint(
        name="client.authenticate",
        method="on_authenticate",
        kind="question",
        arguments="client: Client, password: bytes | None",
        returns="bool | Allow | Deny | None",
        changes="whether the client comes in, its attributes, whether it is a superuser, when its "
        "connection ends, the reason code",
        changes_zh="是否接入、客户端属性、是否超级用户、连接何时结束、原因码",
        failure="deny",
        when="A CONNECT was read. The first plugin with an opinion decides; without one, what is "
        "configured does. Not for enhanced authentication.",
        when_zh="读到 CONNECT 之后。第一个给出意见的插件决定；均无意见时由配置的认证决定。不用于增强认证。",
        v3="client.authenticate(Credentials)",
    ),
    Hookpoint(
        name="client.authorize",
        method="on_authorize",
        kind="question",
        arguments="client: Identity, action: Action, topic: str, qos: int, retain: bool",
        returns="bool | Deny | None",
        changes="whether the client may, the reason code",
        changes_zh="是否允许、原因码",
        failure="deny",
        when="A PUBLISH or SUBSCRIBE about which no rule and no source decides; the answer is kept "
        "for the connection as authorization.cache says.",
        when_zh="PUBLISH 或 SUBSCRIBE 未被任何规则或数据源决定时；结果按 authorization.cache 缓存。",
        v3="client.check_acl(Credentials, PubSub, Topic, Result)",
    ),
    Hookpoint(
        name="message.publish",
        method="on_publish",
        kind="question",
        arguments="message: Message",
        returns="Message | Deny | None",
        changes="the message, whether it goes on, the reason code of PUBACK or PUBREC",
        changes_zh="消息本身、是否继续、PUBACK 或 PUBREC 的原因码",
        is_chain=True,
        failure="ignore",
        when="A PUBLISH was authorized. Each plugin sees what the one before it returned; None takes "
        "the message and delivers it to nobody.",
        when_zh="PUBLISH 通过授权之后。每个插件看到前一个插件返回的消息；返回 None 表示收下但不派发。",
        v3="message.publish(Message)",
        note="What is published over the REST interface passes it too, over the channel between node "
        "and process. So does a will when its time has come, whose client is gone: nobody is told what "
        "became of it. Wills of sessions that ended with the node itself go out while it starts, before "
        "plugins run. $SYS and what plugins publish themselves do not pass it.",
        note_zh="通过 REST 接口发布的消息也经过它，由节点与进程之间的通道询问。遗嘱在应发布时同样经过它，此时客户端已离开，结果不会告知任何人；"
        "随节点一同结束的会话，其遗嘱在节点启动、插件运行之前发布。$SYS 以及插件自己发布的消息不经过它。",
    ),
    Hookpoint(
        name="client.subscribe",
        method="on_subscribe",
        kind="question",
        arguments="client_id: str, subscriptions: tuple[SubscriptionInfo, ...]",
        returns="Sequence[SubscriptionInfo | Deny] | Deny | None",
        changes="topic filter, QoS and options of each, or its reason code",
        changes_zh="每一项的主题过滤器、QoS 与选项，或其原因码",
        is_chain=True,
        failure="ignore",
        when="A SUBSCRIBE was authorized, filter by filter. An item in the place of each may have "
        "another topic filter, QoS or other options; Deny takes it out, and is its reason code; None "
        "leaves all as they are. Each plugin sees what the one before it left.",
        when_zh="SUBSCRIBE 逐个过滤器完成授权之后。可为每一项返回另一个主题过滤器、QoS 或选项；"
        "Deny 去掉该项并作为其原因码；None 表示不变。每个插件看到前一个插件留下的项。",
        v3="client.subscribe(Credentials, TopicFilters)",
        note="What was not authorized stays refused, and what is put in its place is not authorized "
        "again. None can be added: SUBACK has a code for each filter of the client, MQTT-5.0 section "
        "3.9.3. A client that ends a subscription names its own filter: map it at client.unsubscribe.",
        note_zh="未获授权的项仍被拒绝，替换后的项不再授权。不能增加项：SUBACK 与客户端的过滤器一一对应"
        "（MQTT-5.0 第 3.9.3 节）。客户端取消订阅时使用自己的过滤器：请在 client.unsubscribe 中对应。",
    ),
    Hookpoint(
        name="client.unsubscribe",
        method="on_unsubscribe",
        kind="question",
        arguments="client_id: str, topic_filters: tuple[str, ...]",
        returns="Sequence[str | Deny] | Deny | None",
        changes="each topic filter, or its reason code",
        changes_zh="每个主题过滤器，或其原因码",
        is_chain=True,
        failure="ignore",
        when="An UNSUBSCRIBE was read. As client.subscribe; Deny leaves that subscription alone.",
        when_zh="读到 UNSUBSCRIBE。同 client.subscribe；Deny 表示保留该订阅。",
        v3="client.unsubscribe(Credentials, TopicFilters)",
    ),
    Hookpoint(
        name="client.connect",
        method="on_connect",
        kind="notice",
        arguments="client: Client",
        when="A CONNECT without a fault was read; nobody has decided about it yet.",
        when_zh="读到合法的 CONNECT，尚未作出任何决定。",
        note="EMQX lets a hook change properties of CONNECT. Not here: what they say is agreed with "
        "the client by CONNACK alone (MQTT-5.0 section 3.2.2.3), and no second question stands "
        "before each login. Limits of a zone set them (mqtt.*); refuse with client.authenticate.",
        note_zh="EMQX 允许修改 CONNECT 的属性。此处不允许：其含义只能由 CONNACK 与客户端商定"
        "（MQTT-5.0 第 3.2.2.3 节），且每次登录之前不再多问一次。请用 zone 的限制（mqtt.*）；"
        "拒绝请用 client.authenticate。",
    ),
    Hookpoint(
        name="client.connack",
        method="on_connack",
        kind="notice",
        arguments="connack: ConnAck",
        when="A CONNACK was sent, whether it admits or refuses.",
        when_zh="发出 CONNACK，无论接受或拒绝。",
        note="EMQX lets a hook change properties of CONNACK. Not here: they say what the broker does, "
        "and it does that whatever a hook says (Maximum QoS, Receive Maximum, Session Expiry "
        "Interval …); the zone's mqtt.* decides both.",
        note_zh="EMQX 允许修改 CONNACK 的属性。此处不允许：它们说明代理的行为（最大 QoS、接收最大值、"
        "会话过期间隔等），钩子不能改变该行为；两者都由 zone 的 mqtt.* 决定。",
    ),
    Hookpoint(
        name="client.connected",
        method="on_connected",
        kind="notice",
        arguments="client: Client",
        when="A client was admitted and has its CONNACK.",
        when_zh="客户端已接入并收到 CONNACK。",
        note="Nobody waits for it: questions about the same client (`client.subscribe`, "
        "`message.publish` …) may come before it. What they need of a client stands in the "
        "question; what a plugin keeps of each client is best made by whichever comes first.",
        note_zh="不等待该通知：同一客户端的询问（`client.subscribe`、`message.publish` 等）可能先于它到达。"
        "询问中已包含所需的客户端信息；插件为每个客户端保存的内容应在最先到达的事件中建立。",
        v3="client.connected(Credentials, ConnAck, Attributes)",
    ),
    Hookpoint(
        name="client.disconnected",
        method="on_disconnected",
        kind="notice",
        arguments="client: Client, reason: str",
        when="An admitted client is gone; reason is EMQX's word.",
        when_zh="已接入的客户端断开；reason 为 EMQX 的用词。",
        v3="client.disconnected(Credentials, Reason)",
    ),
    Hookpoint(
        name="session.created",
        method="on_session_created",
        kind="notice",
        arguments="client: Client",
        when="A session was made for a client.",
        when_zh="为客户端创建会话。",
        v3="session.created(Credentials, Info)",
    ),
    Hookpoint(
        name="session.resumed",
        method="on_session_resumed",
        kind="notice",
        arguments="client: Client",
        when="A client came back to its session.",
        when_zh="客户端恢复会话。",
        v3="session.resumed(Credentials, Attributes)",
    ),
    Hookpoint(
        name="session.discarded",
        method="on_session_discarded",
        kind="notice",
        arguments="client: Client",
        when="A connection with Clean Start ended the session of another connection.",
        when_zh="带 Clean Start 的新连接结束了另一连接的会话。",
    ),
    Hookpoint(
        name="session.takenover",
        method="on_session_takenover",
        kind="notice",
        arguments="client: Client",
        when="A connection took the session of another connection of the same client.",
        when_zh="同一客户端的新连接接管了会话。",
    ),
    Hookpoint(
        name="session.terminated",
        method="on_session_terminated",
        kind="notice",
        arguments="client: Client",
        when="A session is gone, with its connection or when it expired.",
        when_zh="会话结束：随连接结束或已过期。",
        v3="session.terminated(Credentials, Reason)",
        note="The reason is that of client.disconnected.",
        note_zh="原因见 client.disconnected。",
    ),
    Hookpoint(
        name="session.subscribed",
        method="on_subscribed",
        kind="notice",
        arguments="client_id: str, subscription: SubscriptionInfo",
        when="A subscription was made, or made anew.",
        when_zh="订阅已建立或更新。",
        v3="session.subscribed(Credentials, Topic, SubOpts)",
    ),
    Hookpoint(
        name="session.unsubscribed",
        method="on_unsubscribed",
        kind="notice",
        arguments="client_id: str, topic_filter: str",
        when="A subscription was ended.",
        when_zh="订阅已取消。",
        v3="session.unsubscribed(Credentials, Topic, Options)",
    ),
    Hookpoint(
        name="message.puback",
        method="on_puback",
        kind="notice",
        arguments="client_id: str, message: Message, reason_code: int",
        when="A message of QoS 1 gets its PUBACK; 0x10: nobody subscribes to it.",
        when_zh="QoS 1 消息得到 PUBACK；0x10：没有订阅者。",
        note="EMQX lets a hook change the reason code. Here Deny at message.publish is the reason code: "
        "a second question would make each acknowledgement wait twice.",
        note_zh="EMQX 允许修改原因码。此处由 message.publish 返回的 Deny 决定原因码："
        "再问一次会使每个确认等待两次。",
    ),
    Hookpoint(
        name="message.delivered",
        method="on_delivered",
        kind="notice",
        arguments="client_id: str, message: Message",
        when="A message was sent to a client.",
        when_zh="消息已发送给客户端。",
        v3="message.deliver(Credentials, Message)",
        note="EMQX lets a hook change the message for each receiver. Not here: a message is held and "
        "encoded once for all receivers, and a question for each of them would multiply by their "
        "number what a hook costs. Change it at message.publish.",
        note_zh="EMQX 允许逐个接收者修改消息。此处不允许：一条消息对所有接收者只保存并编码一次，"
        "逐个询问会使钩子的开销乘以接收者数量。请在 message.publish 修改。",
    ),
    Hookpoint(
        name="message.acked",
        method="on_acked",
        kind="notice",
        arguments="client_id: str, message: Message",
        when="A client acknowledged a message: PUBACK, or PUBREC for QoS 2.",
        when_zh="客户端确认消息：PUBACK，QoS 2 为 PUBREC。",
        v3="message.acked(Credentials, Message)",
        note="Messages that are on disk only, because their client was away, are left out.",
        note_zh="因客户端离线而仅存于磁盘的消息不通知。",
    ),
    Hookpoint(
        name="message.dropped",
        method="on_dropped",
        kind="notice",
        arguments="message: Message, reason: str",
        when="A message went to nobody: no_subscribers or blocked_by_hook.",
        when_zh="消息未派发给任何人：no_subscribers 或 blocked_by_hook。",
        v3="message.dropped(By, Message)",
    ),
    Hookpoint(
        name="delivery.dropped",
        method="on_delivery_dropped",
        kind="notice",
        arguments="client_id: str, message: Message, reason: str",
        when="A message for one client was dropped: no_local, qos0_msg, queue_full, expired or "
        "too_large.",
        when_zh="发往某客户端的消息被丢弃：no_local、qos0_msg、queue_full、expired 或 too_large。",
    ),
    Hookpoint(
        name="alarm.activated",
        method="on_alarm_activated",
        kind="notice",
        arguments="alarm: dict[str, Any]",
        when="A condition holds: name, message, details, activate_at.",
        when_zh="告警产生：name、message、details、activate_at。",
        note="Plugins of a node only; the first worker process is told.",
        note_zh="仅用于节点的插件；只通知第一个工作进程。",
    ),
    Hookpoint(
        name="alarm.deactivated",
        method="on_alarm_deactivated",
        kind="notice",
        arguments="alarm: dict[str, Any]",
        when="It holds no longer; with deactivate_at.",
        when_zh="告警解除；含 deactivate_at。",
        note="As alarm.activated.",
        note_zh="同 alarm.activated。",
    ),
    Hookpoint(
        name="tls_handshake.psk_lookup",
        method=None,
        kind="never",
        arguments="",
        when="Never: pre-shared keys of TLS are not available, and the TLS library has none. Use "
        "client certificates.",
        when_zh="从不调用：不支持 TLS 预共享密钥，所用 TLS 库也不提供。请使用客户端证书。",
        v3="tls_handshake.psk_lookup(Identity)",
    ),
)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Hookpoints of EMQX that no plugin has here.

    Attributes:
        names: EMQX's names.
        why: What to use instead, or why there is nothing to tell.
        why_zh: The same in Chinese.
    """

    names: tuple[str, ...]
    why: str
    why_zh: str


ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        ("client.check_authn_complete", "client.post_authn"),
        "Who was admitted is told by `client.connected`, who was refused by `client.connack` with "
        "the reason code. Attributes are set by `client.authenticate`.",
        "接入由 `client.connected` 通知，拒绝由 `client.connack` 连同原因码通知；属性由 "
        "`client.authenticate` 设置。",
    ),
    Elsewhere(
        ("client.check_authz_complete",),
        "Each message would cost a notice. Decisions are counted (`authorization.*`) and stand in "
        "a trace; `rookery ctl acl explain` says which rule decides.",
        "否则每条消息都产生一次通知。授权结果有计数（`authorization.*`），并记录在追踪中；"
        "`rookery ctl acl explain` 说明由哪条规则决定。",
    ),
    Elsewhere(
        ("client.ping",),
        "It would wake a process for clients that do nothing. Who is connected is in the list of "
        "clients.",
        "否则空闲客户端也会唤醒插件进程。在线客户端见客户端列表。",
    ),
    Elsewhere(
        ("session.disconnected",),
        "`client.disconnected`; the session goes on until `session.terminated`.",
        "见 `client.disconnected`；会话持续到 `session.terminated`。",
    ),
    Elsewhere(
        ("session.save_subopts",),
        "A session keeps its options by itself; `client.subscribe` changes them.",
        "会话自行保存订阅选项；由 `client.subscribe` 修改。",
    ),
    Elsewhere(
        ("delivery.completed",),
        "`message.acked` tells the end of a delivery; slow subscriptions measure its time.",
        "投递完成见 `message.acked`；耗时由慢订阅统计。",
    ),
    Elsewhere(
        (
            "message.nack",
            "message.transformation_failed",
            "schema.validation_failed",
            "api_actor.pre_create",
            "namespace.*",
        ),
        "They belong to features that this version does not have: message queues, transformations, "
        "validations, namespaces. `message.publish` changes and refuses messages.",
        "属于本版本没有的功能：消息队列、消息转换、数据校验、命名空间。修改或拒绝消息用 `message.publish`。",
    ),
    Elsewhere(
        (
            "client.timeout",
            "client.handle_info",
            "cm.channel.unregistered",
            "config.zones_updated",
        ),
        "They are about processes inside of EMQX. Changes of the configuration are in the audit log.",
        "属于 EMQX 内部进程。配置变更见审计日志。",
    ),
)

BY_NAME = {hookpoint.name: hookpoint for hookpoint in HOOKPOINTS}
BY_METHOD = {hookpoint.method: hookpoint for hookpoint in HOOKPOINTS if hookpoint.method}
QUESTIONS = tuple(hookpoint.name for hookpoint in HOOKPOINTS if hookpoint.kind == "question")
