"""``mqtt.*``, ``zone.*.*`` and what was said about sessions, queues and shared subscriptions."""

from __future__ import annotations

from rookery.config.importing import conversions as to
from rookery.config.importing.model import Convert, Outcome, Row, Words
from rookery.config.importing.tables import notes

# A table reads better with one row in one or two lines.
# fmt: off

NO_QUEUE_TYPE = Words("queues have priorities when mqueue_priorities is set", "设置 mqueue_priorities 即启用优先级队列")
NO_ROUTING_QUOTA = Words("there is no quota on routed messages: use messages_rate of a listener",
                         "不支持路由配额，请使用监听器的 messages_rate")
TTL = Words("the connection is bounded by its queues and buffers", "连接受其队列与缓冲区约束")
PRESENCE = Words("events of clients are published with QoS 0", "客户端事件以 QoS 0 发布")

# Key, conversion: the same below `mqtt` and below a zone.
BOTH: tuple[tuple[str, Convert], ...] = (
    ("max_packet_size", to.size),
    ("max_clientid_len", to.whole),
    ("max_topic_levels", to.topic_levels),
    ("max_qos_allowed", to.whole),
    ("max_topic_alias", to.whole),
    ("retain_available", to.flag),
    ("wildcard_subscription", to.flag),
    ("shared_subscription", to.flag),
    ("exclusive_subscription", to.flag),
    ("ignore_loop_deliver", to.flag),
    ("strict_mode", to.flag),
    ("response_information", to.text),
    ("idle_timeout", to.duration),
    ("server_keepalive", to.zero_is("disabled", to.whole)),
    ("max_subscriptions", to.zero_is("infinity", to.whole)),
    ("upgrade_qos", to.flag),
    ("max_inflight", to.in_flight),
    ("retry_interval", to.zero_is("infinity", to.duration)),
    ("max_awaiting_rel", to.zero_is("infinity", to.whole)),
    ("await_rel_timeout", to.duration),
    ("session_expiry_interval", to.duration),
    ("max_mqueue_len", to.whole),
    ("mqueue_priorities", to.priorities),
    ("mqueue_default_priority", to.text),
    ("mqueue_store_qos0", to.flag),
    ("use_username_as_clientid", to.flag),
)

