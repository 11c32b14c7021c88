"""Asks a provider over HTTPS, with bounds, and says in words what failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from rookery.control.errors import OutOfReachError
from rookery.control.oidc import texts
from rookery.control.oidc.settings import OidcSettings

ASK_S = 10.0
ANSWER_BYTES_MAX = 512 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request. With ``form`` it is a POST."""

    url: str
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """A JSON object."""

    status: int
    record: Mapping[str, Any]


async def ask(oidc: OidcSettings, asked: Asked) -> Answered:
    """Follows no redirects: what is sent is for that address alone.

    Raises:
        OutOfReachError: nobody answers, or no JSON object.
    """
    url = asked.url
    try:
        status, text = await _exchange(oidc, asked)
    except aiohttp.ClientConnectorCertificateError as error:
        reason = getattr(error.certificate_error, "verify_message", "") or str(error)
        raise OutOfReachError(texts.CERTIFICATE, url=url, reason=reason) from None
    except TimeoutError:
        raise OutOfReachError(texts.TOO_LATE, url=url) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        inner = getattr(error, "os_error", None)
        reason = str(getattr(inner, "strerror", None) or inner or error) or type(error).__name__
        raise OutOfReachError(texts.UNREACHABLE, url=url, reason=reason) from None
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        if status != 200:
            raise OutOfReachError(texts.STATUS, url=url, status=status)
        raise OutOfReachError(texts.NO_JSON, url=url)
    return Answered(status, record)


async def _exchange(oidc: OidcSettings, asked: Asked) -> tuple[int, bytes]:
    connector = aiohttp.TCPConnector(ssl=oidc.context(), force_close=True)
    async with (
        aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(ASK_S), trust_env=False
        ) as client,
        client.request(
            "GET" if asked.form is None else "POST",
            asked.url,
            data=asked.form,
            headers={"accept": "application/json", **asked.headers},
            allow_redirects=False,
        ) as answer,
    ):
        text = await answer.content.read(ANSWER_BYTES_MAX)
        # One read gives what is there, and the end is not there yet.
        while not answer.content.at_eof() and len(text) < ANSWER_BYTES_MAX:
            text += await answer.content.read(ANSWER_BYTES_MAX - len(text))
        return answer.status, text
