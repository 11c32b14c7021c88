"""How the control plane connects to servers that it calls, and trusts them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence

from rookery.control.errors import InvalidError, Text

BAD_CA = Text(
    "the authority is no certificate in PEM form: {reason}", "CA 证书不是有效的 PEM 格式：{reason}"
)


def context_with(ca_certificate: str) -> ssl.SSLContext:
    """What certificates are verified with: the authorities of the system, and one in PEM form if given.

    Raises:
        InvalidError: that is none.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_certificate:
        if not ca_certificate.isascii():
            raise InvalidError(BAD_CA, reason="not ASCII")
        try:
            context.load_verify_locations(cadata=ca_certificate)
        except (ssl.SSLError, ValueError) as error:
            reason = getattr(error, "reason", None) or str(error)
            raise InvalidError(BAD_CA, reason=reason) from None
    return context


async def addresses_of(host: str, port: int) -> list[str]:
    """All that a name stands for, asked once: what is looked at and what is connected to are the same.

    Raises:
        OSError: there is no such name.
        UnicodeError: it cannot be one.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


async def connected(addresses: Sequence[str], port: int, wait_s: float) -> socket.socket:
    """A connection to the first of them that takes one; each is given its part of the time.

    Raises:
        TimeoutError: the last did not answer.
        OSError: the last refused.
    """
    loop = asyncio.get_running_loop()
    failure: OSError = TimeoutError()
    for address in addresses:
        # A numeric address is looked up nowhere; this only says of which family it is.
        [where, *_] = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
        )
        sock = socket.socket(where[0], where[1], where[2])
        try:
            sock.setblocking(False)
            async with asyncio.timeout(wait_s / len(addresses)):
                await loop.sock_connect(sock, where[4])
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure
