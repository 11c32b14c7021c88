"""One visit to the relay of a control plane: asking for a name, and a connection under it to its end."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import platform
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from starlette.types import ASGIApp

from rookery.clock import Clock
from rookery.connectors.base import Unhealthy
from rookery.connectors.mqtt.connection import Connection, Endpoint
from rookery.contracts.agent_edge import (
    ENROL_PREFIX,
    EdgeLeaving,
    EdgeReport,
    EdgeStanding,
    Enrol,
    Enrolled,
)
from rookery.contracts.agent_v1 import (
    KEEP_ALIVE_S,
    REPORT_INTERVAL_S,
    SUBSCRIBED_BY_AGENT,
    Channel,
    LogAck,
    Message,
    MessageError,
    Presence,
    Reported,
    parse,
    topic_name,
)
from rookery.edge.agent import texts
from rookery.edge.agent.logs import LogShipping
from rookery.edge.agent.settings import AgentSettings
from rookery.edge.agent.status import Problem, tls_problem
from rookery.edge.agent.tunnel import Tunnel
from rookery.ending import ended
from rookery.native.node import version
from rookery.words import Words

_log = logging.getLogger("rookery.edge.agent")

CONNECT_S = 10.0
ACKNOWLEDGE_S = 30.0
ENROL_S = 15.0
LEAVE_S = 5.0
HEARD_S = 15.0
"""A report that the relay does not acknowledge for so long went nowhere."""
PROBE_S = 3.0
WINDOW = 64
_QOS = 1
_TAKEN_OVER = 0x8E
_BAD_PASSWORD, _NOT_AUTHORIZED = 0x86, 0x87
_ENDED = 0x80
"""What paho says of a connection that ended before its CONNACK."""
_BUSY = frozenset({0x89, 0x97})
_TOO_OFTEN = 0x9F


class VisitError(Exception):
    """There is no connection, or none any more.

    Attributes:
        is_refusal: Nothing changes within seconds.
        is_unknown: The relay does not know the name, or its secret is another.
    """

    def __init__(
        self, problem: Problem, *, is_refusal: bool = False, is_unknown: bool = False
    ) -> None:
        super().__init__(problem.words.en)
        self.problem = problem
        self.is_refusal = is_refusal
        self.is_unknown = is_unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """As whom a service connects."""

    agent_id: str
    secret: str
    boot_id: str


@dataclass(slots=True)
class Heard:
    """Who is told what the control plane says.

    Attributes:
        standing: What this service is to it.
        connected: The connection stands.
    """

    standing: Callable[[EdgeStanding], Awaitable[None]]
    connected: Callable[[], None]


async def enrol(settings: AgentSettings, secret: str) -> str:
    """The name that belongs to that secret.

    Raises:
        VisitError: there is none.
    """
    client_id = ENROL_PREFIX + secrets.token_hex(16)
    endpoint = _endpoint(settings, client_id, settings.username, settings.password)
    asked = Enrol(
        hashlib.sha256(secret.encode()).hexdigest(),
        settings.register_id,
        description=settings.description,
        agent_version=version(),
        host_name=platform.node()[:256],
    )
    connection = await _opened(settings, endpoint)
    try:
        async with asyncio.timeout(ENROL_S):
            await connection.subscribe(topic_name(client_id, Channel.ENROLLED), _QOS)
            name = topic_name(client_id, Channel.ENROL)
            await connection.publish(name, asked.to_bytes(), _QOS, False, None)
            answer = Enrolled.from_bytes(bytes((await connection.receive()).payload))
    except TimeoutError:
        raise VisitError(_no_answer(settings), is_refusal=True) from None
    except MessageError as error:
        _log.warning("%s gave an answer that cannot be read: %s", settings.address, error)
        raise VisitError(_no_answer(settings), is_refusal=True) from None
    except Unhealthy as error:
        raise VisitError(Problem("UNREACHABLE", texts.LOST.format(reason=error.words))) from error
    finally:
        connection.close()
    if not answer.agent_id:
        raise _refused(settings, answer)
    return answer.agent_id


def _no_answer(settings: AgentSettings) -> Problem:
    return Problem("UNREACHABLE", texts.NO_ANSWER.format(address=settings.address))


def _refused(settings: AgentSettings, answer: Enrolled) -> VisitError:
    if answer.code == "TOO_MANY":
        words = texts.TOO_MANY.format(address=settings.address)
    else:
        reason = Words(answer.text, answer.text_zh or answer.text)
        words = texts.REFUSED.format(address=settings.address, reason=reason)
    return VisitError(Problem(answer.code or "REFUSED", words), is_refusal=True)


class Visit:
    """A connection under the service's own name, from :meth:`run` to its end."""

    def __init__(
        self,
        settings: AgentSettings,
        identity: Identity,
        site: ASGIApp,
        heard: Heard,
        report: Callable[[], EdgeReport],
        logs: LogShipping,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._heard = heard
        self._report = report
        self._clock = clock
        self._interval_s = float(REPORT_INTERVAL_S)
        self._connection: Connection | None = None
        self._tunnel = Tunnel(site, self._reply)
        self._hurry = asyncio.Event()
        self._logs = logs
        self._managed, self._let_go = asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Connect, and serve until the connection ends.

        Raises:
            VisitError: always, at the end; says why.
        """
        identity, settings = self._identity, self._settings
        endpoint = _endpoint(settings, identity.agent_id, identity.agent_id, identity.secret)
        connection = await _opened(settings, endpoint)
        self._connection = connection
        tasks: list[asyncio.Task[None]] = []
        try:
            for channel in sorted(SUBSCRIBED_BY_AGENT, key=str):
                await connection.subscribe(topic_name(identity.agent_id, channel), _QOS)
            presence = Presence(
                "online",
                kind="edge",
                agent_version=version(),
                boot_id=identity.boot_id,
                clock_ms=self._clock.now_ms(),
            )
            await self._say(Channel.PRESENCE, presence)
            self._heard.connected()
            _log.info("connected to the control plane at %s", settings.address)
            tasks = [
                asyncio.create_task(self._reporting()),
                asyncio.create_task(self._receiving(connection)),
                asyncio.create_task(self._logging()),
            ]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                await task
        except Unhealthy as error:
            raise self._ended(connection, error) from error
        finally:
            self._connection = None
            await ended("the connection to control", *tasks)
            await self._tunnel.close()
            connection.close()

    async def confirm(self, standing: EdgeStanding) -> None:
        """Say that what the control plane wants is so."""
        await self._say_if_there(Channel.REPORTED, Reported(standing.version), wait=True)

    async def leave(self, *, forgets: bool) -> None:
        """Say goodbye; nothing when there is no connection."""
        await self._say_if_there(Channel.EVENT, EdgeLeaving(forgets), wait=True)

    def hurry(self) -> None:
        """Report now: something happened that the control plane waits for."""
        self._hurry.set()

    async def _say_if_there(self, channel: Channel, message: Message, *, wait: bool) -> None:
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._say(channel, message, wait=wait)
        except (Unhealthy, TimeoutError):
            _log.info("the control plane could not be told, it is not connected")

    # -- inside ----------------------------------------------------------------------------

    def _ended(self, connection: Connection, error: Unhealthy) -> VisitError:
        if connection.reason_code == _TAKEN_OVER:
            return VisitError(Problem("TAKEN_OVER", texts.TAKEN_OVER), is_refusal=True)
        return VisitError(Problem("UNREACHABLE", texts.LOST.format(reason=error.words)))

    async def _reporting(self) -> None:
        while True:
            try:
                async with asyncio.timeout(HEARD_S):
                    await self._say(Channel.REPORT, self._report(), wait=True)
            except TimeoutError:
                # A cable that is out, an address that changed: nobody else tells of it.
                raise Unhealthy(texts.SILENT) from None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._interval_s):
                    await self._hurry.wait()
            self._hurry.clear()

    async def _logging(self) -> None:
        while True:
            # Of one that nobody adopted the control plane knows no place for a log.
            await self._managed.wait()
            sending = asyncio.create_task(self._logs.run(partial(self._say, Channel.LOG)))
            leaving = asyncio.create_task(self._let_go.wait())
            try:
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
                if sending.done():
                    await sending
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _receiving(self, connection: Connection) -> None:
        request = topic_name(self._identity.agent_id, Channel.REQUEST)
        while True:
            arrived = await connection.receive()
            connection.acknowledge(arrived)
            if not arrived.payload:
                continue
            try:
                message = parse(bytes(arrived.payload))
            except MessageError as error:
                _log.warning("the control plane says something that cannot be read: %s", error)
                continue
            if arrived.topic == request:
                await self._tunnel.handle(message)
            elif isinstance(message, LogAck):
                self._logs.handle(message)
            elif isinstance(message, EdgeStanding):
                self._put_managed(message)
                if self._interval_s != message.report_interval_s:
                    self._interval_s = message.report_interval_s
                    self._hurry.set()
                await self._heard.standing(message)

    def _put_managed(self, standing: EdgeStanding) -> None:
        if standing.state == "managed":
            self._logs.adopted(standing.version)
            self._let_go.clear()
            self._managed.set()
        else:
            self._logs.let_go()
            self._managed.clear()
            self._let_go.set()

    async def _reply(self, message: Message) -> None:
        try:
            await self._say(Channel.REPLY, message)
        except Unhealthy:
            _log.debug("an answer has nowhere to go")

    async def _say(self, channel: Channel, message: Message, *, wait: bool = False) -> None:
        connection = self._connection
        if connection is None:
            raise Unhealthy(texts.LOST.format(reason="-"))
        name = topic_name(self._identity.agent_id, channel)
        answer = await connection.publish(name, message.to_bytes(), _QOS, False, None)
        if wait:
            await asyncio.shield(answer)


def _endpoint(settings: AgentSettings, client_id: str, username: str, password: str) -> Endpoint:
    return Endpoint(
        host=settings.host,
        port=settings.port,
        client_id=client_id,
        proto_ver="v5",
        bridge_mode=False,
        username=username,
        password=password,
        clean_start=True,
        keepalive_s=KEEP_ALIVE_S,
        max_inflight=WINDOW,
        connect_timeout_s=CONNECT_S,
        acknowledge_s=ACKNOWLEDGE_S,
        tls=settings.context(),
    )


async def _opened(settings: AgentSettings, endpoint: Endpoint) -> Connection:
    connection = Connection(endpoint)
    try:
        await connection.open()
    except Unhealthy as error:
        raise await _problem(settings, endpoint, connection.reason_code, error) from error
    return connection


async def _problem(
    settings: AgentSettings, endpoint: Endpoint, code: int, error: Unhealthy
) -> VisitError:
    """Why there is no connection, in words that say what to do here."""
    address = settings.address
    if code == _BAD_PASSWORD:
        words = texts.WRONG_PASSWORD.format(address=address)
        return VisitError(Problem("WRONG_PASSWORD", words), is_refusal=True, is_unknown=True)
    if code == _NOT_AUTHORIZED:
        words = texts.ENROLMENT_CLOSED.format(address=address)
        return VisitError(Problem("ENROLMENT_CLOSED", words), is_refusal=True)
    if code in _BUSY:
        words = texts.TOO_MANY.format(address=address)
        return VisitError(Problem("TOO_MANY", words), is_refusal=True)
    if code == _TOO_OFTEN:
        words = texts.TOO_OFTEN.format(address=address)
        return VisitError(Problem("TOO_OFTEN", words), is_refusal=True)
    has_certificate = bool(settings.certificate)
    cause = error.__cause__
    if settings.is_tls and not isinstance(cause, ssl.SSLError):
        # With TLS 1.3 the relay judges a client's certificate after the handshake, when nobody reads.
        cause = await asyncio.to_thread(_probed, endpoint) or cause
    if isinstance(cause, ssl.SSLError):
        return VisitError(tls_problem(address, cause, has_certificate=has_certificate))
    if not settings.is_tls and code == _ENDED:
        return VisitError(Problem("UNREACHABLE", texts.SPEAKS_TLS.format(address=address)))
    return VisitError(Problem("UNREACHABLE", error.words))


def _probed(endpoint: Endpoint) -> ssl.SSLError | None:
    """What TLS says to somebody who waits for it."""
    assert endpoint.tls is not None
    try:
        with (
            socket.create_connection((endpoint.host, endpoint.port), PROBE_S) as plain,
            endpoint.tls.wrap_socket(plain, server_hostname=endpoint.host) as secure,
        ):
            secure.recv(1)
    except ssl.SSLError as error:
        # One that hangs up without a word says nothing of certificates.
        return error if error.reason else None
    except OSError:
        return None
    return None
