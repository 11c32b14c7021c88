"""From checked values, named as EMQX does, to what the core and the management plane are given."""

from __future__ import annotations

import math
from collections.abc import Iterator
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
NATS_PORT = 6369
LANES_PORT = 6370
LISTENER_KINDS = ("tcp", "ssl", "ws", "wss")
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
            listener_config(kind, name, item)
            for kind, name, item in listeners_of(values)
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


def listeners_of(values: Values) -> Iterator[tuple[str, str, Values]]:
    """Every listener of MQTT: its kind, its name, its values."""
    for kind in LISTENER_KINDS:
        for name, item in values["listeners"][kind].items():
            yield kind, name, item


def management_config(values: Values, data_dir: Path) -> snapshot.ManagementConfig:
    """What stays in Python."""
    listeners = values["dashboard"]["listeners"]
    topics = values["sys_topics"]
    return snapshot.ManagementConfig(
        node_name=values["node"]["name"],
        cluster_name=values["cluster"]["name"],
        cluster=_cluster(values),
        data_dir=data_dir,
        http=_http(listeners["http"]),
        https=_http(listeners["https"]),
        http_v3=_http_v3(values["management"]["listener"]["http"]),
        dashboard=_dashboard(values),
        sys_topics=snapshot.SysTopicsConfig(
            msg_interval_s=_seconds(topics["sys_msg_interval"], 0),
            heartbeat_interval_s=_seconds(topics["sys_heartbeat_interval"], 0),
        ),
        log=snapshot.LogConfig(
            console=_log(values["log"]["console"], data_dir),
            file=_log(values["log"]["file"], data_dir),
            throttle_s=_seconds(values["log"]["throttling"]["time_window"], 0),
        ),
        slow_subs=_slow_subs(values["slow_subs"]),
        otel=_otel(values["opentelemetry"]),
        access=_access(values),
        alarm=snapshot.AlarmConfig(
            actions=values["alarm"]["actions"],
            size_limit=values["alarm"]["size_limit"],
            validity_period_s=_seconds(values["alarm"]["validity_period"], 0),
        ),
        sysmon=_sysmon(values["sysmon"]["os"]),
        prometheus=_prometheus(values["prometheus"]),
    )


def _cluster(values: Values) -> snapshot.ClusterConfig:
    item, nats = values["cluster"], values["cluster"]["nats"]
    host = values["node"]["name"].partition("@")[2]
    return snapshot.ClusterConfig(
        name=item["name"],
        cookie=values["node"]["cookie"],
        strategy=item["discovery_strategy"],
        seeds=item["static"]["seeds"],
        dns_name=item["dns"]["name"],
        dns_record=item["dns"]["record_type"],
        nats=snapshot.NatsSettings(
            mode=nats["mode"],
            listen=_place(nats["listen"], host, NATS_PORT),
            path=nats["path"],
            servers=nats["servers"],
            username=nats["username"],
            password=nats["password"],
            token=nats["token"],
            tls=_nats_tls(nats["ssl_options"]),
        ),
        lanes=_place(item["lanes"]["listen"], host, LANES_PORT),
        takeover_timeout_s=item["takeover_timeout"] / 1000,
        lanes_tls=_nats_tls(item["lanes"]["ssl_options"]),
    )


def _place(bind: Any, host: str, port: int) -> tuple[str, int]:
    return (host, port) if bind is None else (bind.host, bind.port)


def _nats_tls(options: Values) -> snapshot.NatsTls | None:
    if not options["enable"]:
        return None
    return snapshot.NatsTls(
        certfile=_file(options["certfile"]),
        keyfile=_file(options["keyfile"]),
        cacertfile=_file(options["cacertfile"]),
    )


def _http(item: Values) -> snapshot.HttpConfig | None:
    bind = item["bind"]
    if bind is None:
        return None
    options = item.get("ssl_options")
    return snapshot.HttpConfig(
        host=bind.host,
        port=bind.port,
        max_connections=item["max_connections"],
        tls=None
        if options is None
        else snapshot.HttpsConfig(
            certfile=Path(options["certfile"]),
            keyfile=Path(options["keyfile"]),
            password=options["password"],
            cacertfile=_file(options["cacertfile"]),
            verify_peer=options["verify"] == "verify_peer",
        ),
    )


def _http_v3(item: Values) -> snapshot.HttpConfig | None:
    return _http(item) if item["enable"] else None


def _dashboard(values: Values) -> snapshot.DashboardConfig:
    item = values["dashboard"]
    return snapshot.DashboardConfig(
        default_username=item["default_username"],
        default_password=item["default_password"],
        token_expired_time_s=item["token_expired_time"] / 1000,
        swagger_support=item["swagger_support"],
        bootstrap_file=_file(values["api_key"]["bootstrap_file"]),
    )


def _file(path: str | None) -> Path | None:
    return Path(path) if path else None


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
        admission="ask" if _providers(values) else ADMISSION[values["access"]["anonymous"]],
        hooks=to.HookSwitches(deadline_ms=values["access"]["hook_timeout"]),
        notices=to.NoticeConfig(
            connected=notices["client_connected"],
            disconnected=notices["client_disconnected"],
            subscribed=notices["client_subscribed"],
            unsubscribed=notices["client_unsubscribed"],
        ),
        durable=values["durability"]["enable"],
        acknowledge=values["durability"]["acknowledge"],
        unconfirmed=values["durability"]["unconfirmed"],
        sys_topics_open=values["access"]["sys_topics"] == "everyone",
        authorization=_authorization(values["authorization"]),
        flapping=_flapping(values["flapping_detect"]),
        login_backoff=_login_backoff(values["access"]["login_backoff"]),
        max_connections=values["access"]["max_connections"] or 0,
        crowded_from=_share(values, "connection_high_watermark"),
        crowded_until=_share(values, "connection_low_watermark"),
        auth_methods=tuple(
            f"SCRAM-{item['algorithm'].upper().replace('SHA', 'SHA-')}"
            for item in _providers(values)
            if item["mechanism"] == "scram"
        ),
    )


def _share(values: Values, watermark: str) -> int:
    """So many clients are at least that share of the quota; 0 without a quota."""
    exact: float = (values["access"]["max_connections"] or 0) * values["license"][watermark]
    return math.ceil(round(exact, 6))  # 0.55 * 100 is a little above 55


def _providers(values: Values) -> list[Values]:
    return [item for item in values["authentication"] if item["enable"]]


def _password_cache(values: Values) -> snapshot.PasswordCacheConfig:
    return snapshot.PasswordCacheConfig(
        enable=values["enable"],
        max_size=values["max_size"],
        ttl_s=(values["ttl"] or 0) / 1000,
        over_restart=values["over_restart"],
    )


def _access(values: Values) -> snapshot.AccessConfig:
    settings = values["authorization"]
    zones: dict[str, Values] = {"default": values["mqtt"]}
    for name, zone in values["zones"].items():
        zones[name] = {**values["mqtt"], **zone["mqtt"]}
    return snapshot.AccessConfig(
        authentication=tuple(_providers(values)),
        sources=tuple(item for item in settings["sources"] if item["enable"]),
        client_attrs_init={
            name: tuple(mqtt["client_attrs_init"])
            for name, mqtt in zones.items()
            if mqtt["client_attrs_init"]
        },
        anonymous=values["access"]["anonymous"],
        max_connections=values["access"]["max_connections"] or 0,
        answer_timeout_s=values["access"]["hook_timeout"] / 1000,
        password_cache=_password_cache(values["access"]["password_cache"]),
    )


def _authorization(settings: Values) -> to.AuthorizationConfig:
    """Without sources: their rules are read from files and stores, which is not done here."""
    cache = settings["cache"]
    return to.AuthorizationConfig(
        no_match=settings["no_match"],
        deny_action=settings["deny_action"],
        cache_enable=cache["enable"],
        cache_max_size=cache["max_size"],
        cache_ttl_ms=cache["ttl"],
        cache_excludes=cache["excludes"],
    )


def _flapping(item: Values) -> to.FlappingConfig:
    return to.FlappingConfig(
        enable=item["enable"],
        window_ms=item["window_time"],
        max_count=item["max_count"],
        ban_ms=item["ban_time"],
    )


def _login_backoff(item: Values) -> to.LoginBackoffConfig:
    return to.LoginBackoffConfig(
        enable=item["enable"],
        failures=item["failures"],
        window_ms=item["window"],
        block_ms=item["block"],
        block_max_ms=item["block_max"],
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
        peer_cert_as_username=mqtt["peer_cert_as_username"],
        peer_cert_as_clientid=mqtt["peer_cert_as_clientid"],
    )


def _seconds(ms: int | None, never: int) -> int:
    return never if ms is None else -(-ms // 1000)


def listener_config(kind: Any, name: str, item: Values) -> to.ListenerConfig:
    """One listener as the core is told it."""
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
        keepalive=options["keepalive"],
        recv_buffer_bytes=options["recbuf"] or 0,
        send_buffer_bytes=options["sndbuf"] or 0,
        enable_authn=item["enable_authn"] is not False,
        quick_deny_anonymous=item["enable_authn"] == "quick_deny_anonymous",
        access_rules=item["access_rules"],
        proxy_protocol=item["proxy_protocol"],
        proxy_protocol_timeout_ms=item["proxy_protocol_timeout"],
        trusted_proxies=item["trusted_proxies"],
        **_rate(item, "max_conn"),
        **_rate(item, "messages"),
        **_rate(item, "bytes"),
        websocket=_websocket(item["websocket"]) if kind in ("ws", "wss") else None,
        tls=_tls(item["ssl_options"]) if kind in ("ssl", "wss") else None,
    )


def _rate(item: Values, name: str) -> dict[str, Any]:
    """Units per second and units at once; a rate of 300/5m lets 300 pass at once."""
    rate, burst = item[f"{name}_rate"], item[f"{name}_burst"]
    if rate is None:
        return {}
    at_once = rate.amount + (burst.amount if burst is not None else 0)
    return {f"{name}_rate": rate.per_second, f"{name}_burst": max(1, at_once)}


