"""Access control by configuration on an event loop: it answers what the core asks.

Providers say who a client is; sources that are services continue where the core's rules end. What
rules can decide never gets here. One configuration is replaced by another at once: questions that
are under way end with the one they began with.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from rookery.access import build
from rookery.access.chain import AuthenticationChain
from rookery.access.expressions import Expression, NoValueError
from rookery.access.request import VARIABLES, AuthRequest, split_peer
from rookery.access.verdict import CLIENT_ATTR_LENGTH_MAX, Admit, Continue
from rookery.access.verdict import Verdict as Said
from rookery.clock import Clock
from rookery.config.snapshot import AccessConfig
from rookery.engine.hooks import NOT_AUTHORIZED
from rookery.engine.questions import ALLOW, Decision, Verdict, deny
from rookery.native.config import TopicAction
from rookery.native.models import AclDecision, Client
from rookery.native.rows import AclSubject, AuthorizeRow, EventRow

NO_MATCH = "no_match"
SOURCES_MAX = 64
"""Never more steps than there can be sources, whatever the core answers."""

Answer: TypeAlias = Literal["allow", "deny"] | None


class Source(Protocol):
    """A service that knows what clients may do."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def decide(self, client: Client, action: TopicAction, topic: str, qos: int, retain: bool) -> Answer:
        """Allow, deny, or nothing: then the next source is asked."""
        ...


class Rules(Protocol):
    """The core's rules."""

    def check_acl(
        self,
        subject: AclSubject,
        action: TopicAction,
        topic: str,
        *,
        qos: int = 0,
        retain: bool = False,
        after: str | None = None,
    ) -> AclDecision: ...


class ConfiguredAccess:
    """What a configuration says about access, opened and closed with the node."""

    def __init__(self, rules: Rules, clock: Clock, data_dir: Path | None) -> None:
        """Open users and bans in ``data_dir``; without one they are gone with this object.

        Raises:
            StartError: the file they are in cannot be used.
        """
        self.stores = build.Stores(data_dir, clock)
        self._rules = rules
        self._clock = clock
        self._parts = _Parts(AuthenticationChain(), {}, {}, frozenset())
        self.counters = {
            "authentication.success": 0,
            "authentication.failure": 0,
            "authorization.asked": 0,
        }

    @property
    def chain(self) -> AuthenticationChain:
        """The providers that are asked."""
        return self._parts.chain

    @property
    def sources(self) -> Mapping[str, Source]:
        """The services that are asked, by the name of their source."""
        return self._parts.sources

    async def use(self, settings: AccessConfig) -> None:
        """Open what ``settings`` describe and ask that from now on.

        Raises:
            SettingError: a provider or source cannot work so; the ones before go on.
        """
        parts = await asyncio.to_thread(self._make, settings)
        await parts.start()
        before, self._parts = self._parts, parts
        await before.stop()

    def _make(self, settings: AccessConfig) -> _Parts:
        chain = build.chain(
            settings.authentication,
            self.stores,
            self._clock,
            answer_timeout_s=settings.answer_timeout_s,
        )
        sources = build.sources(settings.sources, self._clock)
        attributes = {
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
        return _Parts(chain, sources, attributes, settings.deny_anonymous)

    async def close(self) -> None:
        """Ask nobody any more and close users and bans. May be called twice."""
        await self._parts.stop()
        await asyncio.to_thread(self.stores.close)

    # -- what the core asks -----------------------------------------------------------------

    def takes(self, row: EventRow) -> bool:
        if row[2] == "authorize":
            return row[3][6] is not None
        return row[2] in ("authenticate", "auth_continue") and bool(self._parts.chain)

    async def decide(self, row: EventRow) -> Decision:
        if row[2] == "authorize":
            self.counters["authorization.asked"] += 1
            return await self._authorize(row[3])
        verdict = await self._authenticate(AuthRequest.from_event(row))
        is_in = verdict[0] == "admit"
        if verdict[0] != "continue":
            self.counters[f"authentication.{'success' if is_in else 'failure'}"] += 1
        return Decision(verdict, goes_on=is_in)

    async def _authenticate(self, request: AuthRequest) -> Verdict:
        parts = self._parts
        shows_nothing = not (request.username or request.password or request.method)
        if request.listener in parts.deny_anonymous and shows_nothing:
            return deny(NOT_AUTHORIZED)
        request = parts.with_attributes(request)
        return _verdict(await parts.chain.authenticate(request), request)

    async def _authorize(self, row: AuthorizeRow) -> Decision:
        """Ask source after source, and the core's rules between them."""
        _, _, is_publish, topic, qos, retain, reached, client_row = row
        client = Client.from_row(client_row)
        action: TopicAction = "publish" if is_publish else "subscribe"
        source: str | None = reached
        sources = self._parts.sources
        for _step in range(SOURCES_MAX):
            assert source is not None
            known = sources.get(source)
            answer = (
                await known.decide(client, action, topic, qos, retain) if known is not None else None
            )
            if answer is not None:
                return Decision(ALLOW if answer == "allow" else deny(NOT_AUTHORIZED))
            said = self._rules.check_acl(
                subject_of(client), action, topic, qos=qos, retain=retain, after=source
            )
            if said.verdict != "ask":
                verdict = ALLOW if said.verdict == "allow" else deny(NOT_AUTHORIZED)
                return Decision(verdict, goes_on=said.source == NO_MATCH)
            source = said.source
        return Decision(deny(NOT_AUTHORIZED))


class _Parts:
    """One configuration, open."""

    def __init__(
        self,
        chain: AuthenticationChain,
        sources: Mapping[str, Source],
        attributes: Mapping[str, Sequence[tuple[str, Expression]]],
        deny_anonymous: frozenset[str],
    ) -> None:
        self.chain = chain
        self.sources = sources
        self.deny_anonymous = deny_anonymous
        self._attributes = attributes

    async def start(self) -> None:
        try:
            await self.chain.start()
            for source in self.sources.values():
                await source.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        await self.chain.stop()
        for source in self.sources.values():
            await source.stop()

    def with_attributes(self, request: AuthRequest) -> AuthRequest:
        """The request with what ``client_attrs_init`` makes of it; what has no value is left out."""
        expressions = self._attributes.get(request.zone)
        if not expressions:
            return request
        from dataclasses import replace  # noqa: PLC0415

        made: dict[str, str] = dict(request.client_attrs)
        for name, expression in expressions:
            try:
                made[name] = expression.value(request.variable)[:CLIENT_ATTR_LENGTH_MAX]
            except NoValueError:
                continue
        return replace(request, client_attrs=tuple(made.items()))


def subject_of(client: Client) -> AclSubject:
    """Whom the core's rules are asked about."""
    return AclSubject(
        client_id=client.client_id,
        username=client.username,
        peerhost=split_peer(client.peer)[0] or None,
        listener=client.listener or "",
        zone=client.zone or "default",
        cert_common_name=client.cert_common_name,
        client_attrs=client.client_attrs,
        is_superuser=client.is_superuser,
    )


def _verdict(said: Said, request: AuthRequest) -> Verdict:
    if isinstance(said, Admit):
        row = said.to_row()
        # What a provider says about an attribute stands above what was made at CONNECT.
        attributes: dict[str, Any] = dict(request.client_attrs) | dict(row.client_attrs)
        return ("admit", row._replace(client_attrs=tuple(attributes.items())))
    if isinstance(said, Continue):
        return ("continue", said.to_row())
    return deny(said.reason_code)
