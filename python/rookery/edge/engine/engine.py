"""All nodes that run, and what goes from drivers to applications."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rookery.clock import Clock
from rookery.edge.apps.base import Application, AppType, Drivers, Place
from rookery.edge.drivers.base import DriverType
from rookery.edge.engine.cycle import Cycle
from rookery.edge.engine.runner import BACKOFF_S_MAX, BACKOFF_S_MIN, Runner
from rookery.edge.errors import EdgeError
from rookery.edge.model import (
    LinkState,
    Node,
    NodeKind,
    NodeState,
    NodeStatus,
    Report,
    Subscription,
)
from rookery.edge.plugins import Plugins
from rookery.edge.state import State
from rookery.words import Words

_log = logging.getLogger("rookery.edge")

_DEFECT = Words("internal error: {reason}", "内部错误：{reason}")


@dataclass(slots=True)
class _App:
    application: Application
    status: NodeStatus


class Engine:
    """Makes it so: whatever the configuration says is what runs."""

    def __init__(
        self,
        state: State,
        plugins: Plugins,
        clock: Clock,
        data_dir: Path,
        backoff_s: tuple[float, float] = (BACKOFF_S_MIN, BACKOFF_S_MAX),
    ) -> None:
        self.state = state
        self.runners: dict[str, Runner] = {}
        self.apps: dict[str, _App] = {}
        self.drivers: Drivers
        self._plugins = plugins
        self._clock = clock
        self._data_dir = data_dir
        self._backoff_s = backoff_s
        self._why: dict[str, Words] = {}
        self._routes: dict[tuple[str, str], list[tuple[_App, Subscription]]] = {}
        self._followers: dict[tuple[str, str], set[Callable[[Report], None]]] = {}

    # -- nodes ---------------------------------------------------------------------------

    async def apply(self, node: Node) -> None:
        """Run it by its settings, or not, as it says; whatever ran of it before is ended."""
        await self.end(node.name)
        if not node.is_wanted or node.setting is None:
            return
        try:
            kind = self._plugins.require(node.plugin)
            if isinstance(kind, DriverType):
                self._start_driver(node, kind)
            else:
                await self._start_app(node, kind)
        except EdgeError as error:
            self._fail(node, error.words)
        except Exception as error:  # noqa: BLE001 - one node that cannot run stops no other
            _log.exception("the node %s cannot be started", node.name)
            self._fail(node, _DEFECT.format(reason=type(error).__name__))

    def _fail(self, node: Node, words: Words) -> None:
        _log.error("the node %s cannot run: %s", node.name, words.en)
        self._why[node.name] = words

    def _start_driver(self, node: Node, kind: DriverType) -> None:
        driver = kind.make(node.setting or {})
        groups = dict(self.state.groups[node.name])
        runner = Runner(node.name, driver, groups, self, self._clock, self._backoff_s)
        self.runners[node.name] = runner
        runner.start()

    async def _start_app(self, node: Node, kind: AppType) -> None:
        folder = self.folder_of(node.name)
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True, mode=0o700)

        def link(state: LinkState, reason: Words | None) -> None:
            app = self.apps.get(node.name)
            if app is not None:
                app.status = self._linked(app.status, state, reason)

        place = Place(
            name=node.name,
            folder=folder,
            clock=self._clock,
            drivers=self.drivers,
            link=link,
            backoff_s=self._backoff_s,
        )
        application = kind.make(node.setting or {}, place)
        status = NodeStatus(node=node.name, state=NodeState.RUNNING, since_ms=self._clock.now_ms())
        self.apps[node.name] = _App(application, status)
        try:
            await application.start(self.state.of_app(node.name))
        except BaseException:
            del self.apps[node.name]
            await application.stop()
            raise
        self.resubscribe()

    def _linked(self, before: NodeStatus, link: LinkState, reason: Words | None) -> NodeStatus:
        since_ms = before.since_ms if link is before.link else self._clock.now_ms()
        return NodeStatus(
            node=before.node,
            state=before.state,
            link=link,
            reason=reason,
            since_ms=since_ms,
        )

    async def end(self, name: str) -> None:
        """Nothing of it runs any more."""
        self._why.pop(name, None)
        runner = self.runners.pop(name, None)
        if runner is not None:
            await runner.stop()
            self.linked(NodeStatus(node=name, state=NodeState.STOPPED))
        app = self.apps.pop(name, None)
        if app is not None:
            self.resubscribe()
            try:
                await app.application.stop()
            except Exception:  # noqa: BLE001 - of one node, which has ended all the same
                _log.exception("the node %s does not stop well", name)

    async def end_all(self) -> None:
        """Drivers first: what they have read still goes out, or to disk."""
        for kind in (NodeKind.DRIVER, NodeKind.APP):
            names = [node.name for node in self.state.nodes.values() if node.kind is kind]
            await asyncio.gather(*(self.end(name) for name in names))

    def folder_of(self, name: str) -> Path:
        """Where a node keeps what is its own. A name may hold what a file's cannot."""
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        return self._data_dir / "nodes" / digest

    async def forget(self, name: str) -> None:
        """A node that is deleted, with what it kept."""
        await self.end(name)
        await asyncio.to_thread(shutil.rmtree, self.folder_of(name), ignore_errors=True)

    async def renamed(self, name: str, new_name: str) -> None:
        """What a node kept goes with its name; it does not run meanwhile."""
        before, after = self.folder_of(name), self.folder_of(new_name)
        with contextlib.suppress(FileNotFoundError):
            await asyncio.to_thread(before.rename, after)

    def status(self, node: Node) -> NodeStatus:
        """How a node is."""
        if node.name in self.runners:
            return self.runners[node.name].status
        if node.name in self.apps:
            return self.apps[node.name].status
        state = NodeState.STOPPED
        if node.setting is None:
            state = NodeState.INIT
        elif node.is_wanted:
            state = NodeState.READY
        return NodeStatus(node=node.name, state=state, reason=self._why.get(node.name))

    # -- what is read --------------------------------------------------------------------

    def regroup(self, driver: str) -> None:
        """Groups or tags of a driver have changed."""
        runner = self.runners.get(driver)
        if runner is not None:
            runner.regroup(dict(self.state.groups[driver]))

    def resubscribe(self) -> None:
        """Who gets what; who gets something anew is told all of it once."""
        before = {key: {id(app) for app, _ in to} for key, to in self._routes.items()}
        self._routes = {}
        for one in self.state.subscriptions.values():
            app = self.apps.get(one.app)
            if app is not None:
                self._routes.setdefault((one.driver, one.group), []).append((app, one))
        for (driver, group), to in self._routes.items():
            is_new = not {id(app) for app, _ in to} <= before.get((driver, group), set())
            if is_new and driver in self.runners:
                self.runners[driver].tell_all(group)
        for name, app in self.apps.items():
            app.application.subscribed(self.state.of_app(name))

    @contextlib.contextmanager
    def following(
        self, node: str, group: str, follower: Callable[[Report], None]
    ) -> Iterator[None]:
        """Inside the block the follower is called with everything that is read of the group."""
        followers = self._followers.setdefault((node, group), set())
        followers.add(follower)
        try:
            yield
        finally:
            followers.discard(follower)
            if not followers:
                self._followers.pop((node, group), None)

    def read(self, report: Report | None, cycle: Cycle) -> None:
        """What a driver has read goes where it belongs."""
        key = (cycle.node, cycle.group.name)
        if report is not None:
            for app, subscription in self._routes.get(key, ()):
                try:
                    app.application.take(report, subscription)
                except Exception:  # noqa: BLE001 - a defect in an application stops no driver
                    _log.exception("the node %s failed at a report", subscription.app)
        followers = self._followers.get(key)
        if followers:
            full = cycle.full_report()
            for follower in tuple(followers):
                follower(full)

    def linked(self, status: NodeStatus) -> None:
        """A driver's connection has come or gone."""
        for app in self.apps.values():
            app.application.linked(status)


async def following(
    engine: Engine, node: str, group: str, first: Report | None
) -> AsyncGenerator[Report, None]:
    """Reports as they come; who is slow gets the newest."""
    newest: list[Report] = [first] if first is not None else []
    came = asyncio.Event()
    if newest:
        came.set()

    def follow(report: Report) -> None:
        newest[:] = [report]
        came.set()

    with engine.following(node, group, follow):
        while True:
            await came.wait()
            came.clear()
            yield newest[-1]
