"""Batches of agents: kept, asked for again while nobody can keep them, and dropped when nobody ever could."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from rookery.clock import ManualClock
from rookery.contracts.agent_logs import pack
from rookery.contracts.agent_v1 import LogAck, LogBatch
from rookery.control.logs.intake import FAULTS_MAX, Home, LogIntake
from rookery.control.logs.models import Part


class Keeper:
    """Keeps everything but what one agent sends."""

    def __init__(self) -> None:
        self.kept: list[str] = []

    async def homes_of(self, agents: frozenset[str]) -> Mapping[str, Home]:
        return {agent: Home(f"c-{agent}", "p") for agent in agents}

    async def keep(self, parts: Sequence[Part]) -> bool:
        if any(part.origin.agent_id == "odd" for part in parts):
            raise ValueError("a row that the table does not take")
        self.kept += [part.origin.agent_id for part in parts]
        return True


def batch(number: int) -> LogBatch:
    body = pack([b'[0,1,6,"","m","m"]\n'])
    return LogBatch(f"b{number}", "s", "emqx.log", "emqx@h", 0, body)


async def test_what_can_never_be_kept_is_dropped_and_holds_up_nobody() -> None:
    keeper, answers = Keeper(), asyncio.Queue[tuple[str, LogAck]]()

    async def say(agent_id: str, ack: LogAck) -> None:
        answers.put_nowait((agent_id, ack))

    intake = LogIntake(keeper, ManualClock(), flush_s=0)
    intake.answers(say)
    intake.open()
    told = []
    for _ in range(FAULTS_MAX):
        intake.heard("good", batch(len(keeper.kept)))
        intake.heard("odd", batch(1))
        for _ in range(2):
            agent, ack = await answers.get()
            if agent == "odd":
                told.append(ack.is_kept)
            else:
                assert ack.is_kept
    await intake.close()

    assert keeper.kept == ["good"] * FAULTS_MAX
    assert told == [False] * (FAULTS_MAX - 1) + [True]
    assert intake.counters["logs.lost"] == 1
