"""All types of connectors. A type is imported when it is asked for, its client library later."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from rookery.access.errors import SettingError, Words
from rookery.connectors.base import ConnectorType
from rookery.errors import NotFoundError

_FOLDERS = (
    "http",
    "mqtt",
    "pgsql",
    "redis",
    "kafka_producer",
    "kafka_consumer",
    "elasticsearch",
    "disk_log",
)
_MISSING = Words(
    "connectors of type {type} need a package: install rookery[{extra}]",
    "{type} 类型的连接器缺少依赖包，请安装 rookery[{extra}]",
)


def type_names() -> tuple[str, ...]:
    """The names of all types, in the order in which people see them."""
    return tuple(name for name in _FOLDERS if importlib.util.find_spec(_module(name)))


def connector_type(name: str) -> ConnectorType[Any]:
    """The type of that name.

    Raises:
        NotFoundError: there is none.
    """
    if name not in type_names():
        raise NotFoundError(f"no connector type {name}")
    found: ConnectorType[Any] = importlib.import_module(_module(name)).TYPE
    return found


def is_installed(kind: ConnectorType[Any]) -> bool:
    """Whether the client library of a type is there."""
    return all(importlib.util.find_spec(package) is not None for package in kind.packages)


def require_installed(kind: ConnectorType[Any]) -> None:
    """Refuse a type whose client library is not there.

    Raises:
        SettingError: it is not; says what to install.
    """
    if not is_installed(kind):
        raise SettingError(_MISSING.format(type=kind.name, extra=kind.extra))


def _module(name: str) -> str:
    return f"{__package__}.{name}"
