"""Shared subscriptions: each message once per group, and to whom when members come and go."""

from __future__ import annotations

from collections import Counter

import pytest

from harness.client import RawClient
from harness.node import Node, fresh_name
from harness.packets import PubAck, PubComp, Publish, PubRec, PubRel
from harness.statements import V5, statement


def drain(clients: list[RawClient], publisher: RawClient, qos: int) -> list[list[bytes]]:
    """What each client has been sent, in order, up to a marker that all receive."""
    marker = fresh_name("marker/")
    for client in clients:
        client.subscribe(marker, qos=qos)
    publisher.publish(marker, b"", qos=qos)
    found: list[list[bytes]] = []
    for client in clients:
        payloads = []
        while (message := client.receive()).topic_name != marker:
            payloads.append(message.payload)
        found.append(payloads)
    return found


@statement(V5, "MQTT-4.8.2-1", "MQTT-4.8.2-2")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_each_message_goes_to_one_member_of_each_group(node: Node, topic: str, qos: int) -> None:
    publisher = node.connect(level=5)
    members = [node.connect(level=4 + index % 2) for index in range(4)]
    for index, member in enumerate(members):
        member.subscribe(f"$share/g{index // 2}/{topic}/+", qos=qos)
    plain = node.connect(level=5)
    plain.subscribe(f"{topic}/#", qos=qos)
    wanted = Counter(b"%d" % index for index in range(40))
    for payload in wanted:
        publisher.publish(f"{topic}/x", payload, qos=qos)
    found = drain([*members, plain], publisher, qos)
    assert Counter(found[0] + found[1]) == wanted
    assert Counter(found[2] + found[3]) == wanted
    assert Counter(found[4]) == wanted
    assert all(found)  # the work is shared


@statement(V5, "MQTT-4.8.2-3")
def test_a_member_s_granted_qos_is_respected(node: Node, topic: str) -> None:
    publisher, member = node.connect(level=5), node.connect(level=5)
    member.subscribe(f"$share/q/{topic}", qos=1)
    publisher.publish(topic, b"x", qos=2)
    member.receive(topic, b"x", qos=1)


def test_one_client_may_hold_a_shared_and_a_plain_subscription(node: Node, topic: str) -> None:
    publisher, client = node.connect(level=5), node.connect(level=5)
    client.subscribe(f"$share/both/{topic}", topic, qos=1)
    publisher.publish(topic, b"x", qos=1)
    assert drain([client], publisher, 1) == [[b"x", b"x"]]
    client.unsubscribe(topic)
    publisher.publish(topic, b"y", qos=1)
    assert drain([client], publisher, 1) == [[b"y"]]
    assert client.unsubscribe(f"$share/both/{topic}").reason_codes == [0]
    publisher.publish(topic, b"z", qos=1)
    assert drain([client], publisher, 1) == [[]]


def test_connected_members_are_preferred(node: Node, topic: str) -> None:
    publisher = node.connect(level=5)
    away_id = fresh_name("away")
    away = node.durable(away_id, 5)
    here = node.connect(level=5)
    for member in (away, here):
        member.subscribe(f"$share/p/{topic}", qos=1)
    away.disconnect(0)
    wanted = [b"%d" % index for index in range(10)]
    for payload in wanted:
        publisher.publish(topic, payload, qos=1)
    assert drain([here], publisher, 1) == [wanted]


def test_unacknowledged_qos_1_goes_to_another_member(node: Node, topic: str) -> None:
    publisher = node.connect(level=5)
    members = [node.connect(level=5) for _ in range(2)]
    for member in members:
        member.subscribe(f"$share/r/{topic}", qos=1)
    wanted = [b"%d" % index for index in range(10)]
    for payload in wanted:
        publisher.publish(topic, payload, qos=1)
    members[0].drop()  # its session ends with the connection, nothing was acknowledged
    rest = members[1]
    found: set[bytes] = set()
    while found != set(wanted):
        found.add(rest.receive(topic).payload)


