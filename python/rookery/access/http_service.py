"""Questions to an HTTP service: a request made of templates, an answer with a bound.

One connection carries one question at a time: a slow answer holds up none behind it. Redirects are
not followed, cookies not kept, proxies of the environment not used.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from rookery.access.errors import STOPPED, BackendError, SettingError, Words
from rookery.access.guard import Guard, GuardSettings
from rookery.access.reasons import (
    behind,
    no_answer,
    no_handshake,
    of_connecting,
    shown_address,
    why_unreachable,
)
from rookery.access.templates import Shape, Template, Variables, render_shape, shape_of
from rookery.access.tls import ClientTls
from rookery.clock import Clock
from rookery.config.secrets import HIDDEN, url_without_secrets

if TYPE_CHECKING:
    import ssl

    import aiohttp

ANSWER_BYTES_MAX = 1 << 20
IDLE_S = 30.0

_BAD_URL = Words(
    "{key}: {url}: must be http://host… or https://host… without placeholders before the path",
    "{key}：{url}：应为 http://主机… 或 https://主机…，路径之前不能有占位符",
)
_TLS_MISSING = Words("{key}: {url} needs ssl.enable = true", "{key}：{url} 需要 ssl.enable = true")
_GET_WITH_TYPE = Words(
    "headers: content-type has no place in a GET", "headers：GET 请求不能包含 content-type"
)
_BAD_TYPE = Words(
    "headers: content-type must be application/json or application/x-www-form-urlencoded",
    "headers：content-type 应为 application/json 或 application/x-www-form-urlencoded",
)
_TWO_PASSWORDS = Words(
    "{key}: a user in it and headers.authorization exclude each other: keep one of them",
    "{key}：其中的用户名密码与 headers.authorization 不能同时设置，请只保留其一",
)
_HIDDEN_PART = Words(
    "{key}: a part of it is hidden (******), write it again",
    "{key}：其中有隐藏后的 ******，请重新填写",
)
_ANSWERED = Words("{address} answered {status}", "{address} 返回 {status}")
_TOO_LONG = Words("the answer of {address} is longer than 1 MiB", "{address} 的应答超过 1 MiB")
_OTHER = Words("{address} cannot be asked: {kind}", "无法查询 {address}：{kind}")
_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What a proxy in front of the service says when the service is away.
_AWAY = frozenset({502, 503, 504})


class UnaskableError(Exception):
    """What the client sent cannot be part of a request; says nothing about the service."""


class HttpAnswer(NamedTuple):
    """What came back."""

    status: int
    content_type: str
    body: bytes

    def record(self) -> dict[str, Any] | None:
        """The body as an object, from JSON or a form; none when it is neither."""
        try:
            if self.content_type == _FORM:
                return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
            value = json.loads(self.body) if self.content_type == _JSON else None
        except (ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """A service, by EMQX's names.

    Attributes:
        method: GET puts what ``body`` holds into the query.
        url: With placeholders in path and query.
        headers: With placeholders in their values.
        body: Members of the JSON object or the form, with placeholders in their texts.
        max_inflight: Questions under way; each has a connection of its own, made when needed.
        connect_timeout_s: Seconds to connect.
        request_timeout_s: Seconds for the whole question.
        failures_max: Failures in a row after which the service is left alone.
        reset_s: For so many seconds; then one question tries it.
        ssl: TLS towards the service.
        url_key: What the configuration calls ``url``.
    """

    method: Literal["get", "post"] = "post"
    # All three may hold a key of the service.
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    max_inflight: int = 1024
    connect_timeout_s: float = 2.0
    request_timeout_s: float = 4.0
    failures_max: int = 5
    reset_s: float = 10.0
    ssl: ClientTls = field(default_factory=ClientTls)
    url_key: str = "url"


class HttpService:
    """A service to ask. Belongs to one event loop from :meth:`start` on."""

    def __init__(self, settings: HttpSettings, clock: Clock, *, known: Collection[str]) -> None:
        """Take the templates apart.

        Raises:
            SettingError: one of the settings makes no sense.
        """
        self._settings = settings
        self._base, path, query = _url_parts(settings)
        self._host, self._port = _place(settings.url)
        self.address = shown_address(self._host, self._port)
        self._tls: ssl.SSLContext | None = None
        self._path = Template(path, known=known, where=settings.url_key)
        self._query = [
            (name, Template(value, known=known, where=settings.url_key))
            for name, value in parse_qsl(query, keep_blank_values=True)
        ]
        self._content_type = _content_type(settings)
        self._headers = {
            name.lower(): Template(value, known=known, where=f"headers.{name}")
            for name, value in settings.headers.items()
        }
        self._body: Shape = shape_of(settings.body, known=known, where="body")
        self.guard = Guard(
            GuardSettings(
                concurrency_max=settings.max_inflight,
                deadline_s=settings.request_timeout_s,
                failures_max=settings.failures_max,
                open_s=settings.reset_s,
            ),
            clock,
            late=no_answer(self.address, settings.request_timeout_s),
        )
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Make the pool; no connection is made yet.

        Raises:
            SettingError: a certificate file cannot be used.
        """
        # Only those who configured a service pay for loading the client.
        import aiohttp  # noqa: PLC0415

        settings = self._settings
        self._tls = settings.ssl.context() if settings.ssl.enable else None
        connector = aiohttp.TCPConnector(
            limit=self.guard.settings.concurrency_max,
            keepalive_timeout=IDLE_S,
            ssl=self._tls or False,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(
                total=settings.request_timeout_s, sock_connect=settings.connect_timeout_s
            ),
            skip_auto_headers=("User-Agent",),
            read_bufsize=1 << 14,
        )

    async def stop(self) -> None:
        """Close every connection. May be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def look(self) -> None:
        """Connect, with TLS where it is spoken. To ask for a page could mean something there.

        Raises:
            BackendError: there is no connection.
        """
        writer: asyncio.StreamWriter | None = None
        # A scheme without TLS needs none, whatever ``ssl`` is for.
        tls = self._tls if self._base.startswith("https:") else None
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                _, writer = await asyncio.open_connection(self._host, self._port)
                if tls is not None:
                    await writer.start_tls(tls, server_hostname=self._host)
        except OSError as error:
            if writer is not None and isinstance(error, TimeoutError):
                raise BackendError(no_handshake(self.address)) from None
            raise BackendError(why_unreachable(self.address, error)) from None
        finally:
            if writer is not None:
                writer.close()
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1):
                        await writer.wait_closed()

    async def ask(self, variables: Variables) -> HttpAnswer:
        """Put the question with these values.

        Raises:
            UnaskableError: a value cannot be part of it.
            BusyError: too many questions are under way.
            OpenError: the service is left alone at the moment.
            TimeoutError: no answer in time.
            BackendError: no answer, or one that is none.
        """
        url = self._url(variables)
        headers = self._rendered_headers(variables)
        data = self._data(variables)
        return await self.guard.run(lambda: self._send(url, headers, data))

    def _url(self, variables: Variables) -> str:
        path = self._path.render(variables, escape=lambda value: quote(value, safe=""))
        pairs = [(name, value.render(variables)) for name, value in self._query]
        if self._settings.method == "get":
            pairs += [(name, _as_text(value)) for name, value in self._members(variables).items()]
        return f"{self._base}{path}?{urlencode(pairs)}" if pairs else f"{self._base}{path}"

    def _members(self, variables: Variables) -> Mapping[str, Any]:
        body = render_shape(self._body, variables)
        return body if isinstance(body, Mapping) else {}

    def _rendered_headers(self, variables: Variables) -> dict[str, str]:
        headers = {name: value.render(variables) for name, value in self._headers.items()}
        if any(_CONTROL.search(value) for value in headers.values()):
            raise UnaskableError("a value for a header holds control characters")
        if self._settings.method == "post":
            headers.setdefault("content-type", self._content_type)
        return headers

    def _data(self, variables: Variables) -> bytes | None:
        if self._settings.method == "get":
            return None
        members = self._members(variables)
        if self._content_type == _JSON:
            return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()
        return urlencode([(name, _as_text(value)) for name, value in members.items()]).encode()

    async def _send(self, url: str, headers: dict[str, str], data: bytes | None) -> HttpAnswer:
        import aiohttp  # noqa: PLC0415
        from yarl import URL  # noqa: PLC0415

        session = self._session
        if session is None:
            raise BackendError(STOPPED)
        try:
            async with session.request(
                self._settings.method.upper(),
                URL(url, encoded=True),
                headers=headers,
                data=data,
                allow_redirects=False,
            ) as response:
                body = await self._read(response)
                if response.status in _AWAY:
                    said = _ANSWERED.format(address=self.address, status=response.status)
                    raise BackendError(said)
                return HttpAnswer(response.status, response.content_type, body)
        except aiohttp.ConnectionTimeoutError:
            raise BackendError(why_unreachable(self.address, TimeoutError())) from None
        except TimeoutError:
            raise
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The text of such an error may hold the URL, and that a password.
            raise BackendError(self._why(error)) from None

    def _why(self, error: Exception) -> Words:
        import aiohttp  # noqa: PLC0415

        if isinstance(
            error, (aiohttp.ClientConnectorError, aiohttp.ClientConnectorCertificateError)
        ):
            return of_connecting(self.address, error)
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return why_unreachable(self.address, ConnectionResetError())
        if (cause := behind(error)) is not None:
            return why_unreachable(self.address, cause)
        return _OTHER.format(address=self.address, kind=type(error).__name__)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > ANSWER_BYTES_MAX:
                raise BackendError(_TOO_LONG.format(address=self.address))
        return bytes(body)


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _url_parts(settings: HttpSettings) -> tuple[str, str, str]:
    """Scheme and host, path, query."""
    shown, key = url_without_secrets(settings.url.partition("?")[0]), settings.url_key
    try:
        parts = urlsplit(settings.url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    else:
        if parts.scheme in {"http", "https"} and host and "$" not in parts.netloc:
            if parts.scheme == "https" and not settings.ssl.enable:
                raise SettingError(_TLS_MISSING.format(key=key, url=shown))
            if "@" in parts.netloc and "authorization" in {
                name.lower() for name in settings.headers
            }:
                raise SettingError(_TWO_PASSWORDS.format(key=key))
            if HIDDEN in parts.netloc or HIDDEN in parts.query:
                raise SettingError(_HIDDEN_PART.format(key=key))
            return f"{parts.scheme}://{parts.netloc}", parts.path or "/", parts.query
    raise SettingError(_BAD_URL.format(key=key, url=shown))


def _place(url: str) -> tuple[str, int]:
    """Host and port of a URL that is one."""
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _content_type(settings: HttpSettings) -> str:
    said = {name.lower(): value for name, value in settings.headers.items()}.get("content-type")
    if settings.method == "get":
        if said is not None:
            raise SettingError(_GET_WITH_TYPE)
        return ""
    content_type = (said or _JSON).partition(";")[0].strip().lower()
    if content_type not in {_JSON, _FORM}:
        raise SettingError(_BAD_TYPE)
    return content_type
