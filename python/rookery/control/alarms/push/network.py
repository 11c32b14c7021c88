"""Which addresses webhooks and mail servers of projects may have.

Whoever administers a project says where control connects to. Control itself, and services that trust
its machine, are not to be reached that way.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from rookery.control.errors import InvalidError, Text

NOT_ALLOWED = Text(
    "{host} is an address that messages are not sent to ({address}); "
    "control.alarms.targets says which are",
    "不允许向 {host}（{address}）发送消息；可通过 control.alarms.targets 调整",
)


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
    mapped = getattr(found, "ipv4_mapped", None)
    found = mapped if mapped is not None else found
    if (
        found.is_loopback
        or found.is_link_local  # among them 169.254.169.254, who a cloud machine is
        or found.is_unspecified
        or found.is_multicast
        or (found.is_reserved and not found.is_private)
    ):
        return False
    return targets is Targets.PRIVATE or found.is_global


def check_literal(host: str, targets: Targets) -> None:
    """Refuse an address that needs no resolving.

    Raises:
        ForbiddenTargetError: nothing is sent there.
    """
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    if not is_allowed(host, targets):
        raise ForbiddenTargetError(NOT_ALLOWED, host=host, address=host)


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


async def check_host(host: str, port: int, targets: Targets, loop: Any) -> None:
    """Refuse a host whose address is none that messages go to; one that has none is left to the sender.

    Raises:
        ForbiddenTargetError: nothing is sent there.
    """
    if targets is Targets.ANY:
        return
    check_literal(host, targets)
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    check_all(host, [str(each[4][0]) for each in found], targets)
