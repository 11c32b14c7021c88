"""Installs, orders, configures and runs the plugins of a node.

A plugin is code that runs with the rights of the node's user. So an archive is installed only when
somebody on the machine has allowed exactly this name and version (``rookery ctl plugins allow``), as
in EMQX 5.8.6; ``plugins.install_requires_allow = false`` leaves that to whoever is an
administrator of the REST interface.

One change is made at a time. What is changed survives the node; a plugin that was enabled starts
with it.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, Protocol

from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.audit import changed
from rookery.broker.plugins import environment
from rookery.broker.plugins.models import Installed, Policy, Report
from rookery.broker.plugins.process import WorkerError, WorkerProcess
from rookery.broker.plugins.publishing import (
    HOOKPOINT,
    Asked,
    Outcome,
    ask_all,
    check_size,
    largest_message,
)
from rookery.broker.plugins.routing import Routing
from rookery.broker.plugins.store import ALLOWED_MAX, PluginStore, State
from rookery.broker.plugins.supervisor import Launch, Supervisor
from rookery.clock import Clock
from rookery.config import Config, destinations
from rookery.config.destinations import said_in
from rookery.config.problems import InvalidConfigError
from rookery.ending import ended
from rookery.errors import (
    BadRequestError,
    ConflictError,
    ExceedsLimitError,
    NotAllowedError,
    NotFoundError,
    RookeryError,
)
from rookery.native.node import Publication
from rookery.plugins import archive
from rookery.plugins.manifest import NAME, VERSION, running
from rookery.plugins.settings import complete, hidden, missing, unhidden

_log = logging.getLogger("rookery.plugins")

INSTALLED_MAX = 100
CRASH_ALARM = "plugin_crash"


class AlreadyInstalledError(ConflictError):
    """The very version is installed; uninstall it first."""

    code = "ALREADY_INSTALLED"


class PluginInfoError(BadRequestError):
    """The archive is no plugin."""

    code = "BAD_PLUGIN_INFO"


class Publisher(Protocol):
    """Publishes for the node itself."""

    def publish_many(self, publications: list[Publication]) -> None: ...


class PluginService:
    """The plugins of one node; lives on its event loop."""

    def __init__(
        self,
        store: PluginStore,
        routing: Routing,
        alarms: AlarmRegistry,
        publisher: Publisher,
        *,
        node_name: str,
        clock: Clock,
        config: Callable[[], Config],
    ) -> None:
        """``config`` gives the configuration that holds."""
        self._store = store
        self._routing = routing
        self._alarms = alarms
        self._publisher = publisher
        self._node_name = node_name
        self._clock = clock
        self._config = config
        self._plugins: dict[str, Installed] = {}  # in order
        self._running: dict[str, Supervisor] = {}
        self._reports: dict[str, Report] = {}
        self._state = State()
        self._changing = asyncio.Lock()
        self._starting: set[asyncio.Task[None]] = set()
        self._made = 0
        self.counters = {"plugins.restarts": 0, "plugins.published": 0}

    # -- life ------------------------------------------------------------------------------

    async def open(self) -> None:
        """Read what is installed and start what is enabled; a plugin that fails is tried again."""
        if not await asyncio.to_thread(self._store.exists):
            return
        self._alarms.on_change(self._tell_alarms)
        self._state = await asyncio.to_thread(self._store.read_state)
        for plugin_id, enable, hookpoints in self._state.order:
            try:
                plugin = await asyncio.to_thread(self._read, plugin_id)
            except (OSError, ValueError, RookeryError) as error:
                _log.error("plugin %s cannot be read: %s", plugin_id, error)
                self._alarm(plugin_id, str(error), "plugin_unreadable")
                continue
            plugin.enable, plugin.hookpoints = enable, hookpoints
            self._plugins[plugin_id] = plugin
        enabled = [plugin for plugin in self._plugins.values() if plugin.enable]
        # All of them before one is loaded: what they decide is decided by nobody else meanwhile.
        await asyncio.to_thread(self._hold, enabled)
        for plugin in enabled:
            await self._start_later(plugin)

    def _hold(self, plugins: Sequence[Installed]) -> None:
        for plugin in plugins:
            self._routing.know(plugin.number, plugin.hookpoints)
        self._routing.set_plugins(plugins)
        for plugin in plugins:
            self._routing.hold(plugin.number)

    async def close(self) -> None:
        """Stop every plugin. May be called twice."""
        starting = list(self._starting)
        await ended("starting plugins", *starting)
        supervisors, self._running = dict(self._running), {}
        await asyncio.gather(*(supervisor.stop() for supervisor in supervisors.values()))
        await asyncio.to_thread(self._routing.close)

    # -- what there is -----------------------------------------------------------------------

    def all(self) -> list[Installed]:
        """Every plugin that is installed, in the order in which they are asked."""
        return list(self._plugins.values())

    def get(self, plugin_id: str) -> Installed:
        """One of them.

        Raises:
            NotFoundError: there is none.
        """
        plugin = self._plugins.get(plugin_id)
        if plugin is None:
            raise NotFoundError(f"no plugin {plugin_id!r} is installed")
        return plugin

    def is_started(self, plugin_id: str) -> bool:
        """Whether it runs or is tried again and again."""
        return plugin_id in self._running

    def report(self, plugin_id: str) -> Report:
        """How it is doing."""
        return self._reports.get(plugin_id, Report())

    def workers(self, plugin_id: str) -> list[dict[str, Any]]:
        """What its processes were asked and told, by the core and by the node."""
        rows = self._routing.workers(self.get(plugin_id).number)
        supervisor = self._running.get(plugin_id)
        if supervisor is None:
            return rows
        return [_with_figures(row, asdict(supervisor.figures(row["worker"]))) for row in rows]

    def allowed(self) -> list[str]:
        """What may be installed."""
        return list(self._state.allowed)

    def config(self, plugin_id: str) -> dict[str, Any]:
        """Its settings with the defaults; secrets are hidden."""
        plugin = self.get(plugin_id)
        return hidden(plugin.schema or {}, plugin.settings)

    async def on_publish(self, publications: Sequence[Publication]) -> list[Outcome]:
        """What the plugins make of messages that were given to the node itself, in their order."""
        plugins = [
            Asked(plugin, partial(self._worker_of, plugin.manifest.name), self._settled)
            for plugin in self._plugins.values()
            if HOOKPOINT in self._hookpoints_of(plugin)
        ]
        return await ask_all(publications, plugins, self._clock, largest_message(self._config()))

    def _hookpoints_of(self, plugin: Installed) -> tuple[str, ...]:
        """Those that are called at the moment; of one that is being started those it had."""
        supervisor = self._running.get(plugin.id)
        return () if supervisor is None else supervisor.report.hookpoints or plugin.hookpoints

    def _worker_of(self, name: str, client_id: str) -> WorkerProcess | None:
        """By the name without the version: another one may have taken its place meanwhile."""
        for plugin_id, supervisor in self._running.items():
            if self._plugins[plugin_id].manifest.name == name:
                return supervisor.worker_for(client_id)
        return None

    async def _settled(self) -> None:
        async with self._changing:
            return

    # -- installing --------------------------------------------------------------------------

    async def allow(self, plugin_id: str) -> None:
        """Let this name and version be installed."""
        name, _, version = plugin_id.partition("-")
        if not NAME.fullmatch(name) or not VERSION.fullmatch(version):
            raise BadRequestError(f"{plugin_id!r} is no NAME-VERSION")
        async with self._changing:
            if plugin_id in self._state.allowed:
                return
            if len(self._state.allowed) >= ALLOWED_MAX:
                raise ExceedsLimitError(f"{ALLOWED_MAX} are allowed already: disallow some")
            self._state.allowed.append(plugin_id)
            await self._save()

    async def disallow(self, plugin_id: str) -> None:
        """Take that back; what is installed stays."""
        async with self._changing:
            if plugin_id not in self._state.allowed:
                raise NotFoundError(f"{plugin_id!r} is not allowed")
            self._state.allowed.remove(plugin_id)
            await self._save()

    async def install(self, content: bytes, *, is_local: bool) -> Installed:
        """Install an archive and make its environment; it is not started.

        Args:
            content: The archive.
            is_local: Whether whoever asks may run code on this machine anyhow.

        Raises:
            PluginInfoError: it is no archive of a plugin.
            NotAllowedError: nobody has allowed it.
            AlreadyInstalledError: it is there.
            EnvironmentBuildError: a package it needs cannot be had.
        """
        try:
            # Before it is allowed nothing of it costs more than its first entry.
            self._check_allowed(archive.read_id(content), is_local=is_local)
            manifest = await asyncio.to_thread(archive.read_manifest, content)
        except BadRequestError as error:
            raise PluginInfoError(error.message, message_zh=error.message_zh) from error
        plugin_id = manifest.id
        async with self._changing:
            if plugin_id in self._plugins:
                raise AlreadyInstalledError(f"{plugin_id} is installed")
            self._check_allowed(plugin_id, is_local=is_local)
            if len(self._plugins) >= INSTALLED_MAX:
                raise ExceedsLimitError(f"at most {INSTALLED_MAX} plugins")
            await asyncio.to_thread(self._store.install, content)
            try:
                await self._make_environment(plugin_id, manifest.requires)
                plugin = await asyncio.to_thread(self._read, plugin_id)
            except BaseException:
                is_last = not self._others(manifest.name, plugin_id)
                await asyncio.to_thread(
                    self._store.remove, plugin_id, manifest.name, is_last=is_last
                )
                raise
            if not self._plugins:
                self._alarms.on_change(self._tell_alarms)
            self._plugins[plugin_id] = plugin
            self._reports[plugin_id] = Report()
            with contextlib.suppress(ValueError):
                self._state.allowed.remove(plugin_id)
            await self._save()
        changed(f"plugins/{plugin_id}", after=self._shown(plugin))
        return plugin

    def _check_allowed(self, plugin_id: str, *, is_local: bool) -> None:
        needs_word = self._settings()["install_requires_allow"] and not is_local
        if needs_word and plugin_id not in self._state.allowed:
            raise NotAllowedError(
                f"a plugin is code: whoever may log in to the machine allows it first, with "
                f"`rookery ctl plugins allow {plugin_id}`"
            )

    async def uninstall(self, plugin_id: str) -> None:
        """Stop it and remove it; the last version takes settings and data with it."""
        async with self._changing:
            plugin = self.get(plugin_id)
            before = self._shown(plugin)
            await self._stop(plugin_id)
            del self._plugins[plugin_id]
            self._reports.pop(plugin_id, None)
            is_last = not self._others(plugin.manifest.name, plugin_id)
            await self._save()
            await asyncio.to_thread(
                self._store.remove, plugin_id, plugin.manifest.name, is_last=is_last
            )
        changed(f"plugins/{plugin_id}", before=before)

    # -- running -----------------------------------------------------------------------------

    async def start(self, plugin_id: str, *, enable: bool = True) -> None:
        """Start it, and with the node from now on. It takes the place of a version that runs.

        Raises:
            BadRequestError: it lacks settings; a version that runs goes on.
            WorkerError: it cannot start; it is not enabled then. One that took the place of another
                is, and is tried again: nothing it is to decide about goes unasked.
        """
        async with self._change(plugin_id) as plugin:
            others = self._others(plugin.manifest.name, plugin_id)
            before = next((other for other in others if other in self._running), None)
            if before is not None and plugin_id not in self._running:
                await self._take_over(self._plugins[before], plugin)
            elif plugin_id not in self._running or self.report(plugin_id).status == "crashed":
                await self._stop(plugin_id)
                await self._start(plugin)
            plugin.enable = plugin.enable or enable
            await self._save()

    async def stop(self, plugin_id: str, *, disable: bool = True) -> None:
        """Stop it, and do not start it with the node any more."""
        async with self._change(plugin_id) as plugin:
            await self._stop(plugin_id)
            if disable and plugin.enable:
                plugin.enable = False
                await self._save()

    async def restart(self, plugin_id: str) -> None:
        """Load its code anew: the old processes have ended before the new ones begin.

        What it would be asked meanwhile waits for the new ones, no longer than its deadline.
        """
        async with self._change(plugin_id) as plugin:
            await self._restart(plugin)
            await self._save()

    async def set_enabled(self, plugin_id: str, *, enable: bool) -> None:
        """Whether it starts with the node; whether it runs now stays as it is."""
        async with self._change(plugin_id) as plugin:
            plugin.enable = enable
            await self._save()

    async def move(self, plugin_id: str, position: str) -> None:
        """``front``, ``rear``, ``before:ID`` or ``after:ID``."""
        async with self._changing:
            plugin = self.get(plugin_id)
            order = [other for other in self._plugins if other != plugin_id]
            where, _, other = position.partition(":")
            if other and other not in order:
                raise BadRequestError(f"there is no other plugin {other!r}", code="MOVE_FAILED")
            places = {"front": 0, "rear": len(order)}
            if other:
                places = {"before": order.index(other), "after": order.index(other) + 1}
            if where not in places:
                raise BadRequestError(
                    "position is front, rear, before:NAME or after:NAME", code="MOVE_FAILED"
                )
            order.insert(places[where], plugin_id)
            before, plugins = list(self._plugins), {**self._plugins, plugin_id: plugin}
            self._plugins = {key: plugins[key] for key in order}
            await self._save()
            await self._apply_order()
        changed("plugins", before=before, after=order)

    # -- settings ----------------------------------------------------------------------------

    async def configure(self, plugin_id: str, settings: Any) -> None:
        """Check settings, give them to the plugin if it runs, keep them.

        Raises:
            BadRequestError: they do not fit its schema, or the plugin refuses them; those before
                hold.
        """
        async with self._changing:
            plugin = self.get(plugin_id)
            if plugin.schema is None:
                raise BadRequestError(f"{plugin_id} has no settings", code="BAD_CONFIG")
            try:
                if not isinstance(settings, dict):
                    raise BadRequestError("settings are a JSON object")
                whole = self._whole(plugin, plugin.schema, settings)
                if lacking := missing(plugin.schema, whole):
                    raise BadRequestError(f"{', '.join(lacking)} is required")
                supervisor = self._running.get(plugin_id)
                if supervisor is not None:
                    await self._hand_over(supervisor, plugin, whole)
            except (BadRequestError, WorkerError) as error:
                raise BadRequestError(
                    error.message, code="BAD_CONFIG", message_zh=error.message_zh
                ) from error
            before, plugin.settings = hidden(plugin.schema, plugin.settings), whole
            await asyncio.to_thread(self._store.write_settings, plugin.manifest.name, whole)
        after = hidden(plugin.schema, whole)
        changed(f"plugins/{plugin_id}/config", before=before, after=after)

    def _whole(
        self, plugin: Installed, schema: Mapping[str, Any], asked: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What was asked with its defaults, and with the secrets that it sends back hidden."""
        whole = complete(schema, unhidden(schema, asked, plugin.settings))
        old, new = hidden(schema, plugin.settings), hidden(schema, whole)
        if found := list(destinations.of_tree(old, new, partial(said_in, asked))):
            raise InvalidConfigError(found)
        return whole

    async def _hand_over(
        self, supervisor: Supervisor, plugin: Installed, settings: Mapping[str, Any]
    ) -> None:
        try:
            await supervisor.take_settings(settings)
        except WorkerError:
            # Workers before the one that refused go back.
            with contextlib.suppress(WorkerError):
                await supervisor.take_settings(plugin.settings)
            raise

    async def configure_run(self, plugin_id: str, run: Any) -> None:
        """Say how it is to be run (:class:`~rookery.plugins.manifest.Running`); it is restarted."""
        async with self._changing:
            plugin = self.get(plugin_id)
            known = await asyncio.to_thread(self._store.read_run, plugin.manifest.name)
            if not isinstance(run, dict):
                raise BadRequestError("run is a JSON object")
            after = {**known, **run}
            before, plugin.run = plugin.run, running(after, plugin.manifest.run)
            await asyncio.to_thread(self._store.write_run, plugin.manifest.name, after)
            changed(f"plugins/{plugin_id}/run", before=asdict(before), after=asdict(plugin.run))
            if plugin_id in self._running:
                await self._restart(plugin)

    # -- inside ------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _change(self, plugin_id: str) -> AsyncIterator[Installed]:
        """One change at a time; how the plugin was before and after it goes to the audit log."""
        async with self._changing:
            plugin = self.get(plugin_id)
            before = self._shown(plugin)
            try:
                yield plugin
            finally:
                changed(f"plugins/{plugin_id}", before=before, after=self._shown(plugin))

    def _shown(self, plugin: Installed) -> dict[str, Any]:
        return {"enable": plugin.enable, "status": self.report(plugin.id).status}

    def _read(self, plugin_id: str) -> Installed:
        manifest, schema, readme = self._store.read_installed(plugin_id)
        settings = self._store.read_settings(manifest.name)
        if schema is not None:
            known = schema.get("properties", {})
            # Settings of an earlier version: what this one does not know is left out.
            kept = {name: value for name, value in settings.items() if name in known}
            settings = complete(schema, kept)
        self._made += 1
        return Installed(
            manifest,
            schema,
            readme,
            number=self._made,
            settings=settings,
            run=running(self._store.read_run(manifest.name), manifest.run),
        )

    def _others(self, name: str, plugin_id: str) -> list[str]:
        return [
            other
            for other, plugin in self._plugins.items()
            if plugin.manifest.name == name and other != plugin_id
        ]

    async def _make_environment(self, plugin_id: str, requires: tuple[str, ...]) -> None:
        wheels = self._store.folder_of(plugin_id) / archive.WHEELS
        has_wheels = await asyncio.to_thread(wheels.is_dir)
        await environment.make(
            self._store.environment_of(plugin_id), requires, wheels if has_wheels else None
        )

    async def _save(self) -> None:
        order = [
            (plugin_id, plugin.enable, plugin.hookpoints)
            for plugin_id, plugin in self._plugins.items()
        ]
        self._state.order = order
        await asyncio.to_thread(self._store.write_state, self._state)

    async def _start_later(self, plugin: Installed) -> None:
        """Start it while the node goes on; one that fails is tried again and again."""
        supervisor = await self._supervise(plugin)

        async def start() -> None:
            with contextlib.suppress(WorkerError):  # the report says it, and so does an alarm
                await supervisor.start(keeps_trying=True)

        task = asyncio.ensure_future(start())
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start(
        self, plugin: Installed, *, keeps_trying: bool = False, replaces: str | None = None
    ) -> None:
        _check_configured(plugin)
        supervisor = await self._supervise(plugin, replaces)
        try:
            await supervisor.start(keeps_trying=keeps_trying)
        except BaseException as error:
            if not keeps_trying:
                del self._running[plugin.id]
                await self._apply_order()
                message = error.message if isinstance(error, WorkerError) else "it was given up"
                self._reports[plugin.id] = Report("crashed", error=message)
                self._alarm(plugin.id, message)
            raise
        plugin.hookpoints = supervisor.report.hookpoints

    async def _supervise(self, plugin: Installed, replaces: str | None = None) -> Supervisor:
        launch = await asyncio.to_thread(self._launch, plugin)
        supervisor = Supervisor(
            plugin,
            launch,
            self._routing.bridge,
            self._policy(),
            told=lambda said: self._told(plugin, said),
            hooks_known=lambda hooks: self._routing.set_hooks(plugin.number, hooks),
            changed=lambda report: self._changed(plugin, report),
        )
        if replaces is not None:
            del self._running[replaces]
        self._running[plugin.id] = supervisor
        await self._apply_order()
        return supervisor

    async def _take_over(self, before: Installed, plugin: Installed) -> None:
        """Put a version in the place of the one that runs, whose processes have ended then.

        What would be asked meanwhile waits for the new ones, no longer than its deadline.
        """
        # What was set since it was installed holds for it as well.
        found = await asyncio.to_thread(self._read, plugin.id)
        plugin.settings, plugin.run = found.settings, found.run
        _check_configured(plugin)
        shown, supervisor = self._shown(before), self._running[before.id]
        await supervisor.stop(holds=True)
        # By the same number: for the core it is the plugin that it holds questions for.
        spare, plugin.number = plugin.number, before.number
        plugin.hookpoints = self._hookpoints_of(before)
        plugin.enable, before.enable = True, False
        order = [other for other in self._plugins if other != plugin.id]
        order.insert(order.index(before.id), plugin.id)
        self._plugins = {key: self._plugins[key] for key in order}
        self._reports[before.id] = Report()
        self._alarms.deactivate(f"{CRASH_ALARM}/{before.id}")
        await self._save()
        try:
            await self._start(plugin, keeps_trying=True, replaces=before.id)
        except WorkerError as error:
            raise _went_wrong(before.id, plugin.id, error) from error
        finally:
            before.number = spare
            changed(f"plugins/{before.id}", before=shown, after=self._shown(before))

    async def _restart(self, plugin: Installed) -> None:
        supervisor = self._running.get(plugin.id)
        if supervisor is None:
            await self._start(plugin)
            return
        await supervisor.stop(holds=True)
        # It decides something: while its new code fails, what is configured for that holds.
        await self._start(plugin, keeps_trying=True)

    async def _stop(self, plugin_id: str) -> None:
        supervisor = self._running.pop(plugin_id, None)
        if supervisor is not None:
            # Nothing is asked of it any more before its processes end: no question fails.
            await self._apply_order(leaving=plugin_id)
            await supervisor.stop()
            await self._apply_order()
        self._reports[plugin_id] = Report()
        self._alarms.deactivate(f"{CRASH_ALARM}/{plugin_id}")

    async def _apply_order(self, leaving: str | None = None) -> None:
        known = [
            plugin
            for plugin_id, plugin in self._plugins.items()
            if plugin_id in self._running or plugin_id == leaving
        ]
        quiet = None if leaving is None else self._plugins[leaving].number
        await asyncio.to_thread(self._routing.set_plugins, known, quiet)

    def _launch(self, plugin: Installed) -> Launch:
        python = environment.python_of(self._store.environment_of(plugin.id))
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
        variables = {name: os.environ[name] for name in kept if name in os.environ}
        return Launch(
            (str(python), "-P", "-X", "utf8", "-m", "rookery.plugins.worker"),
            {
                **variables,
                "PYTHONPATH": str(self._store.import_path),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONUNBUFFERED": "1",
            },
            {
                "name": plugin.manifest.name,
                "version": plugin.manifest.rel_vsn,
                "entry": plugin.manifest.entry,
                "node": self._node_name,
                "path": [str(self._store.folder_of(plugin.id) / archive.PACKAGE)],
                "data_dir": str(self._store.data_of(plugin.manifest.name)),
                "settings": dict(plugin.settings),
                "failure": dict(plugin.run.failure),
                "deadline_ms": round(plugin.run.deadline_s * 1000),
            },
        )

    def _settings(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._config()["plugins"]
        return found

    def _policy(self) -> Policy:
        settings = self._settings()
        return Policy(
            start_timeout_s=settings["start_timeout"] / 1000,
            heartbeat_s=settings["heartbeat_interval"] / 1000,
            heartbeat_timeout_s=settings["heartbeat_timeout"] / 1000,
            backoff_s=settings["restart_backoff"] / 1000,
            backoff_max_s=settings["restart_backoff_max"] / 1000,
            failures_max=settings["restart_max"],
            stable_s=settings["stable_time"] / 1000,
            stop_timeout_s=settings["stop_timeout"] / 1000,
        )

    # -- what processes say --------------------------------------------------------------------

    def _changed(self, plugin: Installed, report: Report) -> None:
        before = self._reports.get(plugin.id, Report())
        self.counters["plugins.restarts"] += max(0, report.restarts - before.restarts)
        self._reports[plugin.id] = report
        if report.status in ("restarting", "crashed"):
            self._alarm(plugin.id, report.error, failures=report.failures)
        elif report.status == "running" and not report.error:
            self._alarms.deactivate(f"{CRASH_ALARM}/{plugin.id}")

    def _alarm(
        self, plugin_id: str, error: str, key: str = "plugin_crashed", *, failures: int = 1
    ) -> None:
        """Say what happened last, and how often something did since the plugin was started."""
        name = f"{CRASH_ALARM}/{plugin_id}"
        if failures > 1:
            said = message("plugin_crashed_again", plugin=plugin_id, error=error, times=failures)
        else:
            said = message(key, plugin=plugin_id, error=error)
        details = {"plugin": plugin_id, "failures": failures}
        if not self._alarms.activate(name, said, details):
            self._alarms.restate(name, said, details)

    def _told(self, plugin: Installed, said: Mapping[str, Any]) -> None:
        if said.get("op") != "publish":
            return
        try:
            publication = Publication(
                str(said["topic"]),
                base64.b64decode(said["payload"], validate=True),
                int(said["qos"]),
                bool(said["retain"]),
                b"",
                None,
                plugin.manifest.name,
            )
            check_size(publication, largest_message(self._config()))
            self._publisher.publish_many([publication])
            self.counters["plugins.published"] += 1
        except (KeyError, TypeError, ValueError, binascii.Error, RookeryError) as error:
            _log.warning("plugin %s: its message was not published: %s", plugin.id, error)

    def _tell_alarms(self) -> None:
        """Tell plugins which alarms began and which are over."""
        self._routing.tell_alarms(
            {alarm.name: alarm for alarm in self._alarms.active()}, self._alarms.history()
        )


def _check_configured(plugin: Installed) -> None:
    if plugin.schema and (lacking := missing(plugin.schema, plugin.settings)):
        text = f"{plugin.id} has to be configured first: {', '.join(lacking)}"
        raise BadRequestError(text, code="BAD_CONFIG")


def _went_wrong(before: str, plugin_id: str, error: WorkerError) -> WorkerError:
    back = f"rookery ctl plugins start {before}"
    return WorkerError(
        f"{plugin_id} took the place of {before} and fails: {error.message}. It is tried again; what "
        f"its `failure` says answers meanwhile. `{back}` goes back",
        message_zh=f"{plugin_id} 已取代 {before}，但启动失败：{error.message}。节点会继续尝试，期间按其 "
        f"`failure` 回答；执行 `{back}` 可退回",
    )


def _with_figures(row: dict[str, Any], more: Mapping[str, int]) -> dict[str, Any]:
    return row | {name: row[name] + count for name, count in more.items()}


def described(
    plugin: Installed, report: Report, statuses: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """A plugin in EMQX's shape, with what is known here besides; ``statuses`` are by node."""
    manifest = plugin.manifest
    return {
        "name": plugin.id,
        "rel_vsn": manifest.rel_vsn,
        "rel_apps": [plugin.id],
        "description": manifest.description,
        "author": list(manifest.author),
        "metadata_vsn": "1.0",
        "running_status": [
            {"node": node, "status": "running" if of.get(plugin.id) == "running" else "stopped"}
            for node, of in statuses.items()
        ],
        "status": report.status,
        "error": report.error,
        "restarts": report.restarts,
        "enable": plugin.enable,
        "hookpoints": list(report.hookpoints or manifest.hookpoints),
        "run": json.loads(json.dumps(asdict(plugin.run))),
        "has_settings": plugin.schema is not None,
        "readme": plugin.readme,
    }
