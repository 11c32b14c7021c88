"""What a cluster promises of messages, users, sessions and retained messages while nodes fail."""

from __future__ import annotations

import contextlib
from collections import defaultdict

from harness.client import ClosedError, RawClient
from harness.cluster_rounds import Check, Scene, rest
from harness.members import Member
from harness.packets import Connect, Publish
from harness.waiting import until
from rookery.errors import ConflictError, RookeryError

PASSWORD = "a password of a device 1"
READ_WAIT_S = 0.002
DAY_S = 86_400
IDS_MAX = 20
RETAINED_MAX = 300


class LiveTraffic(Check):
    """Between nodes that are well QoS 0 and 1 go on, in order, and what was acknowledged arrives."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def work(self, scene: Scene) -> None:
        self._problems = []
        if len(scene.live) < 2:
            return
        one, other = scene.live
        with contextlib.ExitStack() as open_:
            pairs = []
            for source, sink in ((one, other), (other, one)):
                for qos in (0, 1):
                    topic = f"live/{scene.number}/{source.address}/{qos}"
                    reader = open_.enter_context(sink.node.connect(level=5))
                    reader.subscribe(topic, qos=qos)
                    writer = open_.enter_context(source.node.connect(level=5))
                    pairs.append((topic, qos, writer, reader))
            for topic, _, writer, reader in pairs:
                _until_it_flows(topic, writer, reader)
            sent: dict[str, int] = defaultdict(int)
            received: dict[str, list[int]] = defaultdict(list)
            while not scene.is_over.is_set():
                for topic, qos, writer, _ in pairs:
                    sent[topic] += 1
                    writer.publish(topic, str(sent[topic]).encode(), qos=qos)
                # Queues are bounded: what nobody reads is dropped.
                for topic, _, _, reader in pairs:
                    _read_some(reader, received[topic])
            for topic, qos, writer, reader in pairs:
                writer.publish(topic, b"end", qos=qos)
                while _read_one(reader.await_packet(Publish), reader, received[topic]):
                    pass
                self._compare(topic, qos, sent[topic], received[topic])

    def _compare(self, topic: str, qos: int, sent: int, received: list[int]) -> None:
        if received != sorted(received):
            self._problems.append(f"{topic}: out of order")
        lost = set(range(1, sent + 1)) - set(received)
        if lost:
            self._problems.append(
                f"{topic}: {len(lost)} of {sent} of QoS {qos} lost, {min(lost)} …"
            )

    def problems(self, _scene: Scene) -> list[str]:
        return self._problems


def _until_it_flows(topic: str, writer: RawClient, reader: RawClient) -> None:
    def flows() -> bool:
        writer.publish(topic, b"0")
        found = reader.await_within(0.2)
        if isinstance(found, Publish):
            reader.acknowledge(found)
        return found is not None

    until(flows, f"{topic} flows")


def _read_some(reader: RawClient, received: list[int]) -> None:
    while isinstance(message := reader.await_within(READ_WAIT_S), Publish):
        _read_one(message, reader, received)


def _read_one(message: Publish, reader: RawClient, received: list[int]) -> bool:
    """Whether more comes."""
    reader.acknowledge(message)
    if message.payload == b"end":
        return False
    if message.payload != b"0":
        received.append(int(message.payload))
    return True


class SharedUsers(Check):
    """A change that was confirmed is on all nodes, one that was refused on none."""

    URL = "/authentication/password_based%3Abuilt_in_database/users"

    def __init__(self) -> None:
        self._made: set[str] = set()
        self._refused: set[str] = set()

    def work(self, scene: Scene) -> None:
        number = 0
        while scene.goes_on:
            number += 1
            name = f"user-{scene.number}-{number}"
            self._make(scene.random.choice(scene.live or scene.members), name)

    def _make(self, member: Member, name: str) -> None:
        body = {"user_id": name, "password": PASSWORD}
        try:
            rest(member).post(self.URL, body)
        except ConflictError:
            self._refused.add(name)
        except RookeryError as error:
            if "nothing was changed" in error.message:
                self._refused.add(name)
        else:
            self._made.add(name)

    def problems(self, scene: Scene) -> list[str]:
        found: dict[str, set[str]] = {}

        def is_one() -> bool:
            # A node whose NATS starts again is in step, by its own word, until it notices.
            found.update({member.name: self._there(member) for member in scene.members})
            return all(there == found[scene.victim.name] for there in found.values())

        with contextlib.suppress(AssertionError):
            until(is_one, "the same users on all nodes", every_s=0.2)
        first, *others = list(found.values())
        lines = []
        if any(other != first for other in others):
            odd = set[str]().union(*others, first) - first.intersection(*others)
            lines.append(f"users: {sorted(odd)} are on some nodes only")
        if lost := self._made - first:
            lines.append(f"users: {sorted(lost)} were confirmed and are not there")
        if unwanted := self._refused & first:
            lines.append(f"users: {sorted(unwanted)} were refused and are there")
        return lines

    def _there(self, member: Member) -> set[str]:
        found = rest(member).get(f"{self.URL}?limit=10000")
        return {row["user_id"] for row in found["data"]}


class OneSession(Check):
    """Of a client identifier that connects everywhere at once one session stays, and one connection."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._open: list[RawClient] = []
        self._is_safe: dict[str, bool] = {}
        self._found: dict[str, dict[str, bool]] = {}

    def work(self, scene: Scene) -> None:
        self._close()
        while scene.goes_on and len(self._names) < IDS_MAX:
            name = f"one-{scene.number}-{len(self._names)}"
            self._names.append(name)
            # Of two nodes that are well one keeps the client; with the third one it may be lost.
            is_safe = len(scene.live) > 1 and len(self._names) % 2 == 0
            members = list(scene.live if is_safe else scene.members)
            scene.random.shuffle(members)
            self._is_safe[name] = is_safe
            for member in members:
                # Of two that come in the same millisecond the session stays, but maybe neither connection.
                scene.is_over.wait(0.003)
                with contextlib.suppress(OSError):
                    client = RawClient(member.node.host, member.node.port, 5)
                    self._open.append(client)
                    client.send(Connect(name, False, properties={"session_expiry_interval": DAY_S}))
            scene.is_over.wait(0.1)

    def problems(self, scene: Scene) -> list[str]:
        found = self._found

        def is_one() -> bool:
            rows = [_sessions(member, f"one-{scene.number}-") for member in scene.members]
            found.update({name: _states(scene, rows, name) for name in self._names})
            return all(self._is_good(name) for name in found)

        try:
            until(is_one, "one session", every_s=0.2)
        except AssertionError:
            return [
                f"{name}: sessions {states}, connected or not"
                for name, states in found.items()
                if not self._is_good(name)
            ]
        finally:
            self._close()
        return []

    def _close(self) -> None:
        for client in self._open:
            with contextlib.suppress(ClosedError, OSError):
                client.drop()
        self._names, self._open = [], []
        self._is_safe, self._found = {}, {}

    def _is_good(self, name: str) -> bool:
        states = self._found[name]
        return list(states.values()) == [True] if self._is_safe[name] else len(states) <= 1


