"""What plugins make of the filters of SUBSCRIBE and UNSUBSCRIBE, and of messages they change."""

from __future__ import annotations

from pathlib import Path

from harness.client import RawClient
from harness.operator import Operator, operated
from harness.packets import PubAck, Publish, SubAck, Subscribe, Subscription, UnsubAck, Unsubscribe
from harness.plugins import Plugins, archive_of

MAPS = """
import dataclasses
from rookery.plugins import Deny, Plugin

class Probe(Plugin):
    def on_subscribe(self, client_id, subscriptions):
        if subscriptions[0].topic_filter == "as/it/is":
            return None
        if subscriptions[0].topic_filter == "all":
            return Deny(0x97)
        return [self._mapped(client_id, item) for item in subscriptions]

    def _mapped(self, client_id, item):
        if item.topic_filter.startswith("no/"):
            return Deny(0x8F)
        return dataclasses.replace(item, topic_filter=f"{client_id}/{item.topic_filter}", qos=0)

    async def on_unsubscribe(self, client_id, topic_filters):
        return [Deny() if item == "kept" else f"{client_id}/{item}" for item in topic_filters]
"""
ADDS = """
import dataclasses
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_subscribe(self, client_id, subscriptions):
        return [dataclasses.replace(item, topic_filter=item.topic_filter + "/end")
                for item in subscriptions]
"""
FAILS = """
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_subscribe(self, client_id, subscriptions):
        return subscriptions[1:]

    def on_unsubscribe(self, client_id, topic_filters):
        raise ValueError("no")
"""
CHANGES = """
import dataclasses
from rookery.plugins import Deny, Message, Plugin, Properties

class Probe(Plugin):
    async def _later(self, message):
        return message.replace(payload=b"later")

    def on_publish(self, message):
        match message.topic:
            case "same": return message
            case "drop": return None
            case "deny": return Deny(0x99)
            case "raise": raise ValueError("no")
            case "later": return self._later(message)
            case "twice": return message.replace(payload=b"1").replace(topic="2", retain=True)
            case "dataclass": return dataclasses.replace(message, payload=message.payload + b"!")
            case "new": return Message("other", message.payload)
            case "wrong topic": return message.replace(topic="a/#")
            case "array": return message.replace(payload=bytearray(b"array"))
            case "properties":
                return message.replace(properties=Properties(content_type="text/plain"))
            case "all":
                text = repr((message.client_id, message.qos, message.retain, message.username,
                             message.properties.user_properties, message == message.replace(),
                             hash(message) == hash(message.replace()), message.is_sys))
                return message.replace(payload=text.encode())
"""


def codes(client: RawClient, *filters: str) -> tuple[int, ...]:
    """The reason codes with which a SUBSCRIBE of these is answered."""
    wanted = [Subscription(item, qos=1) for item in filters]
    client.send(Subscribe(5, wanted, {}))
    return tuple(client.expect(SubAck, packet_id=5).reason_codes)


def taken_back(client: RawClient, *filters: str) -> tuple[int, ...]:
    client.send(Unsubscribe(6, list(filters), {}))
    return tuple(client.expect(UnsubAck, packet_id=6).reason_codes)


def filters_of(operator: Operator, client_id: str) -> dict[str, int]:
    rows = operator.rest.get(f"/clients/{client_id}/subscriptions")
    return {row["topic"]: row["qos"] for row in rows}


def test_a_plugin_changes_and_refuses_filters(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        Plugins(operator).run(archive_of(MAPS))
        with operator.login(client_id="c") as client:
            assert codes(client, "t", "no/t", "kept", "wrong/#/filter") == (0, 0x8F, 0, 0x8F)
            assert codes(client, "as/it/is") == (1,)
            assert codes(client, "all", "of them") == (0x97, 0x97)
            assert filters_of(operator, "c") == {"c/t": 0, "c/kept": 0, "as/it/is": 1}
            client.publish("c/t", b"m", qos=1)
            client.receive("c/t", b"m")

            assert taken_back(client, "t", "kept", "never") == (0, 0x87, 0x11)
            assert filters_of(operator, "c") == {"c/kept": 0, "as/it/is": 1}


def test_the_next_plugin_sees_what_the_one_before_left(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(MAPS, name="maps"), "maps-1.0.0")
        plugins.run(archive_of(ADDS, name="adds"), "adds-1.0.0")
        with operator.login(client_id="c") as client:
            assert codes(client, "no/t", "t") == (0x8F, 0)
            assert filters_of(operator, "c") == {"c/t/end": 0}


def test_a_hook_that_fails_leaves_filters_alone_or_refuses_them(tmp_path: Path) -> None:
    for failure, granted, ended in (("ignore", 1, 0), ("deny", 0x83, 0x83)):
        folder = tmp_path / failure
        folder.mkdir()
        with operated(folder) as operator:
            hookpoints = ("client.subscribe", "client.unsubscribe")
            archive = archive_of(FAILS, failure=dict.fromkeys(hookpoints, failure))
            Plugins(operator).run(archive)
            with operator.login(client_id="c") as client:
                assert codes(client, "t") == (granted,)
                assert taken_back(client, "t") == (ended,)


def test_packets_behind_a_subscribe_wait_for_it(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        Plugins(operator).run(archive_of(MAPS))
        with operator.login(client_id="c") as client:
            client.send(Subscribe(1, [Subscription("t", qos=1)], {}))
            client.send(Publish("c/t", b"m", 1, 2, False, False, {}))
            client.expect(SubAck, packet_id=1)
            client.receive("c/t", b"m")


def test_what_a_plugin_says_about_a_message_holds(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        Plugins(operator).run(archive_of(CHANGES, failure={"message.publish": "ignore"}))
        with operator.login() as watcher, operator.login(client_id="c") as client:
            watcher.subscribe("#", qos=1)

            def said(topic: str, code: int = 0) -> None:
                client.send(Publish(topic, b"m", 1, 7, False, False, {}))
                assert client.expect(PubAck, packet_id=7).reason_code == code

            said("drop")
            said("deny", 0x99)
            for topic, arrives, payload in (
                ("same", "same", b"m"),
                ("raise", "raise", b"m"),
                ("later", "later", b"later"),
                ("twice", "2", b"1"),
                ("dataclass", "dataclass", b"m!"),
                ("new", "other", b"m"),
                ("wrong topic", "wrong topic", b"m"),
                ("array", "array", b"array"),
                ("all", "all", b"('c', 1, False, None, (), True, True, False)"),
            ):
                said(topic)
                watcher.receive(arrives, payload)
            said("properties")
            assert watcher.receive("properties").properties


def test_a_filter_is_authorized_and_then_changed_where_nothing_is_kept(tmp_path: Path) -> None:
    code = (
        MAPS
        + """
    def on_authorize(self, client, action, topic, qos, retain):
        return topic != "secret"
"""
    )
    settings = {"authorization.cache.enable": "false", "authorization.no_match": "deny"}
    with operated(tmp_path, settings=settings) as operator:
        Plugins(operator).run(archive_of(code))
        with operator.login(client_id="c") as client:
            assert codes(client, "t", "secret", "no/t") == (0, 0x87, 0x8F)
            assert filters_of(operator, "c") == {"c/t": 0}
            assert taken_back(client, "t") == (0,)
