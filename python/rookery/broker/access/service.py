"""Keeps the core's access control equal to configuration, rule files and bans.

Rules, settings and bans go down as one complete list. A file of rules is read again when it changes;
one that cannot be used is logged, raises an alarm and changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from rookery.access.authz import RuleStore
from rookery.access.database_replica import DatabaseReplica
from rookery.access.errors import AccessError
from rookery.access.health import Health
from rookery.broker.access.explain import explain
from rookery.broker.access.status import health_of, provider_metrics, source_metrics, status_of
from rookery.broker.access.unchangeable import UnchangeableAlarm
from rookery.broker.alarms import AlarmRegistry, message
from rookery.broker.audit import AuditLog
from rookery.clock import Clock
from rookery.config import Config
from rookery.config.snapshot import AccessConfig
from rookery.ending import ended
from rookery.engine.access import ConfiguredAccess
from rookery.engine.rules import compile_sources
from rookery.errors import NotFoundError, RookeryError
from rookery.file_watch import FileWatch
from rookery.native.config import AclRule, AclSource, Ban, BrokerConfig
from rookery.native.node import Node
from rookery.native.rows import AclSubject, EventRow

_log = logging.getLogger("rookery.access")

RULES_ALARM = "acl_file_rejected"
_COUNTED_BY_CORE = ("authentication.success", "authentication.failure")
SERVICE_ALARM = "access_service_unreachable"

Adapt = Callable[[BrokerConfig], BrokerConfig]


class AccessService:
    """Is the part of the node that applies everything but listeners to the core."""

    def __init__(
        self,
        native: Node,
        alarms: AlarmRegistry,
        audit: AuditLog,
        clock: Clock,
        *,
        node_name: str,
        data_dir: Path,
        adapt: Adapt,
        bans: Sequence[Ban],
        built_in: Sequence[AclRule],
        sources: Sequence[AclSource],
    ) -> None:
        """``adapt`` is what the node changes in every configuration.

        ``bans``, ``built_in`` rules and ``sources`` are those that the core was started with.
        """
        self._unchangeable = UnchangeableAlarm(alarms)
        self.access = ConfiguredAccess(
            native.check_acl,
            clock,
            data_dir,
            apply_bans=self._apply_bans,
            rules_of=self._rules_of,
            on_open=self._unchangeable.watch,
        )
        self._node_name = node_name
        self._native = native
        self._alarms = alarms
        self._audit = audit
        self._clock = clock
        self._adapt = adapt
        self._bans: tuple[Ban, ...] = tuple(bans)
        self._built_in: tuple[AclRule, ...] = tuple(built_in)
        self._config: Config
        self._sources: tuple[AclSource, ...] = tuple(sources)
        self._watch = FileWatch(self._files_changed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._watched: frozenset[str] = frozenset()
        # Rules and settings go down whole: of two changes at once the second would undo the first.
        self._changing = asyncio.Lock()
        # Bans come from the thread that writes them, and are part of what goes down with settings.
        self._applying = threading.Lock()

    async def open(self, config: Config) -> None:
        """Begin on the running loop. What the core was started with holds already.

        Raises:
            AccessError: a provider or source cannot work with its settings.
        """
        self._config = config
        await self.access.use(config.management.access)
        self._watch_files()
        if self._sources:
            # A file may have changed since the core was started.
            self._files_changed()
        self._watch_services()

    async def close(self) -> None:
        """Ask nobody any more. May be called twice."""
        self._watch.close()
        await ended("access control", *self._tasks)
        await self._unchangeable.close()
        await self.access.close()

    # -- as a part of the node --------------------------------------------------------------

    async def apply(self, old: Config, new: Config) -> None:
        """Make rules, providers and everything else that is hot in the core hold.

        Raises:
            RookeryError: something of it cannot; nothing changed.
        """
        before, after = old.management.access, new.management.access
        is_other = _asking(before) != _asking(after)
        async with self._changing:
            sources = await self._compile(new)
            if is_other:
                await self.access.use(after)
                self._watch_services()
            try:
                await self._push(new, sources)
            except RookeryError:
                if is_other:
                    await self.access.use(before)
                    self._watch_services()
                raise
            self._watch_files()

    async def _push(self, config: Config, sources: tuple[AclSource, ...]) -> None:
        """Give the core all of it. The caller holds :attr:`_changing`."""
        await asyncio.to_thread(self._apply, config, sources)
        self._config, self._sources = config, sources
        self._alarms.deactivate(RULES_ALARM)

    def _apply(self, config: Config, sources: tuple[AclSource, ...]) -> None:
        with self._applying:
            self._native.apply_config(self._broker_config(config, sources))

    def _broker_config(self, config: Config, sources: tuple[AclSource, ...]) -> BrokerConfig:
        broker = config.to_native().broker
        authorization = replace(broker.authorization, sources=sources)
        return self._adapt(replace(broker, authorization=authorization, bans=self._bans))

    def _apply_bans(self, bans: Sequence[Ban]) -> None:
        with self._applying:
            self._native.apply_bans(bans)
            self._bans = tuple(bans)

    # -- rules ------------------------------------------------------------------------------

    async def _compile(self, config: Config) -> tuple[AclSource, ...]:
        settings = config.management.access.sources
        return await asyncio.to_thread(compile_sources, settings, self._built_in)

    def _rules_of(self, name: str) -> Sequence[AclRule]:
        return next((item.rules for item in self._sources if item.name == name), ())

    async def change_rules(
        self,
        operation: str,
        target: str,
        change: Callable[[RuleStore], Awaitable[object]],
        *,
        before: object = None,
        after: object = None,
    ) -> None:
        """Change rules of the built-in database, and give the core all of them.

        ``before`` and ``after`` are for the audit log.

        Raises:
            RookeryError: the change makes no sense, or there is nothing to change.
        """
        async with self._changing:
            await change(self.access.stores.rules)
            self._built_in = (await self.access.stores.rules.source()).rules
            await self._push(self._config, await self._compile(self._config))
        self._audit.record(operation, target, before=before, after=after)

    def replica(self) -> DatabaseReplica:
        """Users, rules and bans, as all nodes of a cluster have them."""
        return self.access.stores.replica(self._changed_elsewhere)

    async def _changed_elsewhere(self, tables: frozenset[str]) -> None:
        if "bans" in tables:
            await self.access.stores.bans.tell()
        if "acl_rules" in tables:
            # Not waited for: a change of this node may hold the lock and wait for this one.
            self._spawn(self._take_rules())

    async def _take_rules(self) -> None:
        try:
            async with self._changing:
                self._built_in = (await self.access.stores.rules.source()).rules
                await self._push(self._config, await self._compile(self._config))
        except RookeryError:
            _log.exception("rules of another node were not applied")

    async def reload_rules(self) -> int:
        """Read files of rules again; how many rules hold then.

        Raises:
            AclSyntaxError: one cannot be used; what held goes on.
        """
        async with self._changing:
            sources = await self._compile(self._config)
            is_other = sources != self._sources
            if is_other:
                await self._push(self._config, sources)
        if is_other:
            self._audit.record("reload", "authorization/rules")
        self._alarms.deactivate(RULES_ALARM)
        return sum(len(source.rules) for source in sources)

    async def explain(self, asked: dict[str, Any], language: str = "en") -> dict[str, Any]:
        """Why an action is allowed or denied, with reasons in ``language``.

        Raises:
            BadRequestError: what is asked makes no sense.
        """
        settings = self._config.management.access.sources
        return await explain(
            asked, self._native, self.access.authorizer, settings, self._is_superuser, language
        )

    async def _is_superuser(self, subject: AclSubject) -> bool:
        """Whether the built-in users say so, where the chain asks them."""
        for item in self._config.management.access.authentication:
            if (item["mechanism"], item.get("backend")) != ("password_based", "built_in_database"):
                continue
            id_type = item["user_id_type"]
            name = subject.username if id_type == "username" else subject.client_id
            if not name:
                return False
            try:
                return (await self.access.stores.users.get(id_type, name)).is_superuser
            except NotFoundError:
                return False
        return False

    def _watch_files(self) -> None:
        self._watch.watch(
            Path(item["path"])
            for item in self._config.management.access.sources
            if item["type"] == "file" and item["path"] is not None
        )

    def _files_changed(self) -> None:
        self._spawn(self._read_changed_files())

    async def _read_changed_files(self) -> None:
        try:
            await self.reload_rules()
        except AccessError as error:
            _log.error("rules are kept as they were: %s", error)
            self._alarms.deactivate(RULES_ALARM)
            self._alarms.activate(RULES_ALARM, message("rules_unreadable", error=error.words))
        except RookeryError:
            _log.exception("rules were not applied")

    # -- what the core and services tell ------------------------------------------------------

    def watch(self, rows: list[EventRow]) -> None:
        """Take what the core tells about clients that come and go too often."""
        for row in rows:
            if row[0] == "flapping":
                self._spawn(self._ban_flapping(row[1], row[3]))

    async def _ban_flapping(self, client_id: str, peer: str) -> None:
        ban_ms = self._config.to_native().broker.flapping.ban_ms
        try:
            ban = await self.access.stores.bans.on_flapping(client_id, ban_ms=ban_ms, peer=peer)
        except RookeryError:
            _log.exception("client %s comes and goes too often and was not banned", client_id)
        else:
            _log.warning("client %s is banned for %d s: %s", client_id, ban_ms // 1000, ban.reason)

    def _watch_services(self) -> None:
        """Have an alarm for each service as long as it cannot be asked."""
        providers = {provider.id: provider for provider in self.access.chain.providers}
        parts: dict[str, Any] = {**providers, **self.access.authorizer.sources}
        found = {name: health for name, part in parts.items() if (health := health_of(part))}
        for name in self._watched - found.keys():
            self._alarms.deactivate(f"{SERVICE_ALARM}/{name}")
        self._watched = frozenset(found)
        for name, health in found.items():
            tell = partial(self._tell_service, name, health)
            health.on_change(tell)
            tell()

    def _tell_service(self, name: str, health: Health) -> None:
        alarm = f"{SERVICE_ALARM}/{name}"
        if health.state == "connecting":
            # Of an earlier run, or of other settings: it stays until more is known.
            self._alarms.confirm(alarm)
        elif health.reason is None:
            self._alarms.deactivate(alarm)
        else:
            said = message("service_down", service=name, reason=health.reason)
            details = {"service": name, "reason": health.reason.en}
            if not self._alarms.activate(alarm, said, details):
                self._alarms.restate(alarm, said, details)

    def metrics(self) -> dict[str, int]:
        """What the core does not count itself: logins it does, whoever was asked about them."""
        counted = self.access.metrics
        return {name: value for name, value in counted.items() if name not in _COUNTED_BY_CORE}

    def provider_status(self, provider_id: str, language: str = "en") -> dict[str, Any]:
        """What a provider said since the start, and whether it can be asked; if not, why."""
        chain = self.access.chain
        part = next((part for part in chain.providers if part.id == provider_id), None)
        counters = chain.counters.get(provider_id)
        metrics = None if counters is None else provider_metrics(counters)
        return status_of(self._node_name, part, metrics, language)

    def source_status(self, name: str, language: str = "en") -> dict[str, Any]:
        """The same of a source; of rules the core does not tell how often they decided."""
        authorizer = self.access.authorizer
        part: Any = authorizer.sources.get(name)
        counters = authorizer.counters.get(name)
        if part is None:
            part = next((source for source in self._sources if source.name == name), None)
        metrics = None if counters is None else source_metrics(counters)
        return status_of(self._node_name, part, metrics, language)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _asking(settings: AccessConfig) -> tuple[object, ...]:
    """What decides whom Python asks; the rest is the core's."""
    return (
        settings.authentication,
        settings.sources,
        settings.client_attrs_init,
        settings.answer_timeout_s,
        settings.password_cache,
    )
