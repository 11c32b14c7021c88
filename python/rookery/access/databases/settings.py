"""What every database has in common."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from rookery.access.errors import SettingError, Words
from rookery.access.guard import GuardSettings
from rookery.access.tls import ClientTls
from rookery.config.secrets import HIDDEN
from rookery.types import Secret

# What a URL, a list or a name with a password has besides is no host.
_NAME = re.compile(r"[^\s/@,\[\]\\]+")
_BAD_SERVER = Words("{where}: {server} is not host:port", "{where}：{server} 不是 主机:端口")
_EXTRA = Words(
    "{where}: the Python package {package} is missing; install rookery[{extra}]",
    "{where}：缺少 Python 包 {package}，请安装 rookery[{extra}]",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """How a database is reached, by EMQX's names.

    Attributes:
        username: Who this node is there.
        password: Its password.
        pool_size: Most connections; questions wait for one within their deadline.
        connect_timeout_s: Seconds to connect.
        request_timeout_s: Seconds for a question, waiting included.
        max_inflight: Most questions under way, waiting ones included.
        failures_max: Failures in a row after which the database is left alone.
        reset_s: For so many seconds; then one question tries it.
        ssl: TLS.
    """

    username: str | None = None
    password: Secret | None = None
    pool_size: int = 8
    connect_timeout_s: float = 2.0
    request_timeout_s: float = 4.0
    max_inflight: int = 1024
    failures_max: int = 5
    reset_s: float = 10.0
    ssl: ClientTls = field(default_factory=ClientTls)

    def guard(self) -> GuardSettings:
        return GuardSettings(
            concurrency_max=self.max_inflight,
            deadline_s=self.request_timeout_s,
            failures_max=self.failures_max,
            open_s=self.reset_s,
        )


def host_and_port(server: str, default_port: int, where: str) -> tuple[str, int]:
    """``host``, ``host:port``, ``[address]:port`` in two.

    Raises:
        SettingError: it is none of those.
    """
    text = server.strip()
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]") or (":" in host and not host.startswith("[")):
        host, port = text, str(default_port)
    name = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    is_port = port.isascii() and port.isdigit() and 0 < int(port[:6]) <= 65_535
    if not is_port or not _NAME.fullmatch(name) or (":" in name and not _is_address(name)):
        # Who wrote a password before it shall not find it in the log.
        _, at, place = server.rpartition("@")
        raise SettingError(
            _BAD_SERVER.format(where=where, server=f"{HIDDEN}@{place}" if at else server)
        )
    return name, int(port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def missing_package(where: str, package: str, extra: str) -> SettingError:
    """What to say when an extra is not installed."""
    return SettingError(_EXTRA.format(where=where, package=package, extra=extra))
