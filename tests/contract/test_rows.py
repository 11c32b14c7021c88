"""Rows of the compiled module fit the classes that are made of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.events import await_events
from rookery import _native
from rookery.errors import BadRequestError, ConfigError
from rookery.native.config import (
    AclRule,
    AclSource,
    AclTopic,
    AclWho,
    AuthorizationConfig,
    Ban,
    BrokerConfig,
    HookSwitches,
    MqttConfig,
    NodeConfig,
    ZoneConfig,
)
from rookery.native.models import AclDecision, Message
from rookery.native.node import Node
from rookery.native.properties import Properties, encode_properties
from rookery.native.rows import AclSubject, AdmitRow, ContinueRow


@pytest.fixture
def node() -> Iterator[_native.Node]:
    node = _native.Node.open(NodeConfig(workers=1))
    yield node
    node.stop(0.0)


def test_a_message_comes_up_as_it_went_down(node: _native.Node) -> None:
    properties = Properties(1, "text/plain", "answers/1", b"\x00\xff", (("a", "1"), ("a", "2")))
    slot = node.subscribe("rows/+", 2)

    _, matched = node.publish(
        ("rows/1", b"\x00payload", 1, False, encode_properties(properties), 60, "publisher", False)
    )

    assert matched == 1
    [(kind, to, row, qos)] = await_events(node, "delivery")
    message = Message.from_row(row, qos)
    assert (kind, to, qos) == ("delivery", slot, 1)
    assert (message.topic, message.payload, message.client_id) == (
        "rows/1",
        b"\x00payload",
        "publisher",
    )
    assert message.properties == properties
    assert message.expires_at_ms == message.timestamp_ms + 60_000
    assert message.to_row() == row


def test_an_unknown_word_is_refused(node: _native.Node) -> None:
    with pytest.raises(ValueError, match="admission"):
        node.apply_config(BrokerConfig(admission="nobody"))  # type: ignore[arg-type]


def test_a_number_out_of_range_names_its_field(node: _native.Node) -> None:
    zone = ZoneConfig(mqtt=MqttConfig(max_inflight=70_000))

    with pytest.raises((ValueError, OverflowError), match="max_inflight"):
        node.apply_config(BrokerConfig(zones=(zone,)))


def test_what_the_core_is_told_can_be_replaced(node: _native.Node) -> None:
    node.apply_config(BrokerConfig(admission="everyone"))
    node.set_hooks(HookSwitches(client_events=True))


def test_a_question_that_nobody_asked_may_be_answered(node: _native.Node) -> None:
    node.answer([((0, 0, 0, 0), "allow", None), ((0, 9, 9, 9), "deny", 0x87)])


@pytest.mark.parametrize(
    ("verdict", "value"),
    [
        ("perhaps", None),
        ("deny", None),
        ("allow", 1),
        ("replace", 1),
        ("admit", None),
        ("admit", (True,)),
        ("continue", (None, None)),
    ],
)
def test_a_wrong_verdict_is_refused(node: _native.Node, verdict: str, value: int | None) -> None:
    with pytest.raises((ValueError, TypeError)):
        node.answer([((0, 0, 0, 0), verdict, value)])


def test_what_authentication_grants_goes_down(node: _native.Node) -> None:
    rule = AclRule(permission="deny", topics=(AclTopic(text="secret/#"),))
    granted = AdmitRow(True, (("dept", "7"),), 1, (rule,), "other", b"data")

    node.answer(
        [
            ((0, 0, 0, 0), "admit", AdmitRow()),
            ((0, 0, 0, 0), "admit", granted),
            ((0, 0, 0, 0), "continue", ContinueRow(b"challenge", "go on")),
        ]
    )


@pytest.fixture
def facade() -> Iterator[Node]:
    node = Node(NodeConfig(workers=1, broker=BrokerConfig(authorization=RULES)))
    yield node
    node.stop(0.0)


RULES = AuthorizationConfig(
    sources=(
        AclSource(
            name="file",
            rules=(
                AclRule(
                    permission="deny",
                    who=AclWho(
                        kind="and",
                        members=(
                            AclWho(kind="username", values=("^u",), is_regex=True),
                            AclWho(kind="ipaddr", values=("10.0.0.0/8",)),
                        ),
                    ),
                    action="publish",
                    qos=(1, 2),
                    retain=False,
                    topics=(AclTopic(text="a/${clientid}/#"),),
                    line=7,
                ),
            ),
        ),
        AclSource(name="http", kind="ask"),
        AclSource(name="last", rules=(AclRule(permission="allow", all_topics=True, line=9),)),
    ),
    no_match="deny",
)


def test_rules_are_explained(facade: Node) -> None:
    subject = AclSubject("c1", username="u1", peerhost="10.1.2.3")

    assert facade.check_acl(subject, "publish", "a/c1/x", qos=1) == AclDecision("deny", "file", 7)
    for differs in (
        facade.check_acl(subject, "publish", "a/c1/x", qos=0),
        facade.check_acl(subject, "publish", "a/c1/x", qos=1, retain=True),
        facade.check_acl(subject, "subscribe", "a/c1/x", qos=1),
        facade.check_acl(subject._replace(peerhost=None), "publish", "a/c1/x", qos=1),
    ):
        assert differs == AclDecision("ask", "http", 0)
    behind = facade.check_acl(subject, "publish", "a/c1/x", qos=1, after="http")
    assert behind == AclDecision("allow", "last", 9)
    end = facade.check_acl(subject, "publish", "t", after="last")
    assert end == AclDecision("deny", "no_match", 0)
    root = facade.check_acl(subject._replace(is_superuser=True), "subscribe", "#")
    assert root == AclDecision("allow", "superuser", 0)
    assert facade.check_client_acl("nobody", "publish", "t") is None
    facade.purge_acl_cache()
    facade.purge_acl_cache("c1")


def test_a_check_that_makes_no_sense_is_refused(facade: Node) -> None:
    with pytest.raises(BadRequestError):
        facade.check_acl(AclSubject("c"), "publish", "a/#")
    with pytest.raises(BadRequestError, match="nowhere"):
        facade.check_acl(AclSubject("c"), "publish", "a", after="nowhere")


def test_a_rule_that_cannot_be_used_names_source_and_line(facade: Node) -> None:
    who = AclWho(kind="username", values=("(?=a)",), is_regex=True)
    rule = AclRule(permission="allow", who=who, all_topics=True, line=12)
    wrong = AuthorizationConfig(sources=(AclSource(name="acl.conf", rules=(rule,)),))

    with pytest.raises(ConfigError, match=r"acl\.conf: line 12: .*look-around"):
        facade.apply_config(BrokerConfig(authorization=wrong))

    said = facade.check_acl(AclSubject("c"), "publish", "t", after="http")
    assert said == AclDecision("allow", "last", 9)  # the old rules hold


def test_bans_are_replaced_alone(facade: Node) -> None:
    facade.apply_bans([Ban(kind="clientid", who="c1", until_ms=1, reason="test")])
    facade.apply_bans([])
    with pytest.raises(ConfigError, match="no CIDR"):
        facade.apply_bans([Ban(kind="peerhost_net", who="10.0.0.0/99")])


def test_a_taken_port_says_which(node: _native.Node) -> None:
    _, address, *_ = node.listeners()[0]
    config = NodeConfig()
    listener = config.listeners[0]
    taken = NodeConfig(listeners=(type(listener)(id="tcp:second", bind=address),))

    with pytest.raises(_native.NativeError) as caught:
        _native.Node.open(taken)

    error = caught.value
    assert (error.kind, error.listener, error.address) == ("bind", "tcp:second", address)
    assert error.errno is not None
