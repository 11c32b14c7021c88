"""All connectors, actions and sources of a node: made so, looked at, tried.

Ids are ``type:name``. Only what changed is begun anew; what waits for an action stays when its
fields and its buffer are the same as before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from rookery.clock import Clock
from rookery.connectors import metrics, probes
from rookery.connectors.health import Link
from rookery.connectors.metrics import Metrics
from rookery.connectors.planning import Plan, Planner, Wanted
from rookery.connectors.ports import Buffer, Ports
from rookery.connectors.rates import TICK_S
from rookery.connectors.runner import LastError
from rookery.connectors.running import RunningAction, Surroundings
from rookery.connectors.settings import ActionSettings, ConnectorSettings, SourceSettings
from rookery.connectors.status import Kind, Status
from rookery.ending import ended
from rookery.errors import NotFoundError
from rookery.native.action_fields import FieldSpec

__all__ = ["Connectors", "Wanted"]

T = TypeVar("T")

HOLD_S = 2.0
"""Longest time that an action waits to be told that rules know what it wants."""


class Connectors:
    """Makes it so. Belongs to one event loop."""

    def __init__(
        self,
        ports: Ports,
        *,
        clock: Clock,
        data_dir: Path,
        node: str,
        on_status: Callable[[Kind, str, Status], None],
        file_dirs: Sequence[Path] = (),
    ) -> None:
        """``on_status`` hears of every change, and must not take long; ``file_dirs`` are folders
        besides ``data_dir`` in which connectors may write.
        """
        around = Surroundings(
            ports=ports,
            clock=clock,
            data_dir=data_dir,
            node=node,
            file_dirs=tuple(file_dirs),
            tell=on_status,
            find_buffer=self._find_buffer,
        )
        self._planner = Planner(around)
        self._clock = clock
        self._open_buffer = ports.open_buffer
        self._now = Plan()
        self._held: list[RunningAction] = []
        self._lock = asyncio.Lock()
        self._ticking: asyncio.Task[None] | None = None

    async def apply(self, wanted: Wanted) -> None:
        """Make it so; returns when what ends has ended, not when what begins is connected.

        Rules have to be put again afterwards, and :meth:`rules_are_put` called: an action may want
        other fields than rules gave before, and takes nothing until then.

        Raises:
            SettingError: it cannot be so; nothing was changed.
        """
        async with self._lock:
            plan = self._planner.plan(wanted, self._now)
            before, self._now = self._now, plan
            await self._end_old(before, plan)
            self._begin_new(before, plan)
            if self._ticking is None and (plan.actions or plan.sources):
                self._ticking = asyncio.create_task(self._tick(), name="rates of actions")

    def rules_are_put(self) -> None:
        """Rules give actions what :meth:`fields_of` says: from now on it is taken."""
        held, self._held = self._held, []
        for action in held:
            action.release()

    def status(self, kind: Kind, item_id: str) -> Status:
        """How it is doing.

        Raises:
            NotFoundError: it is not there.
        """
        if kind == "connector":
            return _found(self._now.links, kind, item_id).status
        if kind == "action":
            return _found(self._now.actions, kind, item_id).standing.status
        return _found(self._now.sources, kind, item_id).runner.status

    def last_error(self, action_id: str) -> LastError | None:
        """Why the service did not take something, most recently, and when.

        Raises:
            NotFoundError: there is no such action.
        """
        return _found(self._now.actions, "action", action_id).last_error

    async def settled(self, kind: Kind, item_id: str) -> Status:
        """The status after the first attempt, for which it waits no longer than ``start_timeout``.

        Raises:
            NotFoundError: it is not there.
        """
        if kind == "connector":
            event = _found(self._now.links, kind, item_id).settled
            wait_s = self._now.connectors[item_id].resource_opts.start_timeout
        elif kind == "action":
            action = _found(self._now.actions, kind, item_id)
            event, wait_s = action.standing.settled, action.settings.resource_opts.start_timeout
        else:
            source = _found(self._now.sources, kind, item_id)
            event, wait_s = source.runner.settled, source.settings.resource_opts.start_timeout
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await event.wait()
        return self.status(kind, item_id)

    def metrics(self, kind: Kind, item_id: str) -> Metrics:
        """Counters and rates of an action or source.

        Raises:
            NotFoundError: it is not there; connectors have none.
        """
        if kind == "action":
            action = _found(self._now.actions, kind, item_id)
            return metrics.of_action(action.buffer.counters(), action.rates)
        if kind == "source":
            source = _found(self._now.sources, kind, item_id)
            return metrics.of_source(source.runner.received, source.rates)
        raise NotFoundError(f"no metrics of {kind} {item_id}")

    def reset_metrics(self, kind: Kind, item_id: str) -> None:
        """Begin to count anew.

        Raises:
            NotFoundError: it is not there.
        """
        if kind == "action":
            action = _found(self._now.actions, kind, item_id)
            action.buffer.reset_counters()
            action.rates.reset()
        elif kind == "source":
            source = _found(self._now.sources, kind, item_id)
            source.runner.received = 0
            source.rates.reset()
        else:
            raise NotFoundError(f"no metrics of {kind} {item_id}")

    def fields_of(self, action_id: str) -> tuple[FieldSpec, ...]:
        """What rules have to give that action.

        Raises:
            NotFoundError: there is no such action.
        """
        return _found(self._now.actions, "action", action_id).fields

    async def start(self, kind: Kind, item_id: str) -> None:
        """Begin, if it does not run already. Does nothing to what is disabled.

        Raises:
            NotFoundError: it is not there.
        """
        async with self._lock:
            if kind == "connector":
                link = _found(self._now.links, kind, item_id)
                if self._now.connectors[item_id].enable and link.may_start:
                    link.start()
            elif kind == "action":
                action = _found(self._now.actions, kind, item_id)
                if not action.is_running:
                    action.start(action.buffer, is_link_enabled=self._is_enabled(action.link))
            else:
                source = _found(self._now.sources, kind, item_id)
                if not source.is_running:
                    source.start(is_link_enabled=self._is_enabled(source.link))

    async def halt(self, kind: Kind, item_id: str) -> None:
        """Stop it until it is started, restarted, or made anew with other settings.

        Raises:
            NotFoundError: it is not there.
        """
        async with self._lock:
            if kind == "connector":
                await _found(self._now.links, kind, item_id).stop()
            elif kind == "action":
                await _found(self._now.actions, kind, item_id).halt()
            else:
                await _found(self._now.sources, kind, item_id).halt()

    async def restart(self, kind: Kind, item_id: str) -> None:
        """Connect or begin anew, now. Does nothing to what is disabled.

        Raises:
            NotFoundError: it is not there.
        """
        if kind == "action":
            # What comes meanwhile waits.
            async with self._lock:
                await _found(self._now.actions, kind, item_id).stop()
        else:
            await self.halt(kind, item_id)
        await self.start(kind, item_id)

    async def probe_connector(self, type_name: str, settings: ConnectorSettings) -> None:
        """Connect with these settings, and disconnect.

        Raises:
            SettingError: they make no sense.
            ConnectorError: it does not work; says why.
        """
        async with probes.connected(self._planner.open(f"{type_name}:probe", settings), settings):
            return

    async def probe_action(
        self, type_name: str, settings: ActionSettings, connector: ConnectorSettings
    ) -> None:
        """Connect, see whether the action could send, and disconnect; nothing is sent.

        Raises:
            SettingError: the settings make no sense.
            ConnectorError: it does not work; says why.
        """
        opened = self._planner.open(f"{type_name}:probe", connector)
        action = opened.open_action(settings)
        self._planner.check_templates(action.fields, settings, connector)
        async with probes.connected(opened, connector):
            await probes.look(action, settings)

    async def probe_source(
        self, type_name: str, settings: SourceSettings, connector: ConnectorSettings
    ) -> None:
        """Connect, see whether the source could receive, and disconnect; nothing is received.

        Raises:
            SettingError: the settings make no sense.
            ConnectorError: it does not work; says why.
        """

        async def receive(_columns: object) -> int:
            return 0

        opened = self._planner.open(f"{type_name}:probe", connector)
        source = opened.open_source(settings, receive)
        async with probes.connected(opened, connector):
            await probes.check(source.check, settings.resource_opts.start_timeout)

    async def drain(self, grace_s: float) -> None:
        """Send what waits, as far as it can be sent, for at most that time; nothing ends by it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                # What one action cannot deliver may come to another as its fallback.
                while left := [it for it in self._now.actions.values() if it.can_drain]:
                    await asyncio.gather(*(action.drain() for action in left))

    def remember_dropped(self) -> None:
        """The core is about to end, and may drop what waits: :meth:`say_what_waits` tells that too."""
        for action in self._now.actions.values():
            action.remember_dropped()

    def say_what_waits(self) -> None:
        """Log what is lost with the end that comes now; whatever is under way gets no more time."""
        for action in self._now.actions.values():
            action.say_what_waits()
            action.end_at_once()

    async def stop(self) -> None:
        """End all: what is under way may end, the rest is dropped. May be called twice."""
        await self.apply(Wanted())
        ticking, self._ticking = self._ticking, None
        if ticking is not None:
            await ended("the rates of connectors", ticking)

    async def _end_old(self, before: Plan, plan: Plan) -> None:
        actions = _gone(before.actions, plan.actions)
        sources = _gone(before.sources, plan.sources)
        ends = [action.stop() for action in actions]
        ends += [source.stop() for source in sources]
        await asyncio.gather(*ends)
        await asyncio.gather(*(link.stop() for link in _gone(before.links, plan.links)))
        for action in actions:
            successor = plan.actions.get(action.id)
            if successor is None or not successor.takes_over(action):
                action.close()

    def _begin_new(self, before: Plan, plan: Plan) -> None:
        for action in _gone(plan.actions, before.actions):
            old = before.actions.get(action.id)
            is_held = old is not None and not action.takes_over(old)
            # One that is open keeps what waits in it.
            buffer = self._open_buffer(action.id, action.spec())
            is_enabled = plan.connectors[action.link.id].enable
            action.start(buffer, is_link_enabled=is_enabled, is_held=is_held)
            if is_held:
                self._held.append(action)
        if self._held:
            # Whoever forgets to say so loses a moment, not all that comes.
            asyncio.get_running_loop().call_later(HOLD_S, self.rules_are_put)
        for source in _gone(plan.sources, before.sources):
            source.start(is_link_enabled=plan.connectors[source.link.id].enable)
        for link in _gone(plan.links, before.links):
            settings = plan.connectors[link.id]
            if settings.enable and settings.resource_opts.start_after_created and link.may_start:
                link.start()

    def _is_enabled(self, link: Link) -> bool:
        return self._now.connectors[link.id].enable

    def _find_buffer(self, action_id: str) -> tuple[Buffer, tuple[FieldSpec, ...]] | None:
        action = self._now.actions.get(action_id)
        return (action.buffer, action.fields) if action is not None and action.is_open else None

    async def _tick(self) -> None:
        while True:
            now_s = self._clock.monotonic_s()
            for action in self._now.actions.values():
                if action.is_open:
                    action.rates.sample(now_s, action.buffer.counters().matched)
            for source in self._now.sources.values():
                source.rates.sample(now_s, source.runner.received)
            await asyncio.sleep(TICK_S)


def _found(items: Mapping[str, T], kind: Kind, item_id: str) -> T:
    found = items.get(item_id)
    if found is None:
        raise NotFoundError(f"no {kind} {item_id}")
    return found


def _gone(before: Mapping[str, T], after: Mapping[str, T]) -> list[T]:
    """What is not, or is another one, in ``after``."""
    return [item for item_id, item in before.items() if after.get(item_id) is not item]
