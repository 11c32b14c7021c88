"""Names and addresses under which other machines may reach this one."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

NAMES_MAX = 32


def own_names() -> tuple[str, ...]:
    """``localhost``, the machine's name, and addresses that it has, in an order that stays."""
    names = ["localhost", "127.0.0.1", "::1"]
    host = socket.gethostname()
    if host and host.isascii() and len(host) <= 253:
        names.append(host.lower())
    names.extend(sorted(_addresses()))
    return tuple(dict.fromkeys(names))[:NAMES_MAX]


def _addresses() -> set[str]:
    found: set[str] = set()
    # A datagram socket that is connected sends nothing; it tells which address the system would use.
    for family, target in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((target, 9))
            address = ipaddress.ip_address(sock.getsockname()[0].partition("%")[0])
            if not address.is_unspecified:
                found.add(str(address))
    return found
