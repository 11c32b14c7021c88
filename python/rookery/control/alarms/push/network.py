"""Which addresses webhooks and mail servers of projects may have.

Whoever administers a project says where control connects to. Control itself, and services that trust
its machine, are not to be reached that way.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from rookery.control.errors import InvalidError, Text

NOT_ALLOWED = Text(
    "{host} is an address that is not connected to ({address}); control.alarms.targets says which are for "
    "messages, control.edges.targets for edge services",
    "不允许连接 {host}（{address}）；消息推送可通过 control.alarms.targets 调整，"
    "边缘服务可通过 control.edges.targets 调整",
)


OTHER_SPELLING = Text("write {address} instead of {host}", "请将 {host} 写为 {address}")

_NUMBERS = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}", re.ASCII)
_COMPATIBLE = ipaddress.IPv6Network("::/96")
# RFC 6052, RFC 8215: what a NAT64 turns into the old protocol.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))


class Targets(StrEnum):
    """Where messages may go."""

    ANY = "any"
    PRIVATE = "private"
    """Private networks too, but not this machine itself nor what is beside it on the link."""
    PUBLIC = "public"


class ForbiddenTargetError(InvalidError):
    """Nothing is sent there."""


def is_allowed(address: str, targets: Targets) -> bool:
    """Whether messages may go to an address."""
    if targets is Targets.ANY:
        return True
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if found.version == 6 and (inner := _inner(found)) is not None:
        found = inner
    if (
        found.is_loopback
        or found.is_link_local  # among them 169.254.169.254, who a cloud machine is
        or found.is_unspecified
        or found.is_multicast
        or (found.is_reserved and not found.is_private)
    ):
        return False
    return targets is Targets.PRIVATE or found.is_global


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The address of the old protocol that traffic to this one ends up at."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    is_compatible = address in _COMPATIBLE and int(address) > 1
    if is_compatible or any(address in network for network in _TRANSLATED):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def check_literal(host: str, targets: Targets) -> None:
    """Refuse an address, or a name of this machine itself, before anything is looked up.

    An address in another spelling (``127.1``, ``0x7f000001``, ``127.0.0.1.``) is refused as such: programs differ
    in what they take it for.

    Raises:
        ForbiddenTargetError: nothing is sent there.
    """
    written = host.partition("%")[0].lower()
    plain = unicodedata.normalize("NFKC", written).rstrip(".")
    if targets is not Targets.ANY and (plain == "localhost" or plain.endswith(".localhost")):
        raise ForbiddenTargetError(NOT_ALLOWED, host=host, address="127.0.0.1")
    address = _address(plain)
    if address is None:
        return
    if not is_allowed(address, targets):
        raise ForbiddenTargetError(NOT_ALLOWED, host=host, address=address)
    if written != plain or (":" not in plain and plain != address):
        raise ForbiddenTargetError(OTHER_SPELLING, host=host, address=address)


def _address(host: str) -> str | None:
    """The address that a host is, however it is written; none: it is a name."""
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    if not _NUMBERS.fullmatch(host):
        return None
    with contextlib.suppress(OSError):
        # What the C library takes for one: one to four numbers, decimal, octal or hexadecimal.
        return socket.inet_ntoa(socket.inet_aton(host))
    return None


class GuardedResolver(AbstractResolver):
    """Gives the addresses that a connection is then made to, or none of them."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a name.

        Raises:
            ForbiddenTargetError: one of them is none that messages go to.
        """
        found = await self._resolver.resolve(host, port, family)
        check_all(host, [each["host"] for each in found], self._targets)
        return found

    async def close(self) -> None:
        await self._resolver.close()


def check_all(host: str, addresses: Sequence[str], targets: Targets) -> None:
    """Refuse a name of which one address is none that messages go to.

    Raises:
        ForbiddenTargetError: it has one.
    """
    for address in addresses:
        if not is_allowed(address, targets):
            raise ForbiddenTargetError(NOT_ALLOWED, host=host, address=address)