def _websocket(options: Values) -> to.WebSocketConfig:
    return to.WebSocketConfig(
        path=options["mqtt_path"],
        subprotocols=options["supported_subprotocols"],
        require_subprotocol=options["fail_if_no_subprotocol"],
        max_frame_size=options["max_frame_size"] or 0,
        compress=options["compress"],
        idle_timeout_ms=options["idle_timeout"] or 0,
        check_origins=options["check_origins"] if options["check_origin_enable"] else None,
        allow_origin_absence=options["allow_origin_absence"],
        proxy_address_header=options["proxy_address_header"].lower(),
        proxy_port_header=options["proxy_port_header"].lower(),
    )


def _tls(options: Values) -> to.TlsConfig:
    return to.TlsConfig(
        certfile=options["certfile"],
        keyfile=options["keyfile"],
        cacertfile=options["cacertfile"],
        password=options["password"].reveal() if options["password"] else None,
        verify=options["verify"],
        fail_if_no_peer_cert=options["fail_if_no_peer_cert"],
        depth=options["depth"],
        versions=options["versions"],
        ciphers=options["ciphers"],
        crlfile=options["crlfile"],
        handshake_timeout_ms=options["handshake_timeout"],
        sni=tuple((name, sni["certfile"], sni["keyfile"]) for name, sni in options["sni"].items()),
        session_tickets=options["reuse_sessions"],
    )


def _retainer(retainer: Values) -> to.RetainerConfig:
    return to.RetainerConfig(
        enable=retainer["enable"],
        msg_expiry_interval_s=_seconds(retainer["msg_expiry_interval"], 0),
        max_payload_size=retainer["max_payload_size"],
        max_retained_messages=retainer["backend"]["max_retained_messages"],
        stop_publish_clear_msg=retainer["stop_publish_clear_msg"],
        max_bytes=retainer["max_bytes"] or 0,
        ack_timeout_ms=retainer["cluster"]["ack_timeout"],
        deletion_expiry_s=_seconds(retainer["cluster"]["deletion_expiry"], 0),
    )


def _limits(values: Values) -> to.LimitsConfig:
    limits = values["limits"]
    mailbox = values["force_shutdown"]
    # The core keeps one mark for the node; the strictest listener sets it.
    options = [item["tcp_options"] for _, _, item in listeners_of(values) if item["enable"]]
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


def _sysmon(os: Values) -> snapshot.SysmonConfig:
    def watermark(interval: str, name: str) -> snapshot.Watermark:
        return snapshot.Watermark(
            interval_s=_seconds(os[f"{interval}_check_interval"], 0),
            high=os[f"{name}_high_watermark"],
            low=os[f"{name}_low_watermark"],
        )

    return snapshot.SysmonConfig(
        cpu=watermark("cpu", "cpu"),
        sysmem=watermark("mem", "sysmem"),
        procmem=watermark("mem", "procmem"),
        fd=watermark("fd", "fd"),
        disk=watermark("disk", "disk"),
    )


def _prometheus(item: Values) -> snapshot.PrometheusConfig:
    push = item["push_gateway"]
    return snapshot.PrometheusConfig(
        enable_basic_auth=item["enable_basic_auth"],
        push_gateway=snapshot.PushGatewayConfig(
            url=push["url"],
            interval_s=_seconds(push["interval"], 0),
            headers=push["headers"],
            job_name=push["job_name"],
        )
        if push["enable"]
        else None,
    )


def _log(item: Values, data_dir: Path) -> snapshot.LogHandlerConfig:
    return snapshot.LogHandlerConfig(
        enable=item["enable"],
        level=item["level"],
        formatter=item["formatter"],
        path=data_dir / item["path"] if "path" in item else None,
        rotation_count=item.get("rotation_count", 0),
        rotation_bytes=item.get("rotation_size") or 0,
        time_offset=item["time_offset"],
        is_epoch=item["timestamp_format"] == "epoch",
    )


def _slow_subs(item: Values) -> to.SlowSubsConfig | None:
    if not item["enable"]:
        return None
    return to.SlowSubsConfig(
        threshold_ms=item["threshold"],
        expire_interval_ms=item["expire_interval"],
        top_k_num=item["top_k_num"],
        stats_type=item["stats_type"],
    )


def _otel(item: Values) -> snapshot.OtelConfig | None:
    traces = item["traces"]
    if not traces["enable"]:
        return None
    return snapshot.OtelConfig(
        endpoint=item["exporter"]["endpoint"],
        headers={name: value.reveal() for name, value in item["exporter"]["headers"].items()},
        spans=to.SpanConfig(
            trace_all=traces["filter"]["trace_all"],
            sample_ratio=traces["filter"]["sample_ratio"],
        ),
        queue_max=traces["max_queue_size"],
        delay_s=traces["scheduled_delay"] / 1000,
        timeout_s=traces["exporting_timeout"] / 1000,
    )
