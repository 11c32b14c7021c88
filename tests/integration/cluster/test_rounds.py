"""A cluster of three in which one node after the other is hurt: what was promised holds.

Each round is drawn from its seed. ``ROOKERY_CLUSTER_ROUNDS`` makes a long run, ``ROOKERY_CLUSTER_SEED`` is
the first seed, so that a failure can be repeated; ``ROOKERY_CLUSTER_LASTS`` is the longest that a fault lasts, in
seconds; ``ROOKERY_CLUSTER_LOG`` a file to which every round is written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cluster_rounds import LiveTraffic, OneConnection, Rounds, SharedUsers
from harness.members import Member, members
from harness.waiting import until

ROUNDS = int(os.environ.get("ROOKERY_CLUSTER_ROUNDS", "12"))
SEED = int(os.environ.get("ROOKERY_CLUSTER_SEED", "1"))
LASTS_S = float(os.environ.get("ROOKERY_CLUSTER_LASTS", "2"))
LOG = os.environ.get("ROOKERY_CLUSTER_LOG", "")
SETTINGS = {
    "authentication": "[{mechanism = password_based, backend = built_in_database, "
    "user_id_type = username, enable = false}]",
}


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Member]]:
    with members(tmp_path_factory.mktemp("rounds"), 3, **SETTINGS) as found:
        one, two, third = found
        two.join(one)
        third.join(one)
        for member in found:
            until(lambda member=member: _is_in_step(member), "in step")  # type: ignore[misc]
        yield found


def _is_in_step(member: Member) -> bool:
    state = member.ctl.json("cluster", "status").get("state")
    return bool(state and state["in_step"])


@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_what_was_promised_holds(three: list[Member], seed: int) -> None:
    began = time.monotonic()
    outcome = "failed"
    try:
        Rounds(three, [LiveTraffic(), SharedUsers(), OneConnection()], LASTS_S).run(seed)
        outcome = "good"
    finally:
        if LOG:
            with Path(LOG).open("a", encoding="utf-8") as file:
                file.write(f"seed {seed}: {outcome} in {time.monotonic() - began:.1f} s\n")
