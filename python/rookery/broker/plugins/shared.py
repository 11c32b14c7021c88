"""The plugins of a node, changed on all nodes of its cluster alike.

A change is made here first where it can fail here (an archive that cannot be installed, code that does
not start, settings that the plugin refuses), then the others are told; where they cannot be told it is
taken back. What others changed is made so by a task of its own: it may take minutes, and is tried again
while it fails. Which plugins may be installed (``rookery ctl plugins allow``) is said on each machine for
what is uploaded there; a node installs what another node of the cluster has.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.nodes.service import Nodes
from rookery.broker.plugins.archives import Archives
from rookery.broker.plugins.models import Installed
from rookery.broker.plugins.replica import (
    ONE_ORDER,
    ORDER,
    PLUGIN,
    RUN,
    SETTINGS,
    Key,
    PluginReplica,
    Values,
)
from rookery.broker.plugins.service import PluginService
from rookery.broker.plugins.store import PluginStore
from rookery.ending import ended
from rookery.errors import BusyError, RookeryError
from rookery.plugins.manifest import running
from rookery.words import Words

STATUS = "plugins.status"
ALARM = "plugin_not_shared"
RETRY_S, RETRY_MAX_S = 1.0, 60.0

_log = logging.getLogger("rookery.plugins")


class SharedPlugins:
    """Changes of plugins, from :meth:`open` to :meth:`close`."""

    def __init__(
        self,
        plugins: PluginService,
        store: PluginStore,
        nodes: Nodes,
        alarms: AlarmRegistry,
        is_joining: Callable[[], bool],
    ) -> None:
        """``is_joining`` says whether the node is to have what the others have instead of its own."""
        self._plugins = plugins
        self._store = store
        self._nodes = nodes
        self._alarms = alarms
        self._archives = Archives(store, nodes)
        self.replica = PluginReplica(
            store.folder, own=self._own, is_joining=is_joining, changed=self._wake
        )
        self._changing = asyncio.Lock()
        self._woken = asyncio.Event()
        self._is_behind = False
        self._failing: dict[str, str] = {}
        self._task: asyncio.Task[None] | None = None
        nodes.answer(STATUS, self._own_status)

    # -- life ------------------------------------------------------------------------------

    async def close(self) -> None:
        """Make nothing so any more. May be called twice."""
        task, self._task = self._task, None
        await ended("the plugins that all nodes have", task)

    def _wake(self) -> None:
        self._is_behind = True
        self._woken.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        wait_s = RETRY_S
        while True:
            self._woken.clear()
            async with self._changing:
                await self._make_equal()
            if not self._is_behind:
                wait_s = RETRY_S
                await self._woken.wait()
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), wait_s)
            wait_s = min(wait_s * 2, RETRY_MAX_S)

    # -- what there is ---------------------------------------------------------------------

    async def _own(self) -> dict[Key, Values]:
        """Everything that this node has, as rows."""
        plugins = self._plugins.all()
        rows: dict[Key, Values] = {}
        for plugin in plugins:
            rows[PLUGIN, plugin.id] = await self._row(plugin)
            name = plugin.manifest.name
            if settings := await asyncio.to_thread(self._store.read_settings, name):
                rows[SETTINGS, name] = {"settings": settings}
            if run := await asyncio.to_thread(self._store.read_run, name):
                rows[RUN, name] = {"run": run}
        if plugins:
            rows[ONE_ORDER] = {"ids": [plugin.id for plugin in plugins]}
        return rows

    async def _row(self, plugin: Installed, **changed: bool) -> Values:
        digest = await self._archives.digest(plugin.id) if self.replica.is_open else ""
        runs = self._plugins.is_started(plugin.id)
        return {"digest": digest, "enable": plugin.enable, "runs": runs} | changed

    async def _own_status(self) -> dict[str, str]:
        return {plugin.id: self._plugins.report(plugin.id).status for plugin in self._plugins.all()}

    async def statuses(self) -> dict[str, dict[str, str]]:
        """By node that answers what each of its plugins does."""
        return await self._nodes.of_all(STATUS, self._own_status)

    # -- changes of this node --------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _change(self, plugin_id: str = "") -> AsyncIterator[None]:
        """One change at a time, of what all have.

        Raises:
            NotReplicatedError: the others cannot be told.
            BusyError: of that plugin they have another state, which cannot be made so here.
        """
        async with self._changing:
            if self.replica.is_open:
                await self.replica.ready()
                if self._is_behind:
                    await self._make_equal()
                if plugin_id in self._failing:
                    why = self._failing[plugin_id]
                    raise BusyError(
                        f"this node is not where the others are with {plugin_id}: {why}; change it on "
                        "one that is",
                        message_zh=f"本节点的 {plugin_id} 尚未与其他节点一致：{why}；请在已同步的节点上操作",
                    )
            yield

    async def _tell(self, changes: Mapping[Key, Values | None]) -> None:
        if self.replica.is_open:
            await self.replica.tell(changes)

    async def install(self, content: bytes, *, is_local: bool) -> Installed:
        """Install on all nodes what could be installed here; errors are of the service's."""
        async with self._change():
            plugin = await self._plugins.install(content, is_local=is_local)
            try:
                await self._tell(
                    {(PLUGIN, plugin.id): await self._row(plugin), ONE_ORDER: self._order()}
                )
            except RookeryError:
                await self._remove(plugin.id)
                raise
            return plugin

    async def uninstall(self, plugin_id: str) -> None:
        """Remove it from all nodes."""
        async with self._change():
            plugin = self._plugins.get(plugin_id)
            others = [other for other in self._plugins.all() if other is not plugin]
            changes: dict[Key, Values | None] = {
                (PLUGIN, plugin_id): None,
                ONE_ORDER: {"ids": [other.id for other in others]},
            }
            name = plugin.manifest.name
            if all(other.manifest.name != name for other in others):
                changes |= {(SETTINGS, name): None, (RUN, name): None}
            await self._tell(changes)
            await self._remove(plugin_id)

    async def _remove(self, plugin_id: str) -> None:
        await self._plugins.uninstall(plugin_id)
        self._archives.forget(plugin_id)
        if plugin_id in self.replica.gone:
            await self.replica.is_gone(plugin_id)

    async def start(self, plugin_id: str) -> None:
        """Start it here and then on all nodes; it takes the place of a version that runs."""
        async with self._change(plugin_id):
            before = await self._all_rows()
            try:
                await self._plugins.start(plugin_id)
            except RookeryError:
                # One that took the place of another is tried again, here and there.
                await self._tell_since(before)
                raise
            await self._tell_since(before)

    async def _tell_since(self, before: Mapping[Key, Values]) -> None:
        after = await self._all_rows()
        try:
            await self._tell({key: row for key, row in after.items() if before.get(key) != row})
        except RookeryError:
            await self._go_back(before)
            raise

    async def _all_rows(self) -> dict[Key, Values]:
        rows = {(PLUGIN, plugin.id): await self._row(plugin) for plugin in self._plugins.all()}
        return {**rows, ONE_ORDER: self._order()}

    async def _go_back(self, rows: Mapping[Key, Values]) -> None:
        for (table, plugin_id), row in rows.items():
            if table == PLUGIN:
                await self._make_run(plugin_id, row)

    async def stop(self, plugin_id: str) -> None:
        """Stop it on all nodes."""
        async with self._change(plugin_id):
            plugin = self._plugins.get(plugin_id)
            row = await self._row(plugin, enable=False, runs=False)
            await self._tell({(PLUGIN, plugin_id): row})
            await self._plugins.stop(plugin_id)

    async def restart(self, plugin_id: str) -> None:
        """Load its code anew, on this node."""
        async with self._change(plugin_id):
            await self._plugins.restart(plugin_id)
            await self._tell({(PLUGIN, plugin_id): await self._row(self._plugins.get(plugin_id))})

    async def set_enabled(self, plugin_id: str, *, enable: bool) -> None:
        """Whether it starts with the nodes."""
        async with self._change(plugin_id):
            row = await self._row(self._plugins.get(plugin_id), enable=enable)
            await self._tell({(PLUGIN, plugin_id): row})
            await self._plugins.set_enabled(plugin_id, enable=enable)

    async def move(self, plugin_id: str, position: str) -> None:
        """Change the order on all nodes."""
        async with self._change(plugin_id):
            before = [plugin.id for plugin in self._plugins.all()]
            await self._plugins.move(plugin_id, position)
            try:
                await self._tell({ONE_ORDER: self._order()})
            except RookeryError:
                await self._make_order(before)
                raise

    async def configure(self, plugin_id: str, settings: Any) -> None:
        """Settings that the plugin takes here, for all nodes."""
        async with self._change(plugin_id):
            plugin = self._plugins.get(plugin_id)
            before, name = plugin.settings, plugin.manifest.name
            await self._plugins.configure(plugin_id, settings)
            try:
                await self._tell({(SETTINGS, name): {"settings": dict(plugin.settings)}})
            except RookeryError:
                await self._plugins.configure(plugin_id, dict(before))
                raise

    async def configure_run(self, plugin_id: str, run: Any) -> None:
        """How it is run on all nodes."""
        async with self._change(plugin_id):
            plugin = self._plugins.get(plugin_id)
            name = plugin.manifest.name
            if self.replica.is_open and isinstance(run, dict):
                whole = {**await asyncio.to_thread(self._store.read_run, name), **run}
                running(whole, plugin.manifest.run)  # refuses what nobody can run
                await self._tell({(RUN, name): {"run": whole}})
            await self._plugins.configure_run(plugin_id, run)

    def _order(self) -> Values:
        return {"ids": [plugin.id for plugin in self._plugins.all()]}

    # -- what others changed ---------------------------------------------------------------

    async def _make_equal(self) -> None:
        """Make everything so that is wanted, as far as it goes; who calls holds the lock."""
        if not self.replica.is_open:
            self._is_behind = False
            return
        wanted = dict(self.replica.wanted)
        failing: dict[str, str] = {}
        for plugin_id in sorted(self.replica.gone):
            await self._try(failing, plugin_id, self._take_out(plugin_id))
        plugins = {key[1]: row for key, row in wanted.items() if key[0] == PLUGIN}
        for plugin_id, row in plugins.items():
            await self._try(failing, plugin_id, self._have(plugin_id, str(row["digest"])))
        for (table, name), row in wanted.items():
            if table in (SETTINGS, RUN):
                await self._make_set(failing, table, name, row)
        # First those that start: a version that takes the place of another ends that one by itself.
        for plugin_id, row in sorted(plugins.items(), key=lambda item: not item[1]["runs"]):
            if plugin_id not in failing:
                await self._try(failing, plugin_id, self._make_run(plugin_id, row))
        if ONE_ORDER in wanted:
            await self._try(failing, ORDER, self._make_order(wanted[ONE_ORDER]["ids"]))
        self._tell_failing(failing)
        # What changed meanwhile woke the task again.
        self._is_behind = bool(failing) or self._woken.is_set()

    async def _try(self, failing: dict[str, str], plugin_id: str, work: Any) -> None:
        try:
            await work
        except (RookeryError, OSError) as error:
            failing[plugin_id] = str(error)

    def _tell_failing(self, failing: dict[str, str]) -> None:
        for plugin_id, why in failing.items():
            if self._failing.get(plugin_id) == why:
                continue
            name, said = (
                f"{ALARM}/{plugin_id}",
                message(ALARM, plugin=plugin_id, error=Words(why, why)),
            )
            if not self._alarms.activate(name, said):
                self._alarms.restate(name, said, {})
        for plugin_id in self._failing.keys() - failing.keys():
            self._alarms.deactivate(f"{ALARM}/{plugin_id}")
        self._failing = failing

    async def _take_out(self, plugin_id: str) -> None:
        if any(plugin.id == plugin_id for plugin in self._plugins.all()):
            _log.warning("plugin %s was uninstalled on another node", plugin_id)
            await self._remove(plugin_id)
        else:
            await self.replica.is_gone(plugin_id)

    async def _have(self, plugin_id: str, digest: str) -> None:
        known = {plugin.id for plugin in self._plugins.all()}
        if plugin_id in known and await self._archives.digest(plugin_id) == digest:
            return
        content = await self._archives.fetch(plugin_id, digest)
        if plugin_id in known:
            await self._remove(plugin_id)
        # Allowed where it was uploaded; here it comes from a node of the cluster.
        await self._plugins.install(content, is_local=True)
        _log.warning("plugin %s was installed as on the other nodes", plugin_id)

    async def _make_set(self, failing: dict[str, str], table: str, name: str, row: Values) -> None:
        for plugin in self._plugins.all():
            if plugin.manifest.name != name or plugin.id in failing:
                continue
            if table == SETTINGS and plugin.schema is not None:
                known = plugin.schema.get("properties", {})
                fit = {key: value for key, value in row["settings"].items() if key in known}
                if fit != dict(plugin.settings):
                    await self._try(failing, plugin.id, self._plugins.configure(plugin.id, fit))
            elif table == RUN and running(row["run"], plugin.manifest.run) != plugin.run:
                await self._try(
                    failing, plugin.id, self._plugins.configure_run(plugin.id, row["run"])
                )

    async def _make_run(self, plugin_id: str, row: Values) -> None:
        plugin = self._plugins.get(plugin_id)
        runs, enable = bool(row["runs"]), bool(row["enable"])
        if runs and not self._plugins.is_started(plugin_id):
            await self._plugins.start(plugin_id, enable=enable)
        elif not runs and self._plugins.is_started(plugin_id):
            await self._plugins.stop(plugin_id, disable=not enable)
        if plugin.enable != enable:
            await self._plugins.set_enabled(plugin_id, enable=enable)

    async def _make_order(self, ids: list[str]) -> None:
        here = [plugin.id for plugin in self._plugins.all()]
        wanted = [plugin_id for plugin_id in ids if plugin_id in here]
        if wanted == [plugin_id for plugin_id in here if plugin_id in wanted]:
            return
        for plugin_id in wanted:
            await self._plugins.move(plugin_id, "rear")
