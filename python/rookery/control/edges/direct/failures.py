"""Why an edge service at an address could not be asked, in words that say what to do."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from urllib.parse import urlsplit

import aiohttp

from rookery.access.system_words import system_words
from rookery.control.edges.direct import texts
from rookery.control.errors import OutOfReachError
from rookery.control.relay.identity import client_context

LOOK_S = 3.0


async def failure(error: Exception, address: str) -> OutOfReachError:
    """What is told instead of an exception of the network."""
    if isinstance(error, aiohttp.ServerFingerprintMismatch):
        return OutOfReachError(
            texts.OTHER_CERTIFICATE, code="SOURCE_ERROR", address=address, found=error.got.hex()
        )
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "") or "TLS"
        return OutOfReachError(
            texts.NOT_TRUSTED,
            code="SOURCE_ERROR",
            address=address,
            reason=system_words(why),
            found=await _shown_by(address),
        )
    if isinstance(error, (TimeoutError, aiohttp.ServerTimeoutError)):
        return OutOfReachError(texts.NO_ANSWER, code="SOURCE_ERROR", address=address)
    cause = getattr(error, "os_error", None) or error
    # asyncio says where it tried to connect; the system, why that failed.
    number = getattr(cause, "errno", None) or 0
    reason = os.strerror(number) if number > 0 else str(cause) or type(cause).__name__
    return OutOfReachError(
        texts.UNREACHABLE,
        code="SOURCE_ERROR",
        address=address,
        reason=system_words(str(reason)[:200]),
    )


async def _shown_by(address: str) -> str:
    """The SHA-256 of the certificate that somebody shows there; nothing is said to that one."""
    parts = urlsplit(address)
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(LOOK_S):
            _, writer = await asyncio.open_connection(
                parts.hostname, parts.port, ssl=client_context()
            )
            try:
                shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            finally:
                writer.transport.abort()
        return hashlib.sha256(shown or b"").hexdigest()
    return "?"
