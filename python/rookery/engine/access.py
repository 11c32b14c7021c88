"""Access control by configuration on an event loop: it answers what the core asks.

Providers say who a client is; sources that are services continue where the core's rules end. What
rules can decide never gets here. One configuration is replaced by another at once: questions that
are under way end with the one they began with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rookery.access import DATABASE_FILE
from rookery.access.authz import AuthzRequest, RemoteAuthorizer
from rookery.access.authz.authorizer import CheckRules, RulesOf
from rookery.access.chain import AuthenticationChain
from rookery.access.request import VARIABLES, AuthRequest
from rookery.access.verdict import CLIENT_ATTR_LENGTH_MAX, Admit, Continue
from rookery.access.verdict import Verdict as Said
from rookery.clock import Clock
from rookery.config.snapshot import AccessConfig
from rookery.engine.hooks import NOT_AUTHORIZED
from rookery.engine.questions import ALLOW, Decision, Verdict, deny
from rookery.native.config import Ban
from rookery.native.rows import EventRow

if TYPE_CHECKING:
    from rookery.access.authz import Source
    from rookery.access.database import Database
    from rookery.access.expressions import Expression
    from rookery.access.stores import Stores

NO_MATCH = "no_match"


class ConfiguredAccess:
    """What a configuration says about access, opened and closed with the node."""

    def __init__(
        self,
        check_rules: CheckRules,
        clock: Clock,
        data_dir: Path | None,
        *,
        apply_bans: Callable[[Sequence[Ban]], None] = lambda _bans: None,
        rules_of: RulesOf = lambda _name: (),
        on_open: Callable[[Database], None] = lambda _database: None,
    ) -> None:
        """``apply_bans`` is told every change of bans; without ``data_dir`` nothing is kept.

        ``on_open`` gets the file of users, rules and bans when it is opened.
        """
        self._check_rules = check_rules
        self._clock = clock
        self._data_dir = data_dir
        self._apply_bans = apply_bans
        self._rules_of = rules_of
        self._on_open = on_open
        self._settings: AccessConfig | None = None
        self._stores: Stores | None = None
        self._parts = _Parts(
            AuthenticationChain(), RemoteAuthorizer((), check_rules, rules_of=rules_of), {}
        )
        self.counters = {
            "authentication.success": 0,
            "authentication.failure": 0,
            "authorization.asked": 0,
        }

    @property
    def stores(self) -> Stores:
        """Users, rules and bans; opened when they are wanted first.

        Raises:
            StartError: the file they are in cannot be used.
        """
        if self._stores is None:
            # Its libraries are for those who have users.
            from rookery.access.stores import Stores  # noqa: PLC0415

            self._stores = Stores(self._data_dir, self._clock)
            self._stores.bans.open(self._apply_bans)
            self._on_open(self._stores.database)
            self._bound_rules()
        return self._stores

    @property
    def has_stores(self) -> bool:
        """Whether anybody has put something into them yet."""
        if self._stores is not None:
            return True
        return self._data_dir is not None and (self._data_dir / DATABASE_FILE).exists()

    @property
    def chain(self) -> AuthenticationChain:
        """The providers that are asked."""
        return self._parts.chain

    @property
    def authorizer(self) -> RemoteAuthorizer:
        """The sources that are asked."""
        return self._parts.authorizer

    async def use(self, settings: AccessConfig) -> None:
        """Open what ``settings`` describe and ask that from now on.

        Raises:
            SettingError: a provider or source cannot work so; the ones before go on.
        """
        before_settings, self._settings = self._settings, settings
        try:
            stores = self.stores if settings.authentication else None
            if stores is not None:
                self._remember_passwords(stores, settings)
            parts = await asyncio.to_thread(self._make, settings, stores)
            await parts.start()
        except BaseException:
            self._settings = before_settings
            raise
        before, self._parts = self._parts, parts
        self._bound_rules()
        await before.drain()
        await before.stop()

    @staticmethod
    def _remember_passwords(stores: Stores, settings: AccessConfig) -> None:
        from rookery.access.passwords.verifier import CacheSettings  # noqa: PLC0415

        cache = settings.password_cache
        stores.verifier.use(
            CacheSettings(
                enable=cache.enable,
                size_max=cache.max_size,
                ttl_s=cache.ttl_s or None,
                over_restart=cache.over_restart,
            )
        )

    @property
    def metrics(self) -> dict[str, int]:
        """Counters since the start."""
        if self._stores is None:
            return self.counters
        return {**self.counters, **self._stores.verifier.counters}

    def _bound_rules(self) -> None:
        """Rules of one user, as many as the source of the built-in database says."""
        if self._stores is None or self._settings is None:
            return
        for item in self._settings.sources:
            if item["type"] == "built_in_database":
                self._stores.rules.rules_max = item["max_rules"]

    def _make(self, settings: AccessConfig, stores: Stores | None) -> _Parts:
        chain = AuthenticationChain()
        services: Mapping[str, Source] = {}
        timeout_s = settings.answer_timeout_s
        if settings.authentication or settings.sources:
            from rookery.access import build  # noqa: PLC0415

            if stores is not None:
                chain = build.chain(
                    settings.authentication, stores, self._clock, answer_timeout_s=timeout_s
                )
            services = build.sources(settings.sources, self._clock, answer_timeout_s=timeout_s)
        authorizer = RemoteAuthorizer(
            services.values(),
            self._check_rules,
            rules_of=self._rules_of,
            deadline_s=timeout_s * 0.9,
        )
        return _Parts(chain, authorizer, _attributes(settings))

    async def close(self) -> None:
        """Ask nobody any more and close users and bans. May be called twice."""
        await self._parts.stop()
        if self._stores is not None:
            await asyncio.to_thread(self._stores.close)

    # -- what the core asks -----------------------------------------------------------------

    def takes(self, row: EventRow) -> bool:
        if row[2] == "authorize":
            return row[3][6] is not None
        return row[2] in ("authenticate", "auth_continue") and bool(self._parts.chain)

    async def decide(self, row: EventRow) -> Decision:
        if row[2] == "authorize":
            self.counters["authorization.asked"] += 1
            return await self._authorize(row)
        verdict = await self._authenticate(AuthRequest.from_event(row))
        is_in = verdict[0] == "admit"
        if verdict[0] != "continue":
            self.counters[f"authentication.{'success' if is_in else 'failure'}"] += 1
        return Decision(verdict, goes_on=is_in)

    async def _authenticate(self, request: AuthRequest) -> Verdict:
        parts = self._parts
        request = parts.with_attributes(request)
        return _verdict(await parts.chain.authenticate(request), request)

    async def _authorize(self, row: EventRow) -> Decision:
        answer = await self._parts.authorizer.authorize(
            AuthzRequest.from_row(row[3]), source=row[3][6]
        )
        verdict = ALLOW if answer.result == "allow" else deny(NOT_AUTHORIZED)
        return Decision(verdict, goes_on=answer.source == NO_MATCH)


class _Parts:
    """One configuration, open."""

    def __init__(
        self,
        chain: AuthenticationChain,
        authorizer: RemoteAuthorizer,
        attributes: Mapping[str, Sequence[tuple[str, Expression]]],
    ) -> None:
        self.chain = chain
        self.authorizer = authorizer
        self._attributes = attributes

    async def start(self) -> None:
        try:
            await self.chain.start()
            await self.authorizer.start()
        except BaseException:
            await self.stop()
            raise

    async def drain(self) -> None:
        """Wait until those who were asked have answered, no longer than they may take."""
        await asyncio.gather(self.chain.drain(), self.authorizer.drain())

    async def stop(self) -> None:
        await self.chain.stop()
        await self.authorizer.stop()

    def with_attributes(self, request: AuthRequest) -> AuthRequest:
        """The request with what ``client_attrs_init`` makes of it; what has no value is left out."""
        expressions = self._attributes.get(request.zone)
        if not expressions:
            return request
        from rookery.access.expressions import NoValueError  # noqa: PLC0415

        made: dict[str, str] = dict(request.client_attrs)
        for name, expression in expressions:
            try:
                made[name] = expression.value(request.variable)[:CLIENT_ATTR_LENGTH_MAX]
            except NoValueError:
                continue
        return replace(request, client_attrs=tuple(made.items()))


def _attributes(settings: AccessConfig) -> dict[str, list[tuple[str, Expression]]]:
    if not settings.client_attrs_init:
        return {}
    from rookery.access.expressions import Expression  # noqa: PLC0415

    return {
        zone: [
            (
                item["set_as_attr"],
                Expression(
                    item["expression"], known=VARIABLES, where=f"client_attrs_init.{number}"
                ),
            )
            for number, item in enumerate(items, 1)
        ]
        for zone, items in settings.client_attrs_init.items()
    }


def _verdict(said: Said, request: AuthRequest) -> Verdict:
    if isinstance(said, Admit):
        row = said.to_row()
        # What a provider says about an attribute stands above what was made at CONNECT.
        attributes = dict(request.client_attrs) | dict(row.client_attrs)
        return ("admit", row._replace(client_attrs=tuple(attributes.items())))
    if isinstance(said, Continue):
        return ("continue", said.to_row())
    return deny(said.reason_code)
