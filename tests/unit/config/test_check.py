"""What is wrong with a configuration is said all at once, with path, place and what is allowed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from rookery.config.between import between_keys
from rookery.config.check import Checked, check, walk
from rookery.config.nearest import MOVED
from rookery.config.problems import TEXTS, InvalidConfigError, Problem
from rookery.config.schema import ROOT, Status
from rookery.config.schema.chinese import LITERAL, in_chinese
from rookery.config.schema.model import Anything, Forms, ListOf, MapOf, Struct
from rookery.config.tree import DEFAULT, Origin, nested, wrap

HERE = Origin("file", "r.conf", 7)


def checked(tree: dict[str, Any]) -> Checked:
    return check(wrap(tree, HERE), ROOT)


def at(path: str, value: Any) -> Checked:
    return check(nested(path.split("."), wrap(value, HERE)), ROOT)


def problems(result: Checked) -> list[str]:
    return [problem.text() for problem in result.problems]


def test_nothing_written_is_a_good_configuration() -> None:
    result = check(wrap({}, DEFAULT), ROOT)
    assert not result.problems
    assert not result.warnings


def test_every_default_written_out_is_good_and_silent() -> None:
    shown = check(wrap({}, DEFAULT), ROOT).shown
    result = checked(shown)
    assert not result.problems
    assert not result.warnings


def test_all_problems_are_found_not_only_the_first() -> None:
    result = checked(
        {
            "mqtt": {"max_inflight": 0, "max_qos_allowed": 3},
            "listeners": {"tcp": {"default": {"bind": "nonsense"}}},
            "nonsense": 1,
        }
    )
    assert {problem.path for problem in result.problems} == {
        "mqtt.max_inflight",
        "mqtt.max_qos_allowed",
        "listeners.tcp.default.bind",
        "nonsense",
    }


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("mqtt.max_packt_size", "mqtt.max_packet_size"),
        ("listeners.tcp.default.max_connection", "listeners.tcp.default.max_connections"),
        ("listner", "listeners"),
        ("max_inflight", "mqtt.max_inflight"),
        ("mqtt.MAX_INFLIGHT", "mqtt.max_inflight"),
        ("zones.z.mqtt.max_inflght", "zones.z.mqtt.max_inflight"),
        ("listeners.ssl.default.ssl_options.certfil", "listeners.ssl.default.ssl_options.certfile"),
        ("mqtt.maxInflight", "mqtt.max_inflight"),
        ("mqtt.max-packet-size", "mqtt.max_packet_size"),
        ("max_packt_size", "mqtt.max_packet_size"),
        ("node.max_packet_size", "mqtt.max_packet_size"),
        ("retainer.enabled", "retainer.enable"),
        ("listeners.tcp.mine.high_watermark", "listeners.tcp.mine.tcp_options.high_watermark"),
        ("listeners.ws.mine.nodelay", "listeners.ws.mine.tcp_options.nodelay"),
        ("listeners.tcp.mine.websocket", "listeners.ws.default.websocket"),
        ("rotation_size", "log.file.rotation_size"),
        ("mqtt.anonymous", "access.anonymous"),
        ("sync_interval", "durability.sync_interval"),
        ("alarm.history_size_limit", "alarm.size_limit"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(path: str, near: str) -> None:
    text = problems(at(path, 1))[0]
    assert text == f"r.conf:7: {path}: unknown key, did you mean {near}?"


def test_a_key_like_no_other_names_none() -> None:
    assert problems(at("xyzzy", 1)) == ["r.conf:7: xyzzy: unknown key"]


@pytest.mark.parametrize(
    ("path", "use"),
    [
        ("allow_anonymous", "access.anonymous"),
        ("zone.external.max_packet_size", "mqtt.max_packet_size"),
        ("listener.tcp.external", "listeners.tcp.external.bind"),
        ("listeners.tcp.mine.tcp", "listeners.tcp.mine.tcp_options"),
        ("log.file_handlers.default", "log.file"),
        ("max_inflight_messages", "mqtt.max_inflight"),
        ("persistence", "durability.enable"),
        ("listener", "listeners.tcp.default.bind"),
    ],
)
def test_a_key_that_has_another_name_today_says_so(path: str, use: str) -> None:
    assert problems(at(path, 1)) == [f"r.conf:7: {path}: unknown key, use {use}"]


def test_every_new_name_of_an_old_key_exists_and_no_old_one_does() -> None:
    known = {".".join(path).replace("<name>", "*") for path, _ in walk(ROOT)}
    for old, new in MOVED.items():
        assert new.replace(".default.", ".*.") in known, old
        assert old not in known, old


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("mqtt.max_inflight", [1], "mqtt.max_inflight: [1] is not"),
        ("mqtt.max_inflight", {"a": "b"}, 'mqtt.max_inflight: {"a": "b"} is not'),
        ("mqtt.max_inflight", True, "mqtt.max_inflight: true is not"),
        ("mqtt", ["a"], 'mqtt: ["a"] is not'),
        ("mqtt.retry_interval", [None, False], "mqtt.retry_interval: [null, false] is not"),
        ("mqtt.max_inflight", "\n", 'mqtt.max_inflight: "\\n" is not'),
    ],
)
def test_a_value_is_shown_as_it_would_be_written(path: str, value: Any, text: str) -> None:
    assert problems(at(path, value))[0].startswith(f"r.conf:7: {text}")


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("mqtt.max_inflight", 65_536,
         "r.conf:7: mqtt.max_inflight: 65536 is not allowed here; allowed: a whole number, 1 to 65535"),
        ("mqtt.retry_interval", "soon",
         ('r.conf:7: mqtt.retry_interval: "soon" is not allowed here; allowed: a duration such as '
         "15s, 1m, 2h or 1d, or infinity")),
        ("durability.sync", "sometimes",
         ('r.conf:7: durability.sync: "sometimes" is not allowed here; allowed: one of interval, '
         "always, never")),
        ("mqtt", 5,
         ("r.conf:7: mqtt: 5 is not allowed here; allowed: an object with idle_timeout, "
         "max_packet_size, max_clientid_len, max_topic_levels, max_topic_alias, retain_available …")),
        ("mqtt.clientid_override", "x" * 1025,
         (f'r.conf:7: mqtt.clientid_override: "{"x" * 58}… is not allowed here; allowed: up to 1024 characters')),
        ("node.name", "nohost",
         'r.conf:7: node.name: "nohost" is not allowed here; allowed: a name of the form name@host'),
        ("rewrite", [{"source_topic": "a/#", "dest_topic": "b", "re": "("}],
         ('r.conf:7: rewrite.1.re: "(": not a regular expression: missing ), unterminated '
         "subpattern at position 0; allowed: a regular expression")),
        ("auto_subscribe.topics", [{"qos": 1}], "r.conf:7: auto_subscribe.topics.1.topic: missing"),
        ("listeners.tcp", {"a b": {}},
         ('r.conf:7: listeners.tcp.\"a b\": the name "a b" is not allowed; allowed: letters, digits, '
         "_ and -")),
    ],
)  # fmt: skip
def test_a_bad_value_says_what_is_allowed(path: str, value: Any, text: str) -> None:
    assert problems(at(path, value))[0] == text


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("listeners.ssl.default", {"enable": False, "bind": 8883}, None),
        ("authentication", [], None),
        ("authentication", [{"mechanism": "password_based", "backend": "mysql", "enable": False}], None),
        ("bridges", {"http": {"a": {"url": "x"}}}, "bridges.http.a"),
        ("bridges", {"http": {"a": {"url": "x", "enable": False}}}, None),
        ("ai", {"providers": {}}, None),
        ("schema_registry", {"schemas": {"s": {"type": "avro"}}}, "schema_registry.schemas.s"),
        ("opentelemetry", {"metrics": {"enable": True}}, "opentelemetry.metrics"),
        ("exhook", {"servers": [{"name": "a"}]}, "exhook.servers"),
        ("exhook", {"servers": [{"name": "a", "enable": False}]}, None),
        ("listeners.tcp.default.authentication", [{"mechanism": "jwt"}],
         "listeners.tcp.default.authentication"),
        ("listeners.tcp.default.authentication", [], None),
        ("listeners.tcp.default.proxy_protocol_timeout", "5s", None),
        ("mqtt.shared_subscription_strategy", "round_robin_per_group",
         "mqtt.shared_subscription_strategy"),
    ],
)  # fmt: skip
def test_a_later_feature_is_not_available_unless_it_is_off(
    path: str, value: Any, where: str | None
) -> None:
    result = at(path, value)
    if where is None:
        assert not result.problems
    else:
        assert problems(result) == [f"r.conf:7: {where}: not available in this version"]


@pytest.mark.parametrize(
    ("path", "value", "is_told"),
    [
        ("schema_registry", {"schemas": {"s": {"type": "avro", "enable": False}}}, True),
        ("exhook", {"servers": [{"name": "a", "enable": False}]}, True),
        ("schema_registry", {}, False),
        ("schema_registry", {"schemas": {}}, False),
    ],
)
def test_what_stands_in_a_later_feature_warns_once(path: str, value: Any, is_told: bool) -> None:
    result = at(path, value)
    assert not result.problems
    assert [warning.text() for warning in result.warnings] == [
        f"r.conf:7: {path}: not available in this version, what stands there has no effect"
    ] * is_told


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("cluster.discovery_strategy", "etcd"),
        ("node.role", "replicant"),
        ("broker.shared_subscription_strategy", "random"),
    ],
)
def test_what_would_protect_and_does_not_is_refused(path: str, value: Any) -> None:
    assert at(path, value).problems


def test_the_authorization_that_emqx_ships_is_taken_without_a_word() -> None:
    result = checked(
        {
            "authorization": {
                "no_match": "allow",
                "deny_action": "ignore",
                "cache": {"enable": True, "max_size": 32, "ttl": "1m"},
                "sources": [
                    {"type": "file", "enable": True, "path": "${EMQX_ETC_DIR}/acl.conf"},
                ],
            }
        }
    )
    assert not result.problems
    assert not result.warnings


def test_a_key_without_effect_warns_once_and_says_why() -> None:
    result = at("listeners.tcp.default.acceptors", 32)
    assert [warning.text() for warning in result.warnings] == [
        (
            "r.conf:7: listeners.tcp.default.acceptors: accepted without effect: every worker accepts; "
            "see node.workers"
        )
    ]


def test_null_takes_a_default_listener_away() -> None:
    assert at("listeners.ws.default", None).values["listeners"]["ws"] == {}


def test_a_secret_is_kept_and_never_shown() -> None:
    result = at("node.cookie", "swordfish")
    assert result.values["node"]["cookie"].reveal() == "swordfish"
    assert "swordfish" not in repr(result.values) + repr(result.shown)


def test_a_bad_secret_is_not_shown_either() -> None:
    assert "swordfish" not in problems(at("node.cookie", ["swordfish"]))[0]


def test_every_problem_can_be_said_in_both_languages() -> None:
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()
    for kind in TEXTS["en"]:
        problem = Problem(kind, "a.b", HERE, "v", "allowed", "near", {"en": "why"})
        assert problem.text("zh")
        assert problem.text("en")


def test_what_is_allowed_can_be_said_in_chinese() -> None:
    phrases = set()
    for _, item in walk(ROOT):
        kind: Any = item.type
        while kind is not None:
            phrases.add(kind.allowed)
            phrases.add(getattr(kind, "key_form", "text"))
            kind = getattr(kind, "value", None) or getattr(kind, "item", None)
    english = re.compile(r"\b(a|an|or|at|least|most|such|as|to|of|the|whole number)\b")
    for phrase in phrases:
        assert not english.search(in_chinese(phrase)), phrase
        assert in_chinese(phrase) != phrase or phrase in LITERAL, phrase


def test_a_problem_in_chinese_has_no_english_in_it() -> None:
    (problem,) = at("mqtt.max_inflight", 0).problems
    assert problem.text("zh") == (
        "r.conf:7: mqtt.max_inflight：不允许的值 0，允许：整数，1 到 65535"
    )
    (problem,) = at("psk_authentication.enable", True).problems
    assert "请使用客户端证书" in problem.text("zh")


def test_the_error_survives_pickling() -> None:
    import pickle

    error = InvalidConfigError([Problem("unknown", "a", HERE)])
    again = pickle.loads(pickle.dumps(error))
    assert again.problems == error.problems == ("r.conf:7: a: unknown key",)


def test_every_key_is_described_in_both_languages() -> None:
    for path, item in walk(ROOT):
        assert item.en, path
        assert item.zh, path


def test_every_default_is_of_its_own_type() -> None:
    for _, item in walk(ROOT):
        is_leaf = not isinstance(item.type, (Struct, MapOf, ListOf, Forms, Anything))
        is_written = item.default is not None and item.default != ("required",)
        if is_leaf and is_written:
            item.type.parse(item.default)  # type: ignore[union-attr]


def test_a_key_without_effect_or_refused_says_what_to_do() -> None:
    for path, item in walk(ROOT):
        if item.status is Status.REFUSED:
            assert item.instead, path
            assert item.instead_zh, path


@pytest.mark.parametrize("topic", ["a/#/b", "a#", "+a/b", "a/b+", "", "#/"])
def test_a_rewrite_rule_is_for_a_filter(topic: str) -> None:
    result = at("rewrite", [{"source_topic": topic, "dest_topic": "a", "re": "a"}])
    assert [problem.path for problem in result.problems] == ["rewrite.1.source_topic"]


@pytest.mark.parametrize("topic", ["#", "a/#", "+/b", "/", "a//+", "$SYS/#", "${clientid}/a"])
def test_filters_of_rewrite_rules(topic: str) -> None:
    assert not at("rewrite", [{"source_topic": topic, "dest_topic": "a", "re": "a"}]).problems


@pytest.mark.parametrize(("action", "is_good"), [("all", 0), ("publish", 0), ("subscribe", 1)])
@pytest.mark.parametrize("dest", ["z/#", "z/+/$1"])
def test_nothing_is_published_to_a_filter(action: str, is_good: int, dest: str) -> None:
    rule = {"action": action, "source_topic": "a/#", "dest_topic": dest, "re": "a"}
    found = list(between_keys(at("rewrite", [rule])))
    assert [problem.path for problem in found] == ["rewrite.1.dest_topic"] * (1 - is_good)


def test_what_emqx_5_0_wrote_out_is_taken_where_it_is_our_default() -> None:
    same = at("broker.shared_subscription_strategy", "round_robin")
    assert not same.problems
    (warning,) = same.warnings
    assert "use mqtt.shared_subscription_strategy" in warning.text()
    (problem,) = at("broker.shared_subscription_strategy", "random").problems
    assert problem.kind == "refused"


def test_force_shutdown_of_a_zone_is_said_to_hold_for_the_node() -> None:
    (warning,) = at("zones.a.force_shutdown.max_mailbox_size", 10).warnings
    assert "set force_shutdown at the root" in warning.text()
