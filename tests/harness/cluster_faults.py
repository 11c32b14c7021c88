"""What goes wrong on the machines of a cluster, for as long as a block lasts."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from harness.machines import Machine, start_all

JUMPS_S = (-3600, -40, 40, 3600)


class Hurt(NamedTuple):
    """Who is hurt.

    Attributes:
        victim: The one.
        others: The rest of the cluster.
        random: Of this round.
    """

    victim: Machine
    others: Sequence[Machine]
    random: random.Random


class Fault(NamedTuple):
    """A way to be hurt.

    Attributes:
        name: For people.
        hurt: Hurts, and heals at the end.
        hits_all: Nobody goes on.
        longer: It lasts so many times as long as others.
    """

    name: str
    hurt: Callable[[Hurt], contextlib.AbstractContextManager[None]]
    hits_all: bool = False
    longer: float = 1.0


@contextlib.contextmanager
def _node_killed(who: Hurt) -> Iterator[None]:
    who.victim.member.node.kill9()
    yield
    who.victim.member.start()


@contextlib.contextmanager
def _nats_killed(who: Hurt) -> Iterator[None]:
    os.kill(who.victim.member.nats_pid(), signal.SIGKILL)
    yield


@contextlib.contextmanager
def _node_paused(who: Hurt) -> Iterator[None]:
    with _paused(who.victim.member.node.pid):
        yield


@contextlib.contextmanager
def _nats_paused(who: Hurt) -> Iterator[None]:
    with _paused(who.victim.member.nats_pid()):
        yield


@contextlib.contextmanager
def _all_paused(who: Hurt) -> Iterator[None]:
    """As a machine that sleeps."""
    with _paused(who.victim.member.nats_pid()), _paused(who.victim.member.node.pid):
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


@contextlib.contextmanager
def _split(who: Hurt) -> Iterator[None]:
    """One here, the others there."""
    with _deaf(who.victim, who.others), _mute(who.victim, who.others):
        yield


@contextlib.contextmanager
def _hears_nobody(who: Hurt) -> Iterator[None]:
    with _deaf(who.victim, who.others):
        yield


@contextlib.contextmanager
def _is_not_heard(who: Hurt) -> Iterator[None]:
    with _mute(who.victim, who.others):
        yield


@contextlib.contextmanager
def _one_cable(who: Hurt) -> Iterator[None]:
    """Two do not reach each other, while the third one reaches both."""
    other = who.others[:1]
    with _deaf(who.victim, other), _mute(who.victim, other):
        yield


@contextlib.contextmanager
def _deaf(victim: Machine, others: Sequence[Machine]) -> Iterator[None]:
    victim.deaf_to(others)
    try:
        yield
    finally:
        victim.hears(others)


@contextlib.contextmanager
def _mute(victim: Machine, others: Sequence[Machine]) -> Iterator[None]:
    for other in others:
        other.deaf_to([victim])
    try:
        yield
    finally:
        for other in others:
            other.hears([victim])


@contextlib.contextmanager
def _slow(who: Hurt) -> Iterator[None]:
    with who.victim.slow():
        yield


@contextlib.contextmanager
def _full(who: Hurt) -> Iterator[None]:
    with who.victim.full_disk():
        yield


@contextlib.contextmanager
def _jumped(who: Hurt) -> Iterator[None]:
    """The clock is wrong, and is right again in the end."""
    seconds = who.random.choice(JUMPS_S)
    who.victim.clock.jump(seconds)
    try:
        yield
    finally:
        who.victim.clock.jump(-seconds)


@contextlib.contextmanager
def _all_killed(who: Hurt) -> Iterator[None]:
    """As a house without power."""
    members = [machine.member for machine in (who.victim, *who.others)]
    for member in members:
        member.node.kill9()
    yield
    start_all(members)


# Who falls silent is given up after five seconds: some cuts are longer than that, some are not.
CUT = 3.0
FAULTS = (
    Fault("kill -9 of a node", _node_killed),
    Fault("split", _split, longer=CUT),
    Fault("SIGSTOP of a node", _node_paused),
    Fault("full disk", _full),
    Fault("deafness", _hears_nobody, longer=CUT),
    Fault("kill -9 of all, the victim first", _all_killed, hits_all=True),
    Fault("kill -9 of the NATS", _nats_killed),
    Fault("muteness", _is_not_heard, longer=CUT),
    Fault("jump of the clock", _jumped),
    Fault("SIGSTOP of node and NATS", _all_paused),
    Fault("slow cable", _slow),
    Fault("one cable cut", _one_cable, longer=CUT),
    Fault("SIGSTOP of the NATS", _nats_paused),
)
