"""Slows down guessing of passwords without letting anybody lock an administrator out.

**What is counted.** Bad passwords by user *and* address: five within five minutes lock that user from
that address for ten minutes. Somebody elsewhere who knows the password gets in all the same, so an
attacker locks out nobody but himself. IPv6 addresses count by /64, which is what one site has.

**Guessing from many addresses.** A user with :data:`SPREAD_MAX` bad passwords from everywhere within
five minutes is let in only from this machine and from addresses that user signed in from before, for
ten minutes. Those in the table because of their bad passwords alone never get there.

**Bounds.** Both tables have :data:`ENTRIES_MAX` entries; the oldest is forgotten. Filling one takes
as many slow hashes.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

from rookery.clock import Clock

ATTEMPTS_MAX = 5
WINDOW_S = 300.0
LOCKED_S = 600.0
SPREAD_MAX = 100
ENTRIES_MAX = 10_000
KNOWN_MAX = 1_000


_Key = TypeVar("_Key")


@dataclass(slots=True)
class _Count:
    began_s: float
    bad: int = 0
    locked_until_s: float = 0.0


class Lockout:
    """Counts bad passwords."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pairs: OrderedDict[tuple[str, str], _Count] = OrderedDict()
        self._users: OrderedDict[str, _Count] = OrderedDict()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.locked = 0

    def locked_for_s(self, username: str, address: str) -> float:
        """How long that user stays out from that address; 0: not at all."""
        now_s = self._clock.monotonic_s()
        site = _site(address)
        pair = self._pairs.get((username, site))
        until_s = pair.locked_until_s if pair is not None else 0.0
        if not is_loopback(address) and (username, site) not in self._known:
            user = self._users.get(username)
            until_s = max(until_s, user.locked_until_s if user is not None else 0.0)
        return max(0.0, until_s - now_s)

    def was_bad(self, username: str, address: str) -> bool:
        """Count a bad password; whether that locks the user from that address."""
        pair = self._count(self._pairs, (username, _site(address)), ATTEMPTS_MAX)
        self._count(self._users, username, SPREAD_MAX)
        if pair:
            self.locked += 1
        return pair

    def was_good(self, username: str, address: str) -> None:
        """Forget bad ones, and remember where the user came from."""
        key = (username, _site(address))
        self._pairs.pop(key, None)
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)

    def forget(self, username: str) -> None:
        """Let that user in from everywhere: the password is another one."""
        self._users.pop(username, None)
        for pair in [pair for pair in self._pairs if pair[0] == username]:
            del self._pairs[pair]
        for place in [place for place in self._known if place[0] == username]:
            del self._known[place]

    def _count(self, table: OrderedDict[_Key, _Count], key: _Key, most: int) -> bool:
        now_s = self._clock.monotonic_s()
        count = table.get(key)
        if count is None or now_s - count.began_s > WINDOW_S:
            locked_until_s = count.locked_until_s if count is not None else 0.0
            count = table[key] = _Count(began_s=now_s, locked_until_s=locked_until_s)
            table.move_to_end(key)
            if len(table) > ENTRIES_MAX:
                table.popitem(last=False)
        count.bad += 1
        if count.bad >= most:
            count.locked_until_s = now_s + LOCKED_S
            count.began_s, count.bad = now_s, 0
            return True
        return False


def is_loopback(address: str) -> bool:
    """Whether that is this machine; the node's own socket has no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return not address
    mapped = getattr(ip, "ipv4_mapped", None)
    return ip.is_loopback or bool(mapped and mapped.is_loopback)


def _site(address: str) -> str:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return address
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(ip) >> 64 << 64, 64)))
