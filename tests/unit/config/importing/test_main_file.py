"""``emqx.conf`` of EMQX 4: sections, zones and what moved between them."""

from __future__ import annotations

import pytest

from rookery.config.importing import Outcome

from .conftest import Import, Result


@pytest.fixture
def result(do_import: Import) -> Result:
    return do_import("v4", ["emqx.conf"])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("node.name", "emqx@10.0.0.7"),
        ("cluster.name", "plant"),
        ("listeners.tcp.external.bind", ("0.0.0.0", 1883)),
        ("listeners.tcp.external.tcp_options.backlog", 2048),
        ("listeners.tcp.external.mountpoint", "devices/${username}/"),
        ("listeners.ssl.external.mountpoint", "devices/${username}/"),
        ("listeners.tcp.external.messages_rate", (100, 10_000)),
        ("listeners.tcp.external.max_conn_rate", (1000, 1000)),
        ("listeners.tcp.internal.enable_authn", False),
        ("listeners.ssl.external.ssl_options.versions", ("tlsv1.3", "tlsv1.2")),
        ("listeners.ws.external.websocket.max_frame_size", None),
        ("mqtt.max_packet_size", 256 << 10),
        ("mqtt.max_topic_levels", 65_535),
        ("mqtt.shared_subscription_strategy", "hash_clientid"),
        ("zones.external.mqtt.max_inflight", 64),
        ("zones.external.mqtt.max_awaiting_rel", None),
        ("zones.external.mqtt.keepalive_multiplier", 1.5),
        ("zones.external.mqtt.session_expiry_interval", 14_400_000),
        ("zones.external.mqtt.mqueue_priorities", {"alarm/fire": 10, "alarm/water": 8}),
        ("zones.external.mqtt.peer_cert_as_username", "cn"),
        ("force_shutdown.max_mailbox_size", 2000),
        ("flapping_detect.enable", True),
        ("flapping_detect.max_count", 30),
        ("flapping_detect.ban_time", 300_000),
        ("authorization.no_match", "deny"),
        ("authorization.deny_action", "disconnect"),
        ("authorization.cache.max_size", 64),
        ("authorization.cache.ttl", 120_000),
        ("access.anonymous", "nobody"),
        ("log.console.level", "info"),
        ("log.file.enable", True),
        ("log.file.rotation_count", 5),
        ("sys_topics.sys_msg_interval", 120_000),
        ("sys_topics.sys_heartbeat_interval", None),
        ("retainer.backend.max_retained_messages", 1000),
    ],
)
def test_it_means_the_same_here(result: Result, path: str, value: object) -> None:
    assert result.config[path] == value


def test_access_rules_keep_the_order_of_their_numbers(result: Result) -> None:
    rules = result.plain()["listeners"]["tcp"]["external"]["access_rules"]

    assert rules == ["allow 10.0.0.0/8", "deny all"]


def test_automatic_subscriptions_and_rewriting(result: Result) -> None:
    plain = result.plain()

    assert plain["auto_subscribe"]["topics"] == [
        {"topic": "$client/${clientid}", "qos": 0},
        {"topic": "$user/${username}", "qos": 1},
    ]
    assert plain["rewrite"] == [
        {"action": "publish", "source_topic": "x/#", "re": "^x/y/(.+)$", "dest_topic": "z/y/$1"}
    ]


@pytest.mark.parametrize(
    ("key", "outcome", "says"),
    [
        ("node.data_dir", Outcome.NOT_NEEDED, "directory of its own"),
        ("zone.internal.enable_acl", Outcome.UNSUPPORTED, '{zone, "internal"}'),
        ("zone.external.quota.overall_messages_routing", Outcome.UNSUPPORTED, "messages_rate"),
        ("zone.internal.bypass_auth_plugins", Outcome.CHANGED, "do not authenticate"),
        ("listener.ssl.external.tls_versions", Outcome.CHANGED, "TLS 1.1"),
        ("listener.ssl.external.ciphers", Outcome.CHANGED, "forward secrecy"),
        ("listener.ssl.external.psk_ciphers", Outcome.UNSUPPORTED, "pre-shared"),
        ("module.presence.qos", Outcome.UNSUPPORTED, "QoS 0"),
        ("unheard.of", Outcome.UNKNOWN, ""),
        ("this is no setting", Outcome.UNKNOWN, "not a setting"),
    ],
)
def test_what_is_not_the_same_says_why(
    result: Result, key: str, outcome: Outcome, says: str
) -> None:
    entry = result.entry(key)

    assert entry.outcome is outcome
    assert says in " ".join(note.en for note in entry.notes)


def test_a_balancer_has_to_be_named(result: Result) -> None:
    assert "trusted_proxies" in result.remarks()


def test_no_line_is_lost(result: Result) -> None:
    text = (result.home / "etc" / "emqx.conf").read_text()
    lines = {
        number
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.startswith("#")
    }

    main = [entry.setting for entry in result.imported.entries if entry.setting.key != "acl.conf"]
    assert {setting.line for setting in main} == lines


def test_the_rules_that_the_file_names_are_found(result: Result) -> None:
    assert result.entry("acl_file").outcome is Outcome.TAKEN
    assert result.imported.acl is not None


def test_without_its_file_of_rules_nothing_is_allowed(do_import: Import) -> None:
    result = do_import(
        texts={
            "emqx.conf": "listener.tcp.external = 1883\nacl_nomatch = allow\nacl_file = x/y.conf\n"
        }
    )

    assert result.config["authorization.no_match"] == "deny"
    assert "give acl.conf too" in result.entry("acl_file").notes[0].en
