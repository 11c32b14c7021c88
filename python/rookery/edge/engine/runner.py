"""One driver that runs: connects, reads its groups when they are due, writes when asked.

One task does it all, one thing at a time; whoever wants something of the device queues for it. Writing
goes before reading. What fails is said in the values and in the status, and tried again: at once after a
good time, then later and later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from rookery.clock import Clock
from rookery.edge.drivers.base import DeviceError, Driver, LinkLost, NoAnswer
from rookery.edge.engine.cycle import Cycle
from rookery.edge.engine.schedule import Schedule
from rookery.edge.errors import DISCONNECTED, IS_BUSY, NOT_RUNNING, EdgeError
from rookery.edge.model import Group, LinkState, NodeState, NodeStatus, Report
from rookery.words import Words

T = TypeVar("T")

COMMANDS_MAX = 256
SILENT_CYCLES_MAX = 3
"""After so many groups in a row without any answer the connection is made anew."""
BACKOFF_S_MIN = 1.0
BACKOFF_S_MAX = 30.0
STOP_S_MAX = 10.0
RTT_NONE_MS = 9999

_DEFECT = Words("internal error: {reason}", "内部错误：{reason}")


class Sink(Protocol):
    """Where it goes."""

    def read(self, report: Report | None, cycle: Cycle) -> None:
        """A cycle has ended; the report is for applications, where there is one."""
        ...

    def linked(self, status: NodeStatus) -> None:
        """The status has changed."""
        ...


@dataclass(slots=True)
class _Command:
    work: Callable[[Driver[Any]], Awaitable[Any]]
    answer: asyncio.Future[Any]


class Runner:
    """One driver. Started once; to start again another one is made."""

    def __init__(
        self,
        name: str,
        driver: Driver[Any],
        groups: Mapping[str, Group],
        sink: Sink,
        clock: Clock,
        backoff_s: tuple[float, float] = (BACKOFF_S_MIN, BACKOFF_S_MAX),
    ) -> None:
        self.name = name
        self.driver = driver
        self.cycles: dict[str, Cycle] = {}
        self.status = NodeStatus(node=name, state=NodeState.RUNNING, since_ms=clock.now_ms())
        self.reads = self.read_errors = 0
        self._wanted: Mapping[str, Group] | None = groups
        self._sink = sink
        self._clock = clock
        self._log = logging.getLogger(f"rookery.edge.node.{name}")
        self._schedule = Schedule(name)
        self._commands: deque[_Command] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_connected = self._is_ending = False
        self._silent = 0
        self._backoff_s = backoff_s
        self._wait_s = 0.0
        self._retry_at_s = 0.0

    # -- life ----------------------------------------------------------------------------

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"edge driver {self.name}")

    async def stop(self) -> None:
        """End. May be called twice; a driver that does not end is left behind after a while."""
        task, self._task = self._task, None
        # Client libraries lose a cancellation that comes together with an answer.
        self._is_ending = True
        if task is not None:
            task.cancel()
            _, late = await asyncio.wait({task}, timeout=STOP_S_MAX)
            if late:
                self._log.error("the driver does not stop, it is left behind")
        while self._commands:
            _answer(self._commands.popleft(), EdgeError(NOT_RUNNING, name=self.name))

    def regroup(self, groups: Mapping[str, Group]) -> None:
        """What is read from now on."""
        self._wanted = groups
        self._wake.set()

    def tell_all(self, group: str) -> None:
        """The next report of a group has every tag."""
        if group in self.cycles:
            self.cycles[group].tell_all()

    async def ask(self, work: Callable[[Driver[Any]], Awaitable[T]]) -> T:
        """Do something with the device, before it is read again.

        Raises:
            EdgeError: there is no connection, too much waits for the device already, or what the
                work raises.
            DeviceError: the device failed at it.
        """
        if not self._is_connected:
            raise EdgeError(DISCONNECTED)
        if len(self._commands) >= COMMANDS_MAX:
            raise EdgeError(IS_BUSY)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._commands.append(_Command(work, answer))
        self._wake.set()
        return await answer

    # -- the task ------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while not self._is_ending:
                try:
                    await self._turn()
                except DeviceError as error:
                    await self._lose(error.words)
                except Exception as error:  # noqa: BLE001
                    # A defect in one driver is nothing that others may notice.
                    self._log.exception("the driver failed")
                    await self._lose(_DEFECT.format(reason=type(error).__name__))
        finally:
            self._is_connected = False
            await self._close()

    async def _turn(self) -> None:
        """Whatever is next: a change of groups, connecting, a command, a cycle, or waiting."""
        if self._wanted is not None:
            self._regroup()
        if not self._is_connected and self._now_s() >= self._retry_at_s:
            await self._connect()
        if self._commands:
            await self._command()
            return
        due = self._schedule.next()
        now_s = self._now_s()
        if due is not None and due[1] <= now_s:
            await self._cycle(due[0], now_s)
            # Others have their turn even where every device answers at once.
            await asyncio.sleep(0)
            return
        moments = [due[1]] if due is not None else []
        if not self._is_connected:
            moments.append(self._retry_at_s)
        await self._wait(min(moments, default=None))

    async def _wait(self, until_s: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(until_s):
                await self._wake.wait()
        self._wake.clear()

    async def _connect(self) -> None:
        await self.driver.connect()
        self._is_connected = True
        self._silent = 0
        self._wait_s = 0.0
        self._log.info("connected")
        self._tell(LinkState.CONNECTED, None)

    async def _lose(self, reason: Words) -> None:
        """Not connected any more, or still not."""
        if self._is_connected or self.status.reason != reason:
            self._log.warning("%s", reason.en)
        self._is_connected = False
        least, most = self._backoff_s
        self._wait_s = min(most, self._wait_s * 2) if self._wait_s else least
        self._retry_at_s = self._now_s() + self._wait_s * random.uniform(0.8, 1.0)  # noqa: S311
        self._tell(LinkState.DISCONNECTED, reason)
        while self._commands:
            _answer(self._commands.popleft(), EdgeError(DISCONNECTED))
        await self._close()

    async def _close(self) -> None:
        try:
            await self.driver.close()
        except Exception:  # noqa: BLE001 - whatever it is, there is no connection
            self._log.exception("the driver does not close well")

    async def _command(self) -> None:
        command = self._commands.popleft()
        if command.answer.cancelled():
            return
        try:
            _answer(command, await command.work(self.driver))
        except LinkLost as error:
            _answer(command, error)
            raise
        except (DeviceError, EdgeError) as error:
            _answer(command, error)
        except asyncio.CancelledError:
            _answer(command, EdgeError(NOT_RUNNING, name=self.name))
            raise
        except Exception as error:
            _answer(command, LinkLost(_DEFECT.format(reason=type(error).__name__)))
            raise

    async def _cycle(self, name: str, now_s: float) -> None:
        cycle = self.cycles[name]
        cycle.missed += self._schedule.begun(name, now_s)
        cycle.cycles += 1
        lost: LinkLost | None = None
        if cycle.tags and not self._is_connected:
            cycle.fail(DISCONNECTED.number, self._clock.now_ms())
        elif cycle.tags:
            lost = await self._read(cycle, now_s)
        else:
            cycle.fail(0, self._clock.now_ms())
        self.reads += len(cycle.tags)
        self.read_errors += len(cycle.errors)
        self._sink.read(cycle.report(), cycle)
        if lost is not None:
            raise lost

    async def _read(self, cycle: Cycle, now_s: float) -> LinkLost | None:
        """Read it; what is wrong with the connection itself is given back."""
        try:
            reading = await self.driver.read(cycle.plan)
        except DeviceError as error:
            cycle.fail(error.number, self._clock.now_ms())
            cycle.duration_ms = round((self._now_s() - now_s) * 1000)
            if not isinstance(error, NoAnswer):
                return error if isinstance(error, LinkLost) else None
            self._silent += 1
            self.status = replace(self.status, rtt_ms=RTT_NONE_MS)
            return LinkLost(error.words) if self._silent >= SILENT_CYCLES_MAX else None
        except BaseException:
            cycle.fail(DISCONNECTED.number, self._clock.now_ms())
            raise
        self._silent = 0
        cycle.absorb(reading, self._clock.now_ms())
        cycle.duration_ms = round((self._now_s() - now_s) * 1000)
        self.status = replace(self.status, rtt_ms=cycle.duration_ms)
        return None

    # -- what is read --------------------------------------------------------------------

    def _regroup(self) -> None:
        wanted, self._wanted = self._wanted, None
        assert wanted is not None
        made: dict[str, Cycle] = {}
        for name, group in wanted.items():
            before = self.cycles.get(name)
            if before is not None and before.group is group:
                made[name] = before
                continue
            made[name] = Cycle(self.name, group, self.driver)
            if before is not None:
                made[name].go_on(before)
            if group.tags:
                self._schedule.keep(name, group.interval_ms, self._now_s())
        self.cycles = made
        self._schedule.drop_others({name for name, cycle in made.items() if cycle.group.tags})

    def _tell(self, link: LinkState, reason: Words | None) -> None:
        now_ms = self._clock.now_ms()
        since_ms = now_ms if link is not self.status.link else self.status.since_ms
        rtt_ms = self.status.rtt_ms if link is LinkState.CONNECTED else RTT_NONE_MS
        is_news = (link, reason) != (self.status.link, self.status.reason)
        self.status = replace(
            self.status, link=link, reason=reason, since_ms=since_ms, rtt_ms=rtt_ms
        )
        if is_news:
            self._sink.linked(self.status)

    @staticmethod
    def _now_s() -> float:
        return asyncio.get_running_loop().time()


def _answer(command: _Command, result: object) -> None:
    if command.answer.done():
        return
    if isinstance(result, Exception):
        command.answer.set_exception(result)
    else:
        command.answer.set_result(result)
