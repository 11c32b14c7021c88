"""Messages of agents: what is made here can be read, and nothing else breaks the reader."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.contracts import agent_v1
from rookery.contracts.agent_enrolment_v1 import Metadata, MqttAccess, Registered, Registration
from rookery.contracts.agent_v1 import (
    CHUNK_BYTES_MAX,
    Cancel,
    Channel,
    Chunk,
    ClusterFacts,
    ClusterNode,
    Credit,
    Desired,
    Event,
    Message,
    MessageError,
    Presence,
    Reply,
    Report,
    Reported,
    Request,
    Topic,
    UnknownMessageError,
    parse,
    parse_topic,
    topic_name,
)

IDS = st.text(string.ascii_letters + string.digits + "_.-", min_size=1, max_size=64)
# What people write: any character but those that control something.
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=64)
NAMES = WORDS.filter(bool)
COUNTS = st.integers(0, 1 << 53)
BODIES = st.binary(max_size=2000)
NUMBERS = st.one_of(COUNTS, st.floats(allow_nan=False, allow_infinity=False))
HEADERS = st.lists(
    st.tuples(st.text(string.ascii_letters + "-", min_size=1, max_size=32), WORDS), max_size=8
).map(tuple)
NODES = st.builds(
    ClusterNode,
    NAMES,
    status=st.text(string.ascii_lowercase, max_size=32),
    uptime_ms=st.none() | COUNTS,
    connections=st.none() | COUNTS,
)
FACTS = st.builds(
    ClusterFacts,
    started_at_ms=st.none() | COUNTS,
    version=WORDS,
    connection_limit=st.none() | COUNTS,
    limit_is_settable=st.none() | st.booleans(),
    rates=st.dictionaries(NAMES, NUMBERS, max_size=6),
)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Presence, st.sampled_from(["online", "offline"]), boot_id=WORDS, clock_ms=COUNTS),
    st.builds(
        Report,
        WORDS,
        COUNTS,
        cluster_nodes=st.lists(NODES, max_size=4).map(tuple),
        facts=st.none() | FACTS,
        metrics=st.dictionaries(NAMES, NUMBERS, max_size=6),
        cluster_fetch_error=WORDS,
    ),
    st.builds(Event, IDS, COUNTS, st.just("link.lost"), text=WORDS),
    st.builds(
        Request,
        IDS,
        st.sampled_from(["GET", "POST", "DELETE"]),
        st.just("/api/v5/nodes?page=1"),
        st.integers(1, 300_000),
        headers=HEADERS,
        more=st.booleans(),
        body=BODIES,
    ),
    st.builds(Reply, IDS, st.integers(100, 599), headers=HEADERS, error=WORDS, body=BODIES),
    st.builds(Chunk, IDS, st.integers(1, 1 << 53), last=st.booleans(), body=BODIES),
    st.builds(Credit, IDS, st.integers(1, 64)),
    st.builds(Cancel, IDS, WORDS),
    st.builds(Desired, COUNTS, unregister=WORDS, report_interval_s=st.integers(1, 3600)),
    st.builds(Reported, COUNTS, hash=WORDS),
)


@given(MESSAGES)
def test_what_is_written_is_read_again(message: Message) -> None:
    data = message.to_bytes()

    assert parse(data) == message
    assert type(message).from_bytes(data) == message


@given(st.binary(max_size=400))
def test_bytes_of_nobody_are_refused_in_one_way(data: bytes) -> None:
    with pytest.raises(MessageError):
        parse(data)


ODD = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1 << 60,
        1.5,
        "",
        "x",
        "a\nb",
        "\ud800",
        [],
        [1],
        [["a", "b"]],
        {},
        {"a": 1},
    ]
)


@given(MESSAGES, ODD, st.data())
def test_a_field_of_any_kind_is_read_or_refused(
    message: Message, value: Any, data: st.DataObject
) -> None:
    header, feed, body = message.to_bytes().partition(b"\n")
    fields = json.loads(header)
    fields[data.draw(st.sampled_from(sorted(fields)))] = value
    try:
        found = parse(json.dumps(fields).encode() + feed + body)
    except MessageError:
        return
    assert parse(found.to_bytes()) == found


@given(MESSAGES, st.data())
def test_a_message_with_one_byte_changed_is_read_or_refused(
    message: Message, data: st.DataObject
) -> None:
    sent = bytearray(message.to_bytes())
    at = data.draw(st.integers(0, len(sent) - 1))
    sent[at] = data.draw(st.integers(0, 255))
    try:
        parse(bytes(sent))
    except MessageError:
        return


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 60_000,
        b'{"v":1,"type":"credit","id":"a","chunks":' + b"9" * 60_000 + b"}",
        b'{"v":1,"type":"credit","id":"a","chunks":1e999}',
        b'{"v":1,"type":"credit","id":"a","chunks":NaN}',
        b'{"v":1,"type":"credit","id":"a","chunks":true}',
        b'{"v":1,"type":"credit","id":"a","chunks":1}\nmore',
        b'{"v":1,"type":"cancel","id":"a","reason":"\\ud800"}',
        b'{"v":1,"type":"cancel","id":"a/b"}',
        b'{"v":1,"type":"request","id":"a","method":"GET","path":"/a b","timeoutMs":1}',
        b'{"v":1,"type":"request","id":"a","method":"GET","path":"http://x","timeoutMs":1}',
        b'{"v":1,"type":"request","id":"a","method":"CONNECT","path":"/","timeoutMs":1}',
        b'{"v":1,"type":"reply","id":"a","status":200,"headers":[["a","b\\r\\nc: d"]]}',
        b'{"v":1,"type":"reply","id":"a","status":200}\n' + bytes(CHUNK_BYTES_MAX + 1),
        b" " * (agent_v1.MESSAGE_BYTES_MAX + 1),
    ],
)
def test_hostile_messages_are_refused(data: bytes) -> None:
    with pytest.raises(MessageError) as refused:
        parse(data)
    assert len(str(refused.value)) < 200


def test_fields_and_types_of_later_versions() -> None:
    later = b'{"v":1,"type":"credit","id":"a","chunks":1,"colour":"green"}'
    assert parse(later) == Credit("a", 1)
    for data in (b'{"v":1,"type":"firmware"}', b'{"v":2,"type":"credit"}'):
        with pytest.raises(UnknownMessageError):
            parse(data)
    with pytest.raises(UnknownMessageError):
        parse_topic("agents/v1/a/firmware")


@given(st.text(string.ascii_letters + string.digits + "_-", min_size=1, max_size=64))
def test_topic_names_are_taken_apart_again(agent_id: str) -> None:
    for channel in Channel:
        assert parse_topic(topic_name(agent_id, channel)) == Topic(agent_id, channel)


@given(st.text(max_size=40))
def test_topics_of_others(name: str) -> None:
    with pytest.raises(MessageError):
        parse_topic(name)
    with pytest.raises(MessageError):
        topic_name(f"{name}/+", Channel.REPORT)


def test_nothing_out_of_bounds_is_made() -> None:
    for make in (
        lambda: Credit("a", 0),
        lambda: Presence("asleep"),
        lambda: Chunk("a", 1, body=bytes(CHUNK_BYTES_MAX + 1)),
        lambda: Report("1", -1),
        lambda: Report("1", 1, metrics={"a": float("inf")}),
        lambda: Reply("a", 200, headers=(("a", "b"),) * 65),
    ):
        with pytest.raises(MessageError):
            make()
    with pytest.raises(MessageError):
        Reply("a", 200, headers=(("a", "b" * 8000),) * 60).to_bytes()


@given(st.binary(max_size=200))
def test_enrolment_is_read_or_refused(data: bytes) -> None:
    for kind in (Registration, Registered, Metadata):
        with pytest.raises(MessageError):
            kind.from_json(data)


def test_enrolment_as_it_travels() -> None:
    registration = Registration("node", "token", agent_version="1")
    assert json.loads(registration.to_json())["registrationToken"] == "token"
    metadata = Metadata("c", MqttAccess(("mqtts://[::1]:38883", "mqtt://h:1")))
    assert Metadata.from_json(metadata.to_json()) == metadata
    for server in ("http://h:1", "mqtt://user@h:1", "mqtt://h/x", ""):
        with pytest.raises(MessageError):
            MqttAccess((server,))
