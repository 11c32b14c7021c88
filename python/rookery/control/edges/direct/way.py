"""Asks edge services at their addresses, as :class:`~rookery.control.relay.tunnel.Tunnel` asks behind agents.

Control signs in with the account that somebody gave it and says for whom it asks; an edge service that does not
understand that is asked nothing at all, so that nobody who may only look becomes an administrator.

**Bounds.** :data:`CALLS_MAX` calls, of which :data:`CALLS_OF_ONE_MAX` to one edge service; a connection in
:data:`CONNECT_S`, a sign-in in :data:`SIGN_IN_S`, a call in the time that it says.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

from rookery.clock import Clock
from rookery.contracts.agent_edge import EdgeReport
from rookery.contracts.agent_fields import MessageError, parse_object
from rookery.contracts.agent_v1 import REPORT_BYTES_MAX
from rookery.control.alarms.push.network import GuardedResolver, Targets
from rookery.control.edges.direct import store, texts
from rookery.control.edges.direct.failures import failure
from rookery.control.edges.direct.store import DirectEdgeRow
from rookery.control.errors import MissingError, OutOfReachError, TooManyError
from rookery.control.relay.tunnel import Answer, Call, WebSocket, nothing, usable, within
from rookery.control.vault import Vault
from rookery.storage.database import Database

PURPOSE = "direct edge"
CALLS_MAX = 512
CALLS_OF_ONE_MAX = 32
CONNECT_S = 5.0
SIGN_IN_S = 10.0
REPORT_S = 5.0
KEPT_S = 600.0
"""A sign-in is used for so long, and no longer than half its life."""
ANSWER_BYTES_MAX = 64 << 10
ROLE, NAME = "x-rookery-role", "x-rookery-caller"
ROLES = {"key": "administrator", "viewer": "viewer"}
_OURS = frozenset({"authorization", "host", "content-length", "connection", ROLE, NAME})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edge service is, and as whom control signs in there."""

    agent_id: str
    address: str
    username: str
    password: str = field(repr=False)
    certificate_sha256: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a place let control in with, until it is asked for anew."""

    place: Place
    token: str = field(repr=False)
    until_s: float = 0.0


class DirectWay:
    """Lives on one event loop."""

    def __init__(self, database: Database, clock: Clock, vault: Vault, targets: Targets) -> None:
        self._database = database
        self._clock = clock
        self._vault = vault
        self._targets = targets
        self._client: aiohttp.ClientSession | None = None
        self._known: dict[str, SignedIn] = {}
        self._signing_in: dict[str, asyncio.Lock] = {}
        self._calls: Counter[str] = Counter()

    async def close(self) -> None:
        """May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def calls(self) -> Mapping[str, int]:
        """Calls under way by the name of whom they ask."""
        return dict(self._calls)

    def forget(self, agent_id: str) -> None:
        """It is not there any more, or somebody said something else about it."""
        self._known.pop(agent_id, None)
        self._signing_in.pop(agent_id, None)

    def place_of(self, row: DirectEdgeRow) -> Place:
        """Where that one is.

        Raises:
            OutOfReachError: this process cannot read its password.
        """
        password = self._vault.unseal(row.sealed, PURPOSE)
        return Place(row.agent_id, row.address, row.username, password, row.certificate_sha256)

    async def report(self, place: Place) -> EdgeReport:
        """How it is.

        Raises:
            OutOfReachError: it cannot be asked; says why.
            TooManyError: too many calls are under way.
        """
        call = Call("GET", "/api/status/report", credential="key", timeout_s=REPORT_S)
        async with self._ask(place, call, None) as answer:
            body = await answer.read(REPORT_BYTES_MAX)
        try:
            if answer.status != 200:
                raise MessageError(str(answer.status))
            return EdgeReport.read(parse_object(body, REPORT_BYTES_MAX))
        except MessageError:
            raise OutOfReachError(
                texts.NO_EDGE, address=place.address, status=answer.status
            ) from None

    @contextlib.asynccontextmanager
    async def call(
        self, agent_id: str, call: Call, body: AsyncIterator[bytes] | None = None
    ) -> AsyncIterator[Answer]:
        """Ask the one of that name. The answer can be read inside the block.

        Raises:
            MissingError: there is none.
            OutOfReachError: it cannot be asked; says why.
            TooManyError: too many calls are under way.
            TunnelTimeoutError: the answer took too long.
        """
        async with self._database.read() as session:
            row = await store.at(session, agent_id)
        if row is None:
            raise MissingError(texts.NOT_DIRECT)
        async with self._ask(self.place_of(row), call, body) as answer:
            yield answer

    @contextlib.asynccontextmanager
    async def web_socket(self, agent_id: str, call: Call) -> AsyncIterator[Answer | WebSocket]:
        """None: edge services have no WebSockets."""
        del agent_id, call
        yield Answer(501, (), texts.NO_WEB_SOCKET.en, nothing())

    # -- inside --------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def _ask(
        self, place: Place, call: Call, body: AsyncIterator[bytes] | None
    ) -> AsyncIterator[Answer]:
        if call.credential not in ROLES:
            raise OutOfReachError(texts.NO_EDGE, address=place.address, status=403)
        with self._slot(place.agent_id):
            first, rest = await _peeked(body)
            async with within(call.timeout_s):
                signed_in = await self._signed_in(place)
                data = first if rest is None else _joined(first, rest)
                answer = await self._send(signed_in, call, data)
                if answer.status == 401 and rest is None:
                    # Its tokens ended, with its start or with a change of the password.
                    answer.release()
                    self._known.pop(place.agent_id, None)
                    answer = await self._send(await self._signed_in(place), call, data)
                try:
                    self._refuse_unknown(place, answer.status)
                    headers = [(str(name), str(value)) for name, value in answer.headers.items()]
                    yield Answer(answer.status, usable(headers), "", _body(answer, place.address))
                finally:
                    # Unread it would be read to its end, and streams have none.
                    answer.close()

    def _refuse_unknown(self, place: Place, status: int) -> None:
        # For who asks it would mean that control does not know that one.
        if status == 401:
            self._known.pop(place.agent_id, None)
            raise OutOfReachError(
                texts.WRONG_PASSWORD, code="SOURCE_ERROR", address=place.address, reason=status
            )

    @contextlib.contextmanager
    def _slot(self, agent_id: str) -> Iterator[None]:
        if self._calls[agent_id] >= CALLS_OF_ONE_MAX or self._calls.total() >= CALLS_MAX:
            raise TooManyError(texts.TOO_MANY)
        self._calls[agent_id] += 1
        try:
            yield
        finally:
            self._calls[agent_id] -= 1
            if not self._calls[agent_id]:
                del self._calls[agent_id]

    async def _signed_in(self, place: Place) -> SignedIn:
        lock = self._signing_in.setdefault(place.agent_id, asyncio.Lock())
        async with lock:
            known = self._known.get(place.agent_id)
            now_s = self._clock.monotonic_s()
            if known is not None and known.place == place and known.until_s > now_s:
                return known
            async with within(SIGN_IN_S):
                made = await self._sign_in(place)
            self._known[place.agent_id] = made
            return made

    async def _sign_in(self, place: Place) -> SignedIn:
        """As whom control was told to, where what answers says that it asks for somebody else then."""
        given = {"name": place.username, "pass": place.password}
        status, said = await self._json(place, "POST", "/api/login", body=given)
        if status == 308:
            raise OutOfReachError(texts.USE_HTTPS, address=place.address)
        token = str(said.get("token") or "")
        reason = str(said.get("message") or status)[:200]
        if status in (401, 403):
            raise OutOfReachError(texts.WRONG_PASSWORD, address=place.address, reason=reason)
        if status != 200 or not token or not token.isascii() or not token.isprintable():
            raise OutOfReachError(texts.NO_EDGE, address=place.address, status=status)
        asked = {"authorization": f"Bearer {token}", ROLE: "viewer", NAME: "control"}
        status, said = await self._json(place, "GET", "/api/me", headers=asked)
        if status == 403:
            reason = str(said.get("message") or "")[:200]
            raise OutOfReachError(
                texts.NO_ADMINISTRATOR,
                address=place.address,
                username=place.username,
                reason=reason,
            )
        if status != 200 or (said.get("role"), said.get("via")) != ("viewer", "control"):
            raise OutOfReachError(texts.NO_EDGE, address=place.address, status=status)
        kept_s = min(KEPT_S, _life_s(token) / 2)
        return SignedIn(place, token, self._clock.monotonic_s() + kept_s)

    async def _json(
        self,
        place: Place,
        method: str,
        path: str,
        *,
        body: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, Mapping[str, Any]]:
        data = None if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json", **(headers or {})}
        answer = await self._request(place, method, path, sent, data)
        try:
            content = await answer.content.read(ANSWER_BYTES_MAX)
            return answer.status, parse_object(content, ANSWER_BYTES_MAX)
        except MessageError:
            return answer.status, {}
        except aiohttp.ClientError as error:
            raise await failure(error, place.address) from error
        finally:
            answer.release()

    async def _send(self, signed_in: SignedIn, call: Call, data: Any) -> aiohttp.ClientResponse:
        headers = [
            *((name, value) for name, value in call.headers if name.lower() not in _OURS),
            ("authorization", f"Bearer {signed_in.token}"),
            (ROLE, ROLES[call.credential]),
            (NAME, quote(call.caller[:256], safe="@.-_")),
        ]
        return await self._request(signed_in.place, call.method, call.path, headers, data)

    async def _request(
        self, place: Place, method: str, path: str, headers: Any, data: Any
    ) -> aiohttp.ClientResponse:
        sha256 = place.certificate_sha256
        try:
            return await self._session().request(
                method,
                URL(place.address + path, encoded=True),
                headers=headers,
                data=data,
                allow_redirects=False,
                ssl=aiohttp.Fingerprint(bytes.fromhex(sha256)) if sha256 else True,
            )
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise await failure(error, place.address) from error

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=GuardedResolver(self._targets), use_dns_cache=False, limit=CALLS_MAX
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("user-agent", "accept-encoding", "content-type"),
                trust_env=False,
            )
        return self._client


async def _body(answer: aiohttp.ClientResponse, address: str) -> AsyncIterator[bytes]:
    try:
        async for part in answer.content.iter_any():
            yield part
    except (aiohttp.ClientError, OSError) as error:
        raise await failure(error, address) from error


async def _peeked(
    body: AsyncIterator[bytes] | None,
) -> tuple[bytes | None, AsyncIterator[bytes] | None]:
    """What there is at once, and what comes after it; none: nothing does, so it may be sent twice."""
    if body is None:
        return None, None
    held = b""
    async for piece in body:
        if held:
            return held, _joined(piece, body)
        held = piece
    return held or None, None


async def _joined(first: bytes | None, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for piece in rest:
        yield piece


def _life_s(token: str) -> float:
    """How long a token lasts by its own words; nothing depends on that being true."""
    try:
        body = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return max(0.0, float(said["exp"]) - float(said["iat"]))
    except (IndexError, KeyError, TypeError, ValueError):
        return KEPT_S