MQTT: tuple[Row, ...] = (
    *(Row(f"mqtt.{name}", f"mqtt.{name}", convert) for name, convert in BOTH),
    *(Row(f"zone.$zone.{name}", f"zones.$zone.mqtt.{name}", convert) for name, convert in BOTH),
    Row("mqtt.keepalive_backoff", "mqtt.keepalive_multiplier", to.multiplier,
        Words("written as the factor of Keep Alive, twice the back-off", "改写为 Keep Alive 的倍数，即原值的两倍")),
    Row("zone.$zone.keepalive_backoff", "zones.$zone.mqtt.keepalive_multiplier", to.multiplier,
        Words("written as the factor of Keep Alive, twice the back-off", "改写为 Keep Alive 的倍数，即原值的两倍")),
    Row("zone.$zone.mqueue_type", note=NO_QUEUE_TYPE, outcome=Outcome.NOT_NEEDED),
    Row("zone.$zone.enable_stats", note=notes.ALWAYS, outcome=Outcome.NOT_NEEDED),
    Row("zone.$zone.enable_ban", convert=to.flag, feature="zones"),
    Row("zone.$zone.enable_acl", convert=to.flag, feature="zones"),
    Row("zone.$zone.allow_anonymous", convert=to.flag, feature="zones"),
    Row("zone.$zone.bypass_auth_plugins", convert=to.flag, feature="zones"),
    Row("zone.$zone.acl_nomatch", convert=to.one_of("allow", "deny"), feature="zones"),
    Row("zone.$zone.acl_deny_action", convert=to.one_of("ignore", "disconnect"), feature="zones"),
    Row("zone.$zone.mountpoint", feature="zones"),
    Row("zone.$zone.publish_limit", convert=to.rate, feature="zones"),
    Row("zone.$zone.rate_limit.conn_messages_in", convert=to.rate, feature="zones"),
    Row("zone.$zone.rate_limit.conn_bytes_in", convert=to.rate, feature="zones"),
    Row("zone.$zone.ratelimit.conn_messages_in", convert=to.rate, feature="zones"),
    Row("zone.$zone.ratelimit.conn_bytes_in", convert=to.rate, feature="zones"),
    Row("zone.$zone.enable_flapping_detect", convert=to.flag, feature="flapping"),
    Row("zone.$zone.flapping_threshold", convert=to.flapping, feature="flapping"),
    Row("zone.$zone.flapping_expiry_interval", convert=to.duration, feature="flapping"),
    Row("zone.$zone.flapping_banned_expiry_interval", convert=to.duration, feature="flapping"),
    Row("flapping_detect_policy", convert=to.flapping, feature="flapping"),
    Row("zone.$zone.force_shutdown_policy", feature="zones"),
    Row("zone.$zone.force_gc_policy", note=notes.ERLANG, outcome=Outcome.NOT_NEEDED),
    Row("zone.$zone.conn_congestion.*", note=TTL, outcome=Outcome.NOT_NEEDED),
    Row("zone.$zone.quota.*", note=NO_ROUTING_QUOTA),

    Row("broker.shared_subscription_strategy", "mqtt.shared_subscription_strategy",
        to.words(hash="hash_clientid")),
    Row("shared_subscription_strategy", "mqtt.shared_subscription_strategy",
        to.words(hash="hash_clientid")),
    Row("broker.sys_interval", "sys_topics.sys_msg_interval", to.zero_is("disabled", to.duration)),
    Row("broker.sys_heartbeat", "sys_topics.sys_heartbeat_interval", to.zero_is("disabled", to.duration)),
    Row("broker.shared_dispatch_ack_enabled", note=Words(
        "a message of a shared subscription goes to another member when the first leaves",
        "共享订阅成员离开后，消息会派发给其他成员"), outcome=Outcome.NOT_NEEDED),
    Row("broker.enable_session_registry", note=notes.ROUTING, outcome=Outcome.NOT_NEEDED),
    Row("broker.session_locking_strategy", note=notes.ROUTING, outcome=Outcome.NOT_NEEDED),
    Row("broker.route_batch_clean", note=notes.ROUTING, outcome=Outcome.NOT_NEEDED),
    Row("broker.perf.*", note=notes.ROUTING, outcome=Outcome.NOT_NEEDED),

    Row("module.presence", convert=to.flag, feature="modules"),
    Row("module.presence.qos", note=PRESENCE),
    Row("module.subscription", convert=to.flag, feature="modules"),
    Row("module.subscription.$n.topic", convert=to.some_text, feature="modules"),
    *(Row(f"module.subscription.$n.{key}", convert=to.whole, feature="modules")
      for key in ("qos", "rh", "rap", "nl")),
    Row("module.rewrite", convert=to.flag, feature="modules"),
    Row("module.rewrite.rule.$n", feature="modules"),
    Row("module.rewrite.pub.rule.$n", feature="modules"),
    Row("module.rewrite.sub.rule.$n", feature="modules"),
    Row("module.rewrite.pub_rule.$n", feature="modules"),
    Row("module.rewrite.sub_rule.$n", feature="modules"),
    Row("module.acl_internal", note=notes.ALWAYS, outcome=Outcome.NOT_NEEDED),
    Row("module.delayed", note=notes.ALWAYS, outcome=Outcome.NOT_NEEDED),
    Row("modules.loaded_file", note=notes.NO_PLUGIN, outcome=Outcome.NOT_NEEDED),
    Row("module.loaded_file", note=notes.NO_PLUGIN, outcome=Outcome.NOT_NEEDED),

    Row("retainer.storage_type", note=Words("retained messages are on disk; see durability", "保留消息落盘，见 durability"),
        outcome=Outcome.NOT_NEEDED),
    Row("retainer.max_message_num", "retainer.backend.max_retained_messages", to.whole),
    Row("retainer.max_retained_messages", "retainer.backend.max_retained_messages", to.whole),
    Row("retainer.max_payload_size", "retainer.max_payload_size", to.size),
    Row("retainer.expiry_interval", "retainer.msg_expiry_interval", to.duration),
    Row("retainer.stop_publish_clear_msg", "retainer.stop_publish_clear_msg", to.flag),
)
