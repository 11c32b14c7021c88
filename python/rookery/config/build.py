"""From checked values, named as EMQX does, to what the core and the management plane are given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rookery.config import snapshot
from rookery.native import config as to

Values = dict[str, Any]

# Packets of one client that may wait when force_shutdown is off.
MAILBOX_MAX = 65_535
# There are no more QoS 2 messages under way than packet identifiers.
PACKET_IDS = 65_535
STORE_DIR = "store"
ADMISSION: dict[str, to.Admission] = {
    "loopback": "loopback",
    "everyone": "everyone",
    # Without authentication asking means that nobody is admitted.
    "nobody": "ask",
}


def node_config(values: Values, data_dir: Path) -> to.NodeConfig:
    """What the native core is given."""
    durability = values["durability"]
    return to.NodeConfig(
        broker=_broker(values),
        listeners=tuple(
            _listener(kind, name, item)
            for kind in ("tcp", "ws")
            for name, item in values["listeners"][kind].items()
            if item["enable"]
        ),
        workers=values["node"]["workers"],
        durability=to.DurabilityConfig(
            dir=data_dir / STORE_DIR if durability["enable"] else None,
            sync=durability["sync"],
            sync_interval_ms=durability["sync_interval"],
            max_disk_bytes=durability["max_disk_bytes"] or 0,
        ),
    )


def management_config(values: Values, data_dir: Path) -> snapshot.ManagementConfig:
    """What stays in Python."""
    http = values["dashboard"]["listeners"]["http"]
    bind = http["bind"]
    topics = values["sys_topics"]
    return snapshot.ManagementConfig(
        node_name=values["node"]["name"],
        cluster_name=values["cluster"]["name"],
        data_dir=data_dir,
        http=bind
        and snapshot.HttpConfig(
            host=bind.host, port=bind.port, max_connections=http["max_connections"]
        ),
        sys_topics=snapshot.SysTopicsConfig(
            msg_interval_s=_seconds(topics["sys_msg_interval"], 0),
            heartbeat_interval_s=_seconds(topics["sys_heartbeat_interval"], 0),
        ),
        log_console=_log(values["log"]["console"], data_dir),
        log_file=_log(values["log"]["file"], data_dir),
        alarm=snapshot.AlarmConfig(
            actions=values["alarm"]["actions"],
            size_limit=values["alarm"]["size_limit"],
            validity_period_s=_seconds(values["alarm"]["validity_period"], 0),
        ),
    )


def _broker(values: Values) -> to.BrokerConfig:
    notices = values["sys_topics"]["sys_event_messages"]
    return to.BrokerConfig(
        node_name=values["node"]["name"],
        zones=_zones(values),
        shared_strategy=values["mqtt"]["shared_subscription_strategy"],
        retainer=_retainer(values["retainer"]),
        delayed=to.DelayedConfig(
            enable=values["delayed"]["enable"],
            max_delayed_messages=values["delayed"]["max_delayed_messages"],
        ),
        rewrite=tuple(to.RewriteRule(**rule) for rule in values["rewrite"]),
        auto_subscribe=tuple(
            to.AutoSubscribe(
                topic=item["topic"],
                qos=item["qos"],
                rh=item["rh"],
                rap=bool(item["rap"]),
                nl=bool(item["nl"]),
            )
            for item in values["auto_subscribe"]["topics"]
        ),
        limits=_limits(values),
        admission=ADMISSION[values["access"]["anonymous"]],
        hooks=to.HookSwitches(deadline_ms=values["access"]["hook_timeout"]),
        notices=to.NoticeConfig(
            connected=notices["client_connected"],
            disconnected=notices["client_disconnected"],
            subscribed=notices["client_subscribed"],
            unsubscribed=notices["client_unsubscribed"],
        ),
        durable=values["durability"]["enable"],
    )


def _zones(values: Values) -> tuple[to.ZoneConfig, ...]:
    base: Values = values["mqtt"]
    own: dict[str, Values] = {name: zone["mqtt"] for name, zone in values["zones"].items()}
    names = ["default", *(name for name in own if name != "default")]
    return tuple(
        to.ZoneConfig(name=name, mqtt=_mqtt({**base, **own.get(name, {})})) for name in names
    )


def _mqtt(mqtt: Values) -> to.MqttConfig:
    return to.MqttConfig(
        idle_timeout_ms=mqtt["idle_timeout"],
        max_packet_size=mqtt["max_packet_size"],
        max_clientid_len=mqtt["max_clientid_len"],
        max_topic_levels=mqtt["max_topic_levels"],
        max_topic_alias=mqtt["max_topic_alias"],
        max_qos_allowed=mqtt["max_qos_allowed"],
        retain_available=mqtt["retain_available"],
        wildcard_subscription=mqtt["wildcard_subscription"],
        shared_subscription=mqtt["shared_subscription"],
        exclusive_subscription=mqtt["exclusive_subscription"],
        ignore_loop_deliver=mqtt["ignore_loop_deliver"],
        strict_mode=mqtt["strict_mode"],
        response_information=mqtt["response_information"],
        server_keepalive_s=mqtt["server_keepalive"],
        keepalive_multiplier=mqtt["keepalive_multiplier"],
        use_username_as_clientid=mqtt["use_username_as_clientid"],
        session_expiry_interval_s=_seconds(
            mqtt["session_expiry_interval"], to.SESSION_EXPIRY_NEVER_S
        ),
        max_session_expiry_interval_s=_seconds(
            mqtt["max_session_expiry_interval"], to.SESSION_EXPIRY_NEVER_S
        ),
        message_expiry_interval_s=_seconds(mqtt["message_expiry_interval"], 0),
        max_awaiting_rel=mqtt["max_awaiting_rel"] or PACKET_IDS,
        await_rel_timeout_ms=mqtt["await_rel_timeout"],
        mqueue_store_qos0=mqtt["mqueue_store_qos0"],
        max_mqueue_len=mqtt["max_mqueue_len"] or 0,
        mqueue_priorities=tuple((mqtt["mqueue_priorities"] or {}).items()),
        mqueue_default_lowest=mqtt["mqueue_default_priority"] == "lowest",
        max_inflight=mqtt["max_inflight"],
        max_subscriptions=mqtt["max_subscriptions"] or 0,
        upgrade_qos=mqtt["upgrade_qos"],
        retry_interval_ms=mqtt["retry_interval"] or 0,
        clientid_override=mqtt["clientid_override"],
    )


def _seconds(ms: int | None, never: int) -> int:
    return never if ms is None else -(-ms // 1000)


def _listener(kind: Any, name: str, item: Values) -> to.ListenerConfig:
    options = item["tcp_options"]
    return to.ListenerConfig(
        id=f"{kind}:{name}",
        kind=kind,
        bind=str(item["bind"]),
        zone=item["zone"],
        mountpoint=item["mountpoint"],
        max_connections=item["max_connections"] or 0,
        backlog=options["backlog"],
        nodelay=options["nodelay"],
        websocket=_websocket(item["websocket"]) if kind == "ws" else None,
    )


def _websocket(options: Values) -> to.WebSocketConfig:
    return to.WebSocketConfig(
        path=options["mqtt_path"],
        subprotocols=options["supported_subprotocols"],
        require_subprotocol=options["fail_if_no_subprotocol"],
        max_frame_size=options["max_frame_size"] or 0,
    )


def _retainer(retainer: Values) -> to.RetainerConfig:
    return to.RetainerConfig(
        enable=retainer["enable"],
        msg_expiry_interval_s=_seconds(retainer["msg_expiry_interval"], 0),
        max_payload_size=retainer["max_payload_size"],
        max_retained_messages=retainer["backend"]["max_retained_messages"],
        stop_publish_clear_msg=retainer["stop_publish_clear_msg"],
        max_bytes=retainer["max_bytes"] or 0,
    )


def _limits(values: Values) -> to.LimitsConfig:
    limits = values["limits"]
    mailbox = values["force_shutdown"]
    # The core keeps one mark for the node; the strictest listener sets it.
    options = [
        item["tcp_options"]
        for kind in ("tcp", "ws")
        for item in values["listeners"][kind].values()
        if item["enable"]
    ]
    usual = to.LimitsConfig()
    return to.LimitsConfig(
        outbox_high_water_bytes=min(
            (item["high_watermark"] for item in options), default=usual.outbox_high_water_bytes
        ),
        outbox_total_bytes=limits["outbox_total_bytes"],
        send_timeout_ms=min(
            (item["send_timeout"] for item in options), default=usual.send_timeout_ms
        ),
        unauthenticated_connections=limits["unauthenticated_connections"],
        unauthenticated_bytes=limits["unauthenticated_bytes"],
        queued_total_bytes=limits["queued_total_bytes"],
        deferred_packets=(mailbox["enable"] and mailbox["max_mailbox_size"]) or MAILBOX_MAX,
        filters_per_packet=limits["filters_per_packet"],
        user_properties=limits["user_properties"],
        sessions=limits["max_sessions"] or 0,
    )


def _log(item: Values, data_dir: Path) -> snapshot.LogHandlerConfig:
    return snapshot.LogHandlerConfig(
        enable=item["enable"],
        level=item["level"],
        formatter=item["formatter"],
        path=data_dir / item["path"] if "path" in item else None,
        rotation_count=item.get("rotation_count", 0),
        rotation_bytes=item.get("rotation_size") or 0,
    )
