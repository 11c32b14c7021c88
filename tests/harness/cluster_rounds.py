"""Rounds of faults in a cluster of three, drawn from a seed, and what has to hold in each.

A round hurts one node, the victim, or all of them. While it lasts every check works on the cluster;
afterwards all is healed and every check looks at what it did against what is there. A further promise of the
cluster is a further :class:`Check`, a further thing that goes wrong one of :data:`harness.cluster_faults.FAULTS`:

    Rounds(machines, [LiveTraffic(), SharedUsers(), …]).run(seed=7)
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from harness.cluster_faults import FAULTS, Hurt
from harness.machines import Machine
from harness.members import Member, until_all_see
from harness.waiting import until
from rookery.client.management import API, ManagementClient


class Scene(NamedTuple):
    """What a check works on.

    Attributes:
        members: All nodes.
        victim: The one that is hurt.
        live: Those that go on.
        random: Of this round.
        number: Of this round; seeds of one run have different ones.
        has_begun: The victim is hurt from then on.
        is_over: The victim is about to be healed.
    """

    members: Sequence[Member]
    victim: Member
    live: Sequence[Member]
    random: random.Random
    number: int
    has_begun: threading.Event
    is_over: threading.Event

    @property
    def goes_on(self) -> bool:
        """Whether there is still something to do at nodes that are well."""
        return not (self.is_over.is_set() or (self.has_begun.is_set() and not self.live))


class Check:
    """A promise."""

    def prepare(self, scene: Scene) -> None:
        """What has to be there before anything goes wrong."""

    def work(self, scene: Scene) -> None:
        """Do something until the round is over; in a thread of its own."""
        raise NotImplementedError

    def problems(self, scene: Scene) -> list[str]:
        """What was promised and is not so, once all nodes are well."""
        raise NotImplementedError


def rest(member: Member) -> ManagementClient:
    return ManagementClient(member.node.data_dir, timeout_s=20.0, prefix=API)


class Rounds:
    """Hurts and heals, and asks the checks."""

    def __init__(
        self, machines: Sequence[Machine], checks: Sequence[Check], lasts_s: float
    ) -> None:
        self._machines = machines
        self._members = [machine.member for machine in machines]
        self._checks = checks
        self._lasts_s = lasts_s

    def run(self, seed: int) -> str:
        """One round; what it was. Seeds that follow each other hurt in all ways that there are.

        Raises:
            AssertionError: something does not hold; with the seed that does it again.
        """
        drawn = random.Random(seed)
        fault = FAULTS[(seed - 1) % len(FAULTS)]
        victim = drawn.choice(self._machines)
        lasts_s = drawn.uniform(0.2, 1.0) * self._lasts_s * fault.longer
        others = [machine for machine in self._machines if machine is not victim]
        live = [] if fault.hits_all else [machine.member for machine in others]
        begun, over = threading.Event(), threading.Event()
        scene = Scene(self._members, victim.member, live, drawn, seed, begun, over)
        failed: list[str] = []
        for check in self._checks:
            check.prepare(scene)
        threads = [
            threading.Thread(target=_guarded, args=(check, scene, failed)) for check in self._checks
        ]
        for thread in threads:
            thread.start()
        try:
            time.sleep(drawn.uniform(0.1, 0.5))  # somewhere in the middle of things
            with fault.hurt(Hurt(victim, others, drawn)):
                begun.set()
                time.sleep(lasts_s)  # it is what lasts
                over.set()
        finally:
            over.set()
            for thread in threads:
                thread.join()
        until_well(self._members)
        found = failed + [line for check in self._checks for line in check.problems(scene)]
        told = f"{fault.name} of {victim.member.name} for {lasts_s:.1f} s"
        assert not found, "\n".join([f"seed {seed}: {told}", *found[:20]])
        return told


def until_well(members: Sequence[Member]) -> None:
    """Wait until all nodes see all, and are in step."""
    everybody = {member.name: "running" for member in members}
    until_all_see(members, everybody, "all see all")
    for member in members:
        until(
            lambda member=member: _is_in_step(member),  # type: ignore[misc]
            f"{member.name} in step",
            shows=lambda member=member: member.ctl.json("cluster", "status"),  # type: ignore[misc]
        )


def _guarded(check: Check, scene: Scene, failed: list[str]) -> None:
    try:
        check.work(scene)
    except Exception as error:  # noqa: BLE001 - told with the round
        failed.append(f"{type(check).__name__}: {error!r}")


def _is_in_step(member: Member) -> bool:
    state = member.ctl.json("cluster", "status").get("state")
    return bool(state and state["in_step"])
