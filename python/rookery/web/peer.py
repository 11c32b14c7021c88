"""Where a request comes from."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.requests import Request

from rookery.access.lockout import is_loopback

HEADER_BYTES_MAX = 4096
"""Of an Authorization header no more is looked at."""
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def address_of(request: Request) -> str:
    """Where a request came from; empty on the node's own socket."""
    client = request.scope.get("client")
    return str(client[0]) if client else ""


def is_direct(request: Request) -> bool:
    """Whether the request was made for this machine and passed no proxy that says so.

    The name that it was made for tells a page that was loaded from elsewhere and had its name
    point here since (DNS rebinding): it has that page's name, not this machine's.
    """
    if any(name in request.headers for name in _FORWARDED):
        return False
    if not request.scope.get("client"):
        return True
    host = request.headers.get("host", "").rpartition("@")[2]
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost":
        return True
    try:
        return is_loopback(str(ip_address(name)))
    except ValueError:
        return False