def _states(scene: Scene, rows: list[dict[str, bool]], name: str) -> dict[str, bool]:
    """On which nodes a session is, and whether it is connected there."""
    pairs = zip(scene.members, rows, strict=True)
    return {member.address: at[name] for member, at in pairs if name in at}


def _sessions(member: Member, prefix: str) -> dict[str, bool]:
    """Identifiers that one node has a session of, and whether they are connected."""
    rows = rest(member).get(f"/clients?like_clientid={prefix}&node={member.name}&limit=1000")
    return {row["clientid"]: row["connected"] for row in rows["data"]}


def _nothing() -> set[str | None]:
    """What may be retained where nobody was told that something is."""
    return {None}


class RetainedMessages(Check):
    """What was retained and acknowledged is on all nodes, and nothing else."""

    def __init__(self) -> None:
        self._last: dict[str, str | None] = {}
        self._asked: dict[str, set[str | None]] = defaultdict(_nothing)

    def work(self, scene: Scene) -> None:
        self._last, self._asked = {}, defaultdict(_nothing)
        members = scene.live or scene.members
        with contextlib.ExitStack() as open_:
            writers = [open_.enter_context(member.node.connect(level=5)) for member in members]
            for number in range(RETAINED_MAX):
                if not scene.goes_on:
                    return
                at = number % len(writers)
                topic = f"kept/{scene.number}/{at}/{scene.random.randrange(5)}"
                value = None if scene.random.random() < 0.2 else f"value-{number}"
                self._asked[topic].add(value)
                try:
                    writers[at].publish(topic, (value or "").encode(), qos=1, retain=True)
                except (ClosedError, OSError):
                    if scene.live:
                        raise
                    return
                self._last[topic], self._asked[topic] = value, {value}
                scene.is_over.wait(0.02)

    def problems(self, scene: Scene) -> list[str]:
        found: dict[str, dict[str, str]] = {}

        def is_one() -> bool:
            found.update({member.name: _retained(member, scene.number) for member in scene.members})
            return all(there == found[scene.victim.name] for there in found.values())

        with contextlib.suppress(AssertionError):
            until(is_one, "the same retained messages on all nodes", every_s=0.2)
        first = found[scene.victim.name]
        lines = [
            f"retained: {name} and {scene.victim.name} differ: {sorted(first.items() ^ there.items())}"
            for name, there in found.items()
            if there != first
        ]
        for topic, wanted in self._asked.items():
            if first.get(topic) not in wanted:
                lines.append(f"retained {topic}: {first.get(topic)} instead of one of {wanted}")
        return lines


def _retained(member: Member, number: int) -> dict[str, str]:
    with member.node.connect(level=5) as reader:
        reader.subscribe(f"kept/{number}/#", qos=1)
        reader.fence()
        found = {}
        while isinstance(message := reader.await_within(READ_WAIT_S), Publish):
            reader.acknowledge(message)
            found[message.topic_name] = message.payload.decode()
        return found
