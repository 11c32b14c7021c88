"""Sessions that outlive their connections, while nodes fail: nothing that was acknowledged is lost, and no
message of QoS 2 comes twice.
"""

from __future__ import annotations

import random
import threading
from collections import Counter

from harness.client import ClosedError, RawClient
from harness.cluster_rounds import Check, Scene
from harness.members import Member
from harness.packets import Connect, Publish
from harness.waiting import until
from harness.wire import Properties

DAY_S = 86_400
# Below the bound of a queue, so that none may drop anything.
MESSAGES_MAX = 400
READ_WAIT_S, PROBE_WAIT_S, QUIET_S = 0.05, 0.2, 0.5
PROBE, END = b"probe", b"end"


class _Session:
    """One subscriber, and what it got."""

    def __init__(self, name: str, topic: str) -> None:
        self.name = name
        self.topic = topic
        self.got: Counter[str] = Counter()

    def begin(self, at: Member, writer: RawClient) -> None:
        """Subscribe, and wait until what ``writer`` publishes arrives."""
        client = self._come(at)
        client.subscribe(self.topic, qos=2)

        def arrives() -> bool:
            writer.publish(self.topic, PROBE, qos=1)
            return self._take(client, PROBE_WAIT_S) is not None

        until(arrives, f"{self.name} gets what is published")
        client.disconnect()

    def look(self, at: Member) -> None:
        """Take what is there."""
        client = self._come(at)
        try:
            while self._take(client, READ_WAIT_S) is not None:
                pass
        finally:
            client.disconnect()

    def take_all(self, at: Member) -> None:
        """Take everything: what is published there now is the last of it."""
        client = self._come(at)
        with at.node.connect(level=5) as writer:
            writer.publish(self.topic, END, qos=1)
        until(lambda: self._take(client, READ_WAIT_S) == END, f"the end for {self.name}")
        # What came on another way, while the session moved, may be behind it.
        while self._take(client, QUIET_S) is not None:
            pass
        client.disconnect()

    def _take(self, client: RawClient, within_s: float) -> bytes | None:
        message = client.await_within(within_s)
        if message is None:
            return None
        assert isinstance(message, Publish), message
        client.acknowledge(message)
        if message.payload not in (PROBE, END):
            self.got[message.payload.decode()] += 1
        return message.payload

    def _come(self, at: Member) -> RawClient:
        properties: Properties = {"session_expiry_interval": DAY_S, "receive_maximum": 20}
        packet = Connect(self.name, False, 60, properties=properties)

        def admitted() -> RawClient | None:
            client = RawClient(at.node.host, at.node.port, 5)
            try:
                client.connect(packet)
            except (AssertionError, OSError):
                client.drop()
                return None
            return client

        return until(admitted, f"{self.name} is let in at {at.name}")


class DurableSessions(Check):
    """One session waits at a node that is well, one at the victim, and one moves between nodes that are well."""

    def __init__(self) -> None:
        self._topic = ""
        self._sessions: dict[str, _Session] = {}
        self._acknowledged: dict[str, int] = {}
        self._before: set[str] = set()

    def prepare(self, scene: Scene) -> None:
        self._acknowledged, self._before = {}, set()
        self._topic = f"durable/{scene.number}"
        well = list(scene.live or scene.members)
        homes = {"waits": well[0], "moves": well[-1], "hurt": scene.victim}
        self._sessions = {name: _Session(f"{name}-{scene.number}", self._topic) for name in homes}
        with well[0].node.connect(level=5) as writer:
            for name, session in self._sessions.items():
                session.begin(homes[name], writer)

    def work(self, scene: Scene) -> None:
        moving = threading.Thread(target=self._move, args=(scene, random.Random(scene.number)))
        moving.start()
        try:
            with (scene.live or scene.members)[0].node.connect(level=5) as writer:
                self._write(scene, writer)
        finally:
            moving.join()

    def _write(self, scene: Scene, writer: RawClient) -> None:
        for number in range(MESSAGES_MAX):
            if not scene.goes_on:
                return
            qos = 1 + number % 2
            is_before = not scene.has_begun.is_set()
            try:
                writer.publish(self._topic, str(number).encode(), qos=qos)
            except (ClosedError, OSError):
                if scene.live:
                    raise
                return
            self._acknowledged[str(number)] = qos
            if is_before and not scene.has_begun.is_set():
                self._before.add(str(number))
            scene.is_over.wait(0.01)

    def _move(self, scene: Scene, chance: random.Random) -> None:
        while scene.live and scene.goes_on:
            self._sessions["moves"].look(chance.choice(scene.live))

    def problems(self, scene: Scene) -> list[str]:
        lines = []
        for name, session in self._sessions.items():
            session.take_all(scene.random.choice(scene.members))
            wanted = self._before if name == "hurt" else set(self._acknowledged)
            if lost := wanted - set(session.got):
                lines.append(
                    f"{session.name}: {len(lost)} of {len(wanted)} acknowledged messages lost: "
                    f"{sorted(lost, key=int)[:5]} …"
                )
            twice = [
                key
                for key, count in session.got.items()
                if count > 1 and self._acknowledged.get(key) == 2
            ]
            if twice:
                lines.append(f"{session.name}: {twice[:5]} of QoS 2 came twice")
        return lines
