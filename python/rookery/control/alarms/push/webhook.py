"""Calls a webhook once.

Redirects are not followed: they would lead around what was checked. Certificates are verified. Of an
answer a bounded part is read, and nothing of it is shown but what the chat services say of a refusal.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
from yarl import URL

from rookery.clock import Clock
from rookery.control.alarms.push import signature
from rookery.control.alarms.push.attempt import Attempt, failed, sent
from rookery.control.alarms.push.messages import Origin, Told
from rookery.control.alarms.push.network import (
    ForbiddenTargetError,
    GuardedResolver,
    Targets,
    check_literal,
)
from rookery.control.alarms.push.presets import PRESETS, Call, WebhookKind
from rookery.control.alarms.push.template import body_of
from rookery.control.errors import Text
from rookery.types import Secret

ALL_S = 20.0
CONNECT_S = 10.0
ANSWER_BYTES_MAX = 4096
RETRY_AFTER_MAX_S = 3600.0
USER_AGENT = "rookery-control"

ANSWERED = Text("{host} answered {status}", "{host} 返回 {status}")
REDIRECTED = Text(
    "{host} answered {status}: redirects are not followed", "{host} 返回 {status}：不跟随重定向"
)
REFUSED = Text("{host} refused it: {answer}", "{host} 拒绝了消息：{answer}")
TOO_LATE = Text("{host} did not answer in time", "{host} 未及时应答")
CERTIFICATE = Text(
    "the TLS certificate of {host} is not trusted: {reason}", "{host} 的 TLS 证书不受信任：{reason}"
)
UNREACHABLE = Text("{host} cannot be reached: {reason}", "无法连接 {host}：{reason}")

_AGAIN = frozenset({408, 409, 423, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Whom to call, and how."""

    kind: WebhookKind
    url: Secret
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret: Secret = field(default_factory=lambda: Secret(""))
    template: str = ""

    @property
    def at_once(self) -> int:
        """How many alarms one call tells of."""
        return 1 if self.kind is WebhookKind.JSON else PRESETS[self.kind].at_once

    @property
    def gap_ms(self) -> int:
        """Least time between two calls."""
        return 200 if self.kind is WebhookKind.JSON else PRESETS[self.kind].gap_ms


class Caller:
    """Calls webhooks. Lives on one event loop."""

    def __init__(self, clock: Clock, targets: Targets) -> None:
        self._clock = clock
        self._targets = targets
        self._client: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """May be called twice."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def call(
        self, webhook: Webhook, told: Sequence[Told], origin: Origin, delivery_id: str
    ) -> Attempt:
        """One attempt; it fails in words and never by an exception of the network."""
        now_ms = self._clock.now_ms()
        url = URL(webhook.url.reveal(), encoded=True)
        host = url.host or ""
        try:
            check_literal(host, self._targets)
            if webhook.kind is WebhookKind.JSON:
                call = Call(body_of(webhook.template, told[0], origin, now_ms))
            else:
                call = PRESETS[webhook.kind].make(told, origin, webhook.secret.reveal(), now_ms)
            if call.query:
                url = URL(f"{url}{'&' if url.raw_query_string else '?'}{call.query}", encoded=True)
            headers = _headers(webhook, told[0], call.body, delivery_id, now_ms)
            async with asyncio.timeout(ALL_S):
                return await self._post(webhook, url, headers, call.body)
        except ForbiddenTargetError as error:
            return Attempt(
                is_sent=False, is_final=True, reason=error.message, reason_zh=error.text("zh")
            )
        except TimeoutError:
            return failed(TOO_LATE, host=host)
        except aiohttp.ClientConnectorCertificateError as error:
            reason = getattr(error.certificate_error, "verify_message", "") or "TLS"
            return failed(CERTIFICATE, host=host, reason=reason)
        except (aiohttp.ClientError, ssl.SSLError, OSError, ValueError) as error:
            return failed(UNREACHABLE, host=host, reason=_reason(error))

    async def _post(
        self, webhook: Webhook, url: URL, headers: Mapping[str, str], body: bytes
    ) -> Attempt:
        async with self._session().post(
            url, data=body, headers=headers, allow_redirects=False
        ) as answer:
            content = await answer.content.read(ANSWER_BYTES_MAX)
            status, host = answer.status, url.host or ""
            if 200 <= status < 300:
                return _judged(webhook, status, content, host)
            if 300 <= status < 400:
                return failed(REDIRECTED, is_final=True, status=status, host=host)
            return failed(
                ANSWERED,
                is_final=status < HTTPStatus.INTERNAL_SERVER_ERROR and status not in _AGAIN,
                status=status,
                retry_after_s=_retry_after(answer.headers.get("Retry-After", "")),
                host=host,
            )

    def _session(self) -> aiohttp.ClientSession:
        if self._client is None:
            self._client = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    resolver=GuardedResolver(self._targets),
                    use_dns_cache=False,
                    limit=16,
                    force_close=True,
                ),
                timeout=aiohttp.ClientTimeout(total=ALL_S, connect=CONNECT_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._client


def _headers(
    webhook: Webhook, told: Told, body: bytes, delivery_id: str, now_ms: int
) -> dict[str, str]:
    headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json; charset=utf-8"}
    if webhook.kind is not WebhookKind.JSON:
        return headers
    headers[signature.DELIVERY] = delivery_id
    headers[signature.EVENT] = str(told.event)
    if secret := webhook.secret.reveal():
        at_s = now_ms // 1000
        headers[signature.TIMESTAMP] = str(at_s)
        headers[signature.SIGNATURE] = signature.signature(secret, at_s, body)
    return {**headers, **webhook.headers}


def _judged(webhook: Webhook, status: int, content: bytes, host: str) -> Attempt:
    if webhook.kind is WebhookKind.JSON:
        return sent(status)
    refusal = PRESETS[webhook.kind].refusal(content)
    if refusal:
        return failed(REFUSED, status=status, host=host, answer=refusal)
    return sent(status)


def _retry_after(value: str) -> float:
    # As a date it is rare, and then the usual pause does.
    return min(float(value), RETRY_AFTER_MAX_S) if value.isascii() and value.isdigit() else 0.0


def _reason(error: Exception) -> str:
    cause = getattr(error, "os_error", None) or error
    found = getattr(cause, "strerror", None) or type(cause).__name__
    return str(found)[:200]
