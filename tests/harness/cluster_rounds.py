"""Rounds of faults in a cluster of three, drawn from a seed, and what has to hold in each.

A round hurts one node, the victim. While it lasts every check works on the cluster; afterwards the
victim is healed and every check looks at what it did against what is there. A further promise of the
cluster is a further :class:`Check`:

    Rounds(members, [LiveTraffic(), SharedUsers(), …]).run(seed=7)
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from harness.client import ClosedError, RawClient
from harness.members import Member, until_all_see
from harness.packets import Connect, Publish
from harness.waiting import until
from rookery.client.management import API, ManagementClient
from rookery.errors import ConflictError, NotFoundError, RookeryError

PASSWORD = "a password of a device 1"
READ_WAIT_S = 0.002


class Scene(NamedTuple):
    """What a check works on.

    Attributes:
        members: All nodes.
        victim: The one that is hurt.
        random: Of this round.
        number: Of this round; seeds of one run have different ones.
        has_begun: The victim is hurt from then on.
        is_over: The victim is about to be healed.
    """

    members: Sequence[Member]
    victim: Member
    random: random.Random
    number: int
    has_begun: threading.Event
    is_over: threading.Event

    @property
    def others(self) -> list[Member]:
        return [member for member in self.members if member is not self.victim]


class Check(Protocol):
    """A promise."""

    def work(self, scene: Scene) -> None:
        """Do something until the round is over; in a thread of its own."""

    def problems(self, scene: Scene) -> list[str]:
        """What was promised and is not so, once all nodes are well."""


def rest(member: Member) -> ManagementClient:
    return ManagementClient(member.node.data_dir, timeout_s=20.0, prefix=API)


# -- faults ------------------------------------------------------------------------------------


@contextlib.contextmanager
def _node_killed(victim: Member) -> Iterator[None]:
    victim.node.kill9()
    yield
    victim.start()


@contextlib.contextmanager
def _nats_killed(victim: Member) -> Iterator[None]:
    os.kill(victim.nats_pid(), signal.SIGKILL)
    yield


@contextlib.contextmanager
def _node_paused(victim: Member) -> Iterator[None]:
    with _paused(victim.node.pid):
        yield


@contextlib.contextmanager
def _nats_paused(victim: Member) -> Iterator[None]:
    with _paused(victim.nats_pid()):
        yield


@contextlib.contextmanager
def _all_paused(victim: Member) -> Iterator[None]:
    """As a machine that sleeps."""
    with _paused(victim.nats_pid()), _paused(victim.node.pid):
        yield


@contextlib.contextmanager
def _paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        # A server that its node gave up and ended is not there any more.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


FAULTS: dict[str, Callable[[Member], contextlib.AbstractContextManager[None]]] = {
    "kill -9 of a node": _node_killed,
    "kill -9 of its NATS": _nats_killed,
    "SIGSTOP of a node": _node_paused,
    "SIGSTOP of its NATS": _nats_paused,
    "SIGSTOP of both": _all_paused,
}


class Rounds:
    """Hurts and heals, and asks the checks."""

    def __init__(self, members: Sequence[Member], checks: Sequence[Check], lasts_s: float) -> None:
        self._members = members
        self._checks = checks
        self._lasts_s = lasts_s

    def run(self, seed: int) -> None:
        """One round.

        Raises:
            AssertionError: something does not hold; with the seed that does it again.
        """
        drawn = random.Random(seed)
        fault = drawn.choice(list(FAULTS))
        victim = drawn.choice(list(self._members))
        lasts_s = drawn.uniform(0.2, 1.0) * self._lasts_s
        begun, over = threading.Event(), threading.Event()
        scene = Scene(self._members, victim, drawn, seed, begun, over)
        failed: list[str] = []
        threads = [
            threading.Thread(target=_guarded, args=(check, scene, failed)) for check in self._checks
        ]
        for thread in threads:
            thread.start()
        try:
            time.sleep(drawn.uniform(0.1, 0.5))  # somewhere in the middle of things
            with FAULTS[fault](victim):
                begun.set()
                time.sleep(lasts_s)  # it is what lasts
                over.set()
        finally:
            over.set()
            for thread in threads:
                thread.join()
        everybody = {member.name: "running" for member in self._members}
        until_all_see(self._members, everybody, "all see all again")
        for member in self._members:
            until(lambda member=member: _is_in_step(member), "in step again")  # type: ignore[misc]
        found = failed + [line for check in self._checks for line in check.problems(scene)]
        told = f"seed {seed}: {fault} of {victim.name} for {lasts_s:.1f} s"
        assert not found, "\n".join([told, *found[:20]])


def _guarded(check: Check, scene: Scene, failed: list[str]) -> None:
    try:
        check.work(scene)
    except Exception as error:  # noqa: BLE001 - told with the round
        failed.append(f"{type(check).__name__}: {error!r}")


def _is_in_step(member: Member) -> bool:
    state = member.ctl.json("cluster", "status").get("state")
    return bool(state and state["in_step"])


# -- checks ------------------------------------------------------------------------------------


class LiveTraffic:
    """Between nodes that are well QoS 0 and 1 go on, in order, and what was acknowledged arrives."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def work(self, scene: Scene) -> None:
        self._problems = []
        one, other = scene.others
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


class SharedUsers:
    """A change that was confirmed is on all nodes, one that was refused on none."""

    URL = "/authentication/password_based%3Abuilt_in_database/users"

    def __init__(self) -> None:
        self._made: set[str] = set()
        self._refused: set[str] = set()

    def work(self, scene: Scene) -> None:
        number = 0
        while not scene.is_over.is_set():
            number += 1
            name = f"user-{scene.number}-{number}"
            self._make(scene.random.choice(scene.others), name)

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


class OneConnection:
    """Of a client that connects to two nodes at once one connection stays."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._open: list[RawClient] = []

    def work(self, scene: Scene) -> None:
        self._close()
        while not scene.is_over.is_set():
            name = f"one-{scene.number}-{len(self._names)}"
            self._names.append(name)
            for member in scene.others:
                client = member.node.open(5)
                self._open.append(client)
                client.send(Connect(name, properties={"session_expiry_interval": 0}))
            scene.is_over.wait(0.1)

    def problems(self, scene: Scene) -> list[str]:
        try:
            until(
                lambda: all(self._count(scene, name) == 1 for name in self._names), "one connection"
            )
        except AssertionError:
            counts = {name: self._count(scene, name) for name in self._names}
            return [f"{name}: {n} connections" for name, n in counts.items() if n != 1]
        finally:
            self._close()
        return []

    def _count(self, scene: Scene, name: str) -> int:
        return sum(_is_connected(member, name) for member in scene.members)

    def _close(self) -> None:
        for client in self._open:
            with contextlib.suppress(ClosedError, OSError):
                client.drop()
        self._names, self._open = [], []


def _is_connected(member: Member, name: str) -> bool:
    try:
        rows = rest(member).get(f"/clients?clientid={name}&node={member.name}")["data"]
    except NotFoundError:
        return False
    return any(row["connected"] for row in rows)
