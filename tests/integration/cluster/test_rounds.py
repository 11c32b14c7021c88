"""A cluster of three machines in which one after the other is hurt: what was promised holds.

Each round is drawn from its seed; the suite has one of every fault. ``ROOKERY_CLUSTER_ROUNDS`` makes a long
run, ``ROOKERY_CLUSTER_SEED`` is the first seed, so that a failure can be repeated; ``ROOKERY_CLUSTER_LASTS`` is the
longest that most faults last, in seconds (cuts three times as long); ``ROOKERY_CLUSTER_LOG`` a file to which every
round is written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from harness.cluster_checks import LiveTraffic, OneSession, RetainedMessages, SharedUsers
from harness.cluster_faults import FAULTS
from harness.cluster_rounds import Rounds, until_well
from harness.cluster_sessions import DurableSessions
from harness.machines import Machine, machines

ROUNDS = int(os.environ.get("ROOKERY_CLUSTER_ROUNDS", str(len(FAULTS))))
SEED = int(os.environ.get("ROOKERY_CLUSTER_SEED", "1"))
LASTS_S = float(os.environ.get("ROOKERY_CLUSTER_LASTS", "1.5"))
LOG = os.environ.get("ROOKERY_CLUSTER_LOG", "")
SETTINGS = {
    "authentication": "[{mechanism = password_based, backend = built_in_database, "
    "user_id_type = username, enable = false}]",
    "access.anonymous": "everyone",
}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Machine]]:
    with machines(tmp_path_factory.mktemp("rounds"), 3, **SETTINGS) as found:
        one, two, third = (machine.member for machine in found)
        two.join(one)
        third.join(one)
        until_well([one, two, third])
        yield found


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_what_was_promised_holds(three: Sequence[Machine], seed: int) -> None:
    began = time.monotonic()
    outcome = "failed"
    checks = [LiveTraffic(), SharedUsers(), OneSession(), RetainedMessages(), DurableSessions()]
    try:
        outcome = "good: " + Rounds(three, checks, LASTS_S).run(seed)
    finally:
        if LOG:
            with Path(LOG).open("a", encoding="utf-8") as file:
                file.write(f"seed {seed}: {outcome} in {time.monotonic() - began:.1f} s\n")