@statement(V5, "MQTT-4.8.2-4")
def test_sent_qos_2_is_completed_with_the_member_it_was_sent_to(node: Node, topic: str) -> None:
    publisher = node.connect(level=5)
    client_id = fresh_name("exact")
    chosen = node.durable(client_id, 5)
    chosen.subscribe(f"$share/e/{topic}", qos=2)
    publisher.publish(topic, b"once", qos=2)
    before = chosen.expect_publish(topic, b"once", qos=2)
    other = node.connect(level=5)
    other.subscribe(f"$share/e/{topic}", qos=2)
    chosen.drop()
    other.expect_nothing_from(publisher, 2)
    chosen = node.durable(client_id, 5)
    chosen.receive(topic, b"once", qos=2, packet_id=before.packet_id, dup=True)
    chosen.expect_nothing_from(publisher, 2)


@statement(V5, "MQTT-4.8.2-5")
def test_sent_qos_2_goes_to_nobody_else_when_the_session_ends(node: Node, topic: str) -> None:
    publisher, chosen = node.connect(level=5), node.connect(level=5)
    chosen.subscribe(f"$share/t/{topic}", qos=2)
    publisher.publish(topic, b"once", qos=2)
    chosen.expect_publish(topic, b"once", qos=2)
    other = node.connect(level=5)
    other.subscribe(f"$share/t/{topic}", qos=2)
    chosen.disconnect()
    publisher.publish(topic, b"next", qos=2)
    other.receive(topic, b"next")
    other.expect_nothing_from(publisher, 2)


@statement(V5, "MQTT-4.8.2-6")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_refused_message_goes_to_nobody_else(node: Node, topic: str, qos: int) -> None:
    publisher = node.connect(level=5)
    members = [node.connect(level=5) for _ in range(2)]
    members[0].subscribe(f"$share/n/{topic}", qos=qos)
    publisher.publish(topic, b"refused", qos=qos)
    message = members[0].expect_publish(topic, b"refused")
    members[1].subscribe(f"$share/n/{topic}", qos=qos)
    members[0].send((PubAck if qos == 1 else PubRec)(message.packet_id, 0x83))
    members[0].disconnect()
    publisher.publish(topic, b"next", qos=qos)
    members[1].receive(topic, b"next")
    members[1].expect_nothing_from(publisher, qos)


def test_a_group_without_connected_members_queues_for_one(node: Node, topic: str) -> None:
    publisher = node.connect(level=5)
    ids = [fresh_name("m"), fresh_name("m")]
    for client_id in ids:
        member = node.durable(client_id, 5)
        member.subscribe(f"$share/w/{topic}", qos=1)
        member.drop()
    wanted = [b"%d" % index for index in range(10)]
    for payload in wanted:
        publisher.publish(topic, payload, qos=1)
    members = [node.durable(client_id, 5) for client_id in ids]
    found = drain(members, publisher, 1)
    assert sorted(found[0] + found[1]) == wanted


def test_the_group_survives_members_that_leave_in_mid_stream(node: Node, topic: str) -> None:
    publisher = node.connect(level=5)
    group = f"$share/{fresh_name('g')}/{topic}"
    keeper = node.connect(level=5)
    keeper.subscribe(group, qos=1)
    received = 0
    for index in range(30):
        guest = node.connect(level=5)
        guest.subscribe(group, qos=1)
        guest.disconnect()
        publisher.publish(topic, b"%d" % index, qos=1)
        received += len(drain([keeper], publisher, 1)[0])
    assert received == 30


def test_qos_2_sent_to_a_group_from_two_publishers(node: Node, topic: str) -> None:
    publishers = [node.connect(level=5) for _ in range(2)]
    member = node.connect(level=5)
    member.subscribe(f"$share/d/{topic}", qos=2)
    for index, publisher in enumerate(publishers):
        publisher.send(Publish(topic, b"%d" % index, 2, 1))
        publisher.expect(PubRec, packet_id=1)
        publisher.send(PubRel(1))
        publisher.expect(PubComp, packet_id=1)
    assert {member.receive(topic).payload for _ in publishers} == {b"0", b"1"}
