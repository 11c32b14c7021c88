"""How EMQX writes durations, sizes, percentages, rates and addresses, as numbers.

Every function takes what stood in a file (text or number) and raises ``ValueError`` when it
does not mean anything; the caller knows the path and says what is allowed there.
"""

from __future__ import annotations

import re
import socket
from typing import NamedTuple

MS_PER_UNIT = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "f": 1_209_600_000,
}
BYTES_PER_UNIT = {
    "": 1,
    "b": 1,
    "k": 1 << 10,
    "kb": 1 << 10,
    "kib": 1 << 10,
    "m": 1 << 20,
    "mb": 1 << 20,
    "mib": 1 << 20,
    "g": 1 << 30,
    "gb": 1 << 30,
    "gib": 1 << 30,
    "t": 1 << 40,
    "tb": 1 << 40,
    "tib": 1 << 40,
}
# Far above any sensible setting, far below what an i64 of milliseconds or bytes holds.
NUMBER_MAX = 1 << 53
TEXT_MAX = 64
# What fits into a socket address of Linux.
UNIX_PATH_BYTES_MAX = 107

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|[smhdwf])", re.IGNORECASE | re.ASCII)
_BYTESIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)", re.IGNORECASE | re.ASCII)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)


class Address(NamedTuple):
    """Where to listen or connect. IPv6 hosts carry no brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class UnixAddress(NamedTuple):
    """A socket in the file system."""

    path: str

    def __str__(self) -> str:
        return f"unix:{self.path}"


class Rate(NamedTuple):
    """So much per so long."""

    amount: int
    interval_ms: int

    @property
    def per_second(self) -> float:
        """The same as an average."""
        return self.amount * 1000 / self.interval_ms


def _short(text: str) -> str:
    if len(text) > TEXT_MAX:
        raise ValueError("too long")
    return text.strip()


def _bounded(number: float) -> int:
    if not 0 <= number <= NUMBER_MAX:
        raise ValueError("out of range")
    return round(number)


def parse_duration_ms(raw: object, *, bare_unit: str = "ms") -> int:
    """``15s``, ``1h30m``, ``100ms``; a bare number counts in ``bare_unit``."""
    if isinstance(raw, bool):
        raise ValueError("not a duration")
    if isinstance(raw, (int, float)):
        return _bounded(raw * MS_PER_UNIT[bare_unit])
    if not isinstance(raw, str):
        raise ValueError("not a duration")
    text = _short(raw)
    if text.isascii() and text.isdigit():
        return _bounded(int(text) * MS_PER_UNIT[bare_unit])
    total = 0.0
    position = 0
    while position < len(text):
        part = _DURATION_PART.match(text, position)
        if part is None:
            raise ValueError("not a duration")
        total += float(part[1]) * MS_PER_UNIT[part[2].lower()]
        position = part.end()
        while position < len(text) and text[position] == " ":
            position += 1
    if position == 0:
        raise ValueError("not a duration")
    return _bounded(total)


def parse_bytesize(raw: object) -> int:
    """``1MB``, ``4KB``, ``100``; units are powers of 1024 as in EMQX."""
    if isinstance(raw, bool):
        raise ValueError("not a size")
    if isinstance(raw, (int, float)):
        return _bounded(raw)
    if not isinstance(raw, str):
        raise ValueError("not a size")
    match = _BYTESIZE.fullmatch(_short(raw))
    if match is None or match[2].lower() not in BYTES_PER_UNIT:
        raise ValueError("not a size")
    return _bounded(float(match[1]) * BYTES_PER_UNIT[match[2].lower()])


def parse_percent(raw: object) -> float:
    """``80%`` or ``0.8`` as 0.8."""
    if isinstance(raw, bool):
        raise ValueError("not a percentage")
    if isinstance(raw, (int, float)):
        share = float(raw)
    elif isinstance(raw, str) and (match := _PERCENT.fullmatch(_short(raw))):
        share = float(match[1]) / 100
    else:
        raise ValueError("not a percentage")
    if not 0 <= share <= 1:
        raise ValueError("out of range")
    return share


def parse_rate(raw: object) -> Rate:
    """``300/5m``, ``10MB/s``, ``1000/s``; a bare number is per second."""
    if isinstance(raw, bool):
        raise ValueError("not a rate")
    if isinstance(raw, (int, float)):
        return Rate(_bounded(raw), 1000)
    if not isinstance(raw, str):
        raise ValueError("not a rate")
    amount_text, slash, interval_text = _short(raw).partition("/")
    amount = parse_bytesize(amount_text)
    if not slash:
        return Rate(amount, 1000)
    interval_text = interval_text.strip()
    if interval_text and not interval_text[0].isdigit():
        interval_text = "1" + interval_text
    interval_ms = parse_duration_ms(interval_text, bare_unit="s")
    if interval_ms == 0:
        raise ValueError("an interval of nothing")
    return Rate(amount, interval_ms)


def parse_address(raw: object, *, default_host: str) -> Address:
    """``0.0.0.0:1883``, ``[::]:1883``, ``:1883`` or a bare port."""
    if isinstance(raw, bool):
        raise ValueError("not an address")
    if isinstance(raw, int):
        return Address(default_host, _port(str(raw)))
    if not isinstance(raw, str) or len(raw) > 262:
        raise ValueError("not an address")
    host, colon, port_text = raw.strip().rpartition(":")
    if not colon:
        return Address(default_host, _port(port_text))
    if host.startswith("["):
        if not host.endswith("]") or not _is_ip(socket.AF_INET6, host[1:-1]):
            raise ValueError("not an IPv6 address")
        return Address(host[1:-1], _port(port_text))
    if ":" in host:
        # EMQX takes `::1:1883` too: the last group is the port.
        if not _is_ip(socket.AF_INET6, host):
            raise ValueError("not an address")
        return Address(host, _port(port_text))
    if host == "localhost":
        host = "127.0.0.1"
    # A name could mean several addresses, and other ones tomorrow.
    if host and not _is_ip(socket.AF_INET, host):
        raise ValueError("not an IP address")
    return Address(host or default_host, _port(port_text))


def parse_unix_address(raw: str) -> UnixAddress:
    """``unix:/run/rookery/mqtt.sock``."""
    path = raw.removeprefix("unix:")
    if not path.startswith("/") or "\0" in path or len(path.encode()) > UNIX_PATH_BYTES_MAX:
        raise ValueError("not an absolute path of a socket")
    return UnixAddress(path)


def parse_network(raw: object) -> str:
    """``10.0.0.0/8``, ``fd00::/8``, or a single address; written back in one form."""
    if not isinstance(raw, str) or len(raw) > TEXT_MAX:
        raise ValueError("not a network")
    address, slash, length = raw.strip().partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bits = 128 if family == socket.AF_INET6 else 32
    if not _is_ip(family, address):
        raise ValueError("not a network")
    if not slash:
        return f"{address}/{bits}"
    if not (length.isascii() and length.isdigit()) or len(length) > 3 or int(length) > bits:
        raise ValueError("not a network")
    return f"{address}/{int(length)}"


def parse_access_rule(raw: object) -> str:
    """``allow 10.0.0.0/8``, ``deny all``: what esockd takes."""
    words = raw.split() if isinstance(raw, str) else []
    if len(words) != 2 or words[0] not in ("allow", "deny"):
        raise ValueError("not an access rule")
    return f"{words[0]} {words[1] if words[1] == 'all' else parse_network(words[1])}"


def _is_ip(family: socket.AddressFamily, text: str) -> bool:
    try:
        socket.inet_pton(family, text)
    except OSError:
        return False
    return True


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or int(text) > 65_535:
        raise ValueError("not a port")
    return int(text)


def format_duration(ms: int) -> str:
    """The shortest exact way to write ``ms``."""
    for unit in ("d", "h", "m", "s"):
        if ms and ms % MS_PER_UNIT[unit] == 0:
            return f"{ms // MS_PER_UNIT[unit]}{unit}"
    return f"{ms}ms"


def format_bytesize(size: int) -> str:
    """The shortest exact way to write ``size``."""
    for unit, factor in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"
