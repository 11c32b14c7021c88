"""What fails between a control plane and a cluster, for real and for long: what is lost, done twice, or shown wrongly?

    python bench/control_faults.py                            the network is cut for 10 minutes: 20 minutes in all
    python bench/control_faults.py --cut 30 --interval 2      a try: 2 minutes
    python bench/control_faults.py --only disk

A control plane and a node (the shipped command), the shipped agent between them, over TCP lines that can
be cut without anybody being told. One fault after the other: the network is cut, control is killed and
stays away, another program locks the database, the disk is full. Before and during each the connection limit of
the cluster is asked for; the state that the list shows is written down twice a second.

The rules: a limit that was accepted is in force in the end and is set at the cluster once; one that was refused
is never set; and nothing but the truth is shown for longer than three report intervals, or with short ones for longer than two
and the seconds that it takes (and as long as nobody can ask). Written to `results/`, as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "python")]

from harness.faults import Plant, faulty_plant  # noqa: E402

LOOK_S = 0.5
SLACK_S = 8.0
"""With short intervals it is the time to look that counts."""
LOCKED_S = 30.0
FULL_S = 60.0
BACK_S = 180.0
RUNNING, ABNORMAL = "running", "abnormal"


@dataclass
class Watch:
    """What is shown, and for how long it was not so."""

    plant: Plant
    truth: str = RUNNING
    since_s: float = field(default_factory=time.monotonic)
    wrong_s: float = 0.0
    shown: list[tuple[float, str]] = field(default_factory=list)

    def becomes(self, truth: str) -> None:
        self.truth, self.since_s = truth, time.monotonic()

    async def run(self) -> None:
        began_s = wrong_since_s = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                state = str((await self.plant.row())["state"])
            except (aiohttp.ClientError, AssertionError, TimeoutError):
                # Nobody is shown anything.
                wrong_since_s = time.monotonic()
                continue
            now_s = time.monotonic()
            if not self.shown or self.shown[-1][1] != state:
                self.shown.append((round(now_s - began_s, 1), state))
            if state == self.truth:
                wrong_since_s = now_s
            else:
                self.wrong_s = max(self.wrong_s, now_s - max(wrong_since_s, self.since_s))


@contextlib.asynccontextmanager
async def watching(plant: Plant) -> AsyncIterator[Watch]:
    watch = Watch(plant)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Limits:
    """Connection limits that were asked for."""

    def __init__(self, plant: Plant, first: int) -> None:
        self.plant = plant
        self._next = first
        self._before = plant.changes
        self.accepted: list[int] = []
        self.refused: list[int] = []

    async def ask(self) -> None:
        self._next += 1
        try:
            status = await self.plant.ask_for(self._next)
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        (self.accepted if 200 <= status < 300 else self.refused).append(self._next)

    async def settle(self) -> dict[str, Any]:
        """Wait until the last one that was accepted is in force."""
        await self.settled(self.accepted[-1])
        return {
            "accepted": len(self.accepted),
            "refused": len(self.refused),
            "setAtTheCluster": self.plant.changes - self._before,
        }

    async def settled(self, wanted: int) -> None:
        """Wait until it is in force."""
        end_s = time.monotonic() + BACK_S
        while not await self.plant.is_in_force(wanted):
            if time.monotonic() > end_s:
                raise RuntimeError(f"{wanted} is not in force: {await self.plant.quota()}")
            await asyncio.sleep(LOOK_S)


Fault = Callable[[Plant, Watch, Limits, argparse.Namespace], Awaitable[None]]


async def network(plant: Plant, watch: Watch, limits: Limits, options: argparse.Namespace) -> None:
    plant.cut()
    watch.becomes(ABNORMAL)
    await limits.ask()
    await asyncio.sleep(options.cut / 2)
    await limits.ask()
    await asyncio.sleep(options.cut / 2)
    plant.mend()
    watch.becomes(RUNNING)


async def control(plant: Plant, _watch: Watch, limits: Limits, options: argparse.Namespace) -> None:
    await limits.ask()
    plant.control.kill()
    await limits.ask()
    await asyncio.sleep(4 * options.interval)
    await asyncio.to_thread(plant.control.start)


async def database(
    plant: Plant, _watch: Watch, limits: Limits, _options: argparse.Namespace
) -> None:
    await limits.ask()
    with plant.locked_database():
        await limits.ask()
        await asyncio.sleep(LOCKED_S)
    await limits.ask()


async def disk(plant: Plant, _watch: Watch, limits: Limits, _options: argparse.Namespace) -> None:
    await limits.ask()
    with plant.full_disk():
        await limits.ask()
        await asyncio.sleep(FULL_S)
    await limits.ask()


FAULTS: dict[str, Fault] = {
    "network": network,
    "control": control,
    "database": database,
    "disk": disk,
}


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    bound_s = max(3 * options.interval, 2 * options.interval + SLACK_S) + LOOK_S
    with tempfile.TemporaryDirectory(prefix="rookery-bench-") as folder:
        async with faulty_plant(Path(folder), options.interval) as plant:
            await Limits(plant, 0).settled(10)
            for number, name in enumerate(options.only or FAULTS):
                print(f"{name} …", flush=True)
                limits = Limits(plant, 100 * (number + 1))
                async with watching(plant) as watch:
                    await FAULTS[name](plant, watch, limits, options)
                    asked = await limits.settle()
                    await asyncio.sleep(4 * options.interval)
                found[name] = {
                    **asked,
                    "longestWrongS": round(watch.wrong_s, 1),
                    "boundS": bound_s,
                    "shown": watch.shown,
                    "holds": watch.wrong_s <= bound_s
                    and watch.shown[-1][1] == RUNNING
                    and 1 <= asked["setAtTheCluster"] <= asked["accepted"],
                }
                print(f"  {found[name]}", flush=True)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cut", type=float, default=600.0, help="seconds without a network")
    parser.add_argument("--interval", type=int, default=15, help="seconds between reports")
    parser.add_argument("--only", action="append", choices=FAULTS)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results")
    options = parser.parse_args()
    found = asyncio.run(measure(options))
    commit = subprocess.run(
        ["git", "rev-parse", "--short=8", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    ).stdout.strip()  # fmt: skip
    now = datetime.datetime.now(tz=datetime.UTC)
    written = {
        "commit": commit,
        "at": now.isoformat(timespec="seconds"),
        "cutS": options.cut,
        "intervalS": options.interval,
        "faults": found,
    }
    file = options.out / f"control-faults-{now:%Y-%m-%d}-{commit}.json"
    file.write_text(json.dumps(written, indent=1) + "\n")
    holds = all(one["holds"] for one in found.values())
    print(f"{'holds' if holds else 'DOES NOT HOLD'}; written to {file}")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
