"""The agent of an edge service: keeps it connected to the control plane that somebody named.

The service goes on whatever becomes of the connection. Its name at the control plane belongs to a secret that
it made itself and that is kept with its configuration; a secret made for one host is never shown to another.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import ASGIApp

from rookery.clock import Clock
from rookery.contracts.agent_edge import EdgeReport, EdgeStanding
from rookery.edge.agent import texts
from rookery.edge.agent.logs import LogShipping
from rookery.edge.agent.relay import Heard, Identity, Visit, VisitError, enrol
from rookery.edge.agent.reporting import Reporter
from rookery.edge.agent.settings import AgentSettings, checked
from rookery.edge.agent.status import Problem, State, Status
from rookery.edge.service import EdgeService
from rookery.edge.system.log_lines import LogLines
from rookery.ending import ended
from rookery.words import Words

_log = logging.getLogger("rookery.edge.agent")

SETTINGS, CREDENTIAL = "agent.settings", "agent.credential"
"""Names of the documents in the store."""
BACKOFF_S = (1.0, 60.0)
REFUSED_S = 60.0
AGAIN_S = 10.0
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Credential:
    """What the service proves with who it is, and what became of it.

    Attributes:
        host: The control plane that it is for.
        agent_id: The name there; empty before it has one.
        removed: Why the control plane removed it; empty: it did not.
    """

    host: str = ""
    secret: str = ""
    agent_id: str = ""
    removed: str = ""


class EdgeAgent:
    """Lives on one event loop, from :meth:`open` to :meth:`close`."""

    def __init__(
        self,
        service: EdgeService,
        clock: Clock,
        site: Callable[[], ASGIApp],
        lines: LogLines,
        *,
        backoff_s: tuple[float, float] = BACKOFF_S,
        refused_s: float = REFUSED_S,
    ) -> None:
        """``site`` makes what answers calls of the control plane, when it is first wanted; ``lines`` are the log."""
        self._service = service
        self._clock = clock
        self._make_site = site
        self._site: ASGIApp | None = None
        self._backoff_s = backoff_s
        self._refused_s = refused_s
        self._boot_id = secrets.token_hex(8)
        self._reporter = Reporter(service, clock, self._boot_id)
        self._logs = LogShipping(lines, self._boot_id)
        self._settings = AgentSettings()
        self._credential = Credential()
        self._status = Status(since_ms=clock.now_ms())
        self._visit: Visit | None = None
        self._task: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        service.deliveries.tells(self._report_soon)

    @property
    def settings(self) -> AgentSettings:
        """As they were saved."""
        return self._settings

    @property
    def status(self) -> Status:
        """How it stands now."""
        return self._status

    def report(self) -> EdgeReport:
        """How the service is now, as the control plane is told."""
        return self._reporter.report(self._settings.description)

    async def open(self) -> None:
        """Read what is kept, and connect if that is wanted."""
        self._settings = AgentSettings.from_json(self._service.store.document(SETTINGS))
        self._credential = Credential(**(self._service.store.document(CREDENTIAL) or {}))
        self._start()

    async def close(self) -> None:
        """Disconnect. May be called twice."""
        task, self._task = self._task, None
        if task is not None:
            # It says goodbye first, and ends what it has open.
            await ended("the agent", task, again_s=AGAIN_S, within_s=2 * AGAIN_S)

    async def save(self, wanted: AgentSettings) -> None:
        """Take other settings, and connect by them; switched off it says goodbye.

        Raises:
            BadRequestError: they cannot be; nothing was changed.
            UnavailableError: the disk does not take them; nothing was changed.
        """
        wanted = checked(replace(wanted, register_id=self._settings.register_id))
        async with self._changing:
            await self._service.store.put_document(SETTINGS, wanted.to_json())
            if not wanted.is_enabled and self._visit is not None:
                await self._visit.leave(forgets=False)
            await self.close()
            self._settings = wanted
            if self._credential.removed:
                # Whoever saves asks again, as somebody new.
                await self._keep(Credential())
            self._start()

    async def cancel(self) -> None:
        """Leave the control plane for good, and switch off.

        Raises:
            UnavailableError: the disk does not take it.
        """
        async with self._changing:
            off = replace(self._settings, is_enabled=False)
            await self._service.store.put_document(SETTINGS, off.to_json())
            if self._visit is not None:
                await self._visit.leave(forgets=True)
            await self.close()
            self._settings = off
            await self._keep(Credential())
            self._start()

    # -- inside ----------------------------------------------------------------------------

    def _start(self) -> None:
        credential = self._credential
        if not self._settings.is_enabled:
            self._put(State.INIT)
        elif credential.removed and credential.host == self._settings.host:
            self._put(State.REMOVED, _problem(State.REMOVED, credential.removed))
        else:
            self._put(State.CONNECTING)
            self._task = asyncio.create_task(self._run(), name="agent of the control plane")

    async def _run(self) -> None:
        least, most = self._backoff_s
        wait_s = 0.0
        told: Words | None = None
        while True:
            least_s = least
            try:
                await self._once()
            except VisitError as error:
                if self._credential.removed:
                    self._put(State.REMOVED, error.problem)
                    return  # somebody here has to say otherwise
                was_connected = self._status.state is State.CONNECTED
                self._put(_state_of(error), error.problem)
                if told != error.problem.words:
                    # A control plane that is away for a day is told of once.
                    _log.warning("no connection to the control plane: %s", error.problem.words.en)
                    told = error.problem.words
                wait_s = 0.0 if was_connected else wait_s
                least_s = self._refused_s if error.is_refusal else least
            except Exception as error:  # noqa: BLE001 - it stands again after a while
                _log.exception("the agent failed")
                words = Words(type(error).__name__, type(error).__name__)
                self._put(State.DISCONNECTED, Problem("UNREACHABLE", words))
            wait_s = min(max(most, least_s), max(least_s, wait_s * 2))
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.0))  # noqa: S311 - nothing secret

    async def _once(self) -> None:
        """One try, to the end of its connection.

        Raises:
            VisitError: always; says why it ended.
        """
        credential = await self._named()
        try:
            await self._visited(credential)
        except VisitError as error:
            if not error.is_unknown:
                raise
            # It knows nobody of that name: one that lost its memory, or removed it long ago.
            _log.warning("the control plane does not know %s: asking anew", credential.agent_id)
            await self._keep(replace(credential, agent_id=""))
            again = await self._named()
            if again.agent_id == credential.agent_id:
                raise
            await self._visited(again)

    async def _named(self) -> Credential:
        """A credential with a name, asked for where there is none."""
        credential = self._credential
        if credential.host != self._settings.host or not credential.secret:
            credential = Credential(self._settings.host, secrets.token_urlsafe(_SECRET_BYTES))
            await self._keep(credential)
        if not credential.agent_id:
            self._put(State.ENROLLING)
            agent_id = await enrol(self._settings, credential.secret)
            credential = replace(credential, agent_id=agent_id)
            await self._keep(credential)
            _log.info("the control plane at %s calls this service %s", self._settings.address,
                      agent_id)  # fmt: skip
        return credential

    async def _visited(self, credential: Credential) -> None:
        if self._site is None:
            self._site = self._make_site()
        self._put(State.CONNECTING)
        visit = Visit(
            self._settings,
            Identity(agent_id=credential.agent_id, secret=credential.secret, boot_id=self._boot_id),
            self._site,
            Heard(self._stands, lambda: self._put(State.CONNECTED)),
            self.report,
            self._logs,
            self._clock,
        )
        self._visit = visit
        try:
            await visit.run()
        finally:
            self._visit = None

    def _report_soon(self) -> None:
        if self._visit is not None:
            self._visit.hurry()

    async def _stands(self, standing: EdgeStanding) -> None:
        """What this service is to the control plane."""
        if standing.state in (State.REJECTED, State.REMOVED):
            if standing.state == State.REMOVED:
                await self._keep(replace(self._credential, removed=standing.reason or "-"))
            if self._visit is not None:
                await self._visit.confirm(standing)
            raise VisitError(_problem(standing.state, standing.reason), is_refusal=True)
        self._status = replace(
            self._status,
            is_managed=standing.state == "managed",
            service=standing.service,
            project=standing.project,
            organization=standing.organization,
        )

    async def _keep(self, credential: Credential) -> None:
        body: dict[str, Any] = {name: getattr(credential, name) for name in Credential.__slots__}
        await self._service.store.put_document(CREDENTIAL, body)
        self._credential = credential

    def _put(self, state: State, problem: Problem | None = None) -> None:
        before = self._status
        since_ms = before.since_ms if before.state is state else self._clock.now_ms()
        agent_id = self._credential.agent_id if self._settings.is_enabled else ""
        # It stays managed while the connection is away.
        stays = before if agent_id == before.agent_id and state not in _AWAY else Status()
        self._status = replace(
            stays, state=state, since_ms=since_ms, agent_id=agent_id, problem=problem
        )


_AWAY = frozenset({State.INIT, State.REJECTED, State.REMOVED})


def _state_of(error: VisitError) -> State:
    if error.problem.code == "REJECTED":
        return State.REJECTED
    return State.REFUSED if error.is_refusal else State.DISCONNECTED


def _problem(state: str, reason: str) -> Problem:
    """What the control plane said of this service."""
    words = texts.REJECTED if state == State.REJECTED else texts.REMOVED
    return Problem(state.upper(), words.format(reason=reason))
