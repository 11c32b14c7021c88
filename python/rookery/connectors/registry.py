"""All types of connectors. A type is imported when it is asked for, its client library later."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from rookery.access.errors import SettingError, Words
from rookery.connectors.base import ConnectorType
from rookery.connectors.refusals import words_of
from rookery.connectors.settings import (
    ActionSettings,
    ConnectorSettings,
    Settings,
    SourceSettings,
)
from rookery.errors import NotFoundError

S = TypeVar("S", bound=Settings)

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
_UNFIT = Words("{path}: {why}", "{path}：{why}")


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


def why_missing(kind: ConnectorType[Any]) -> Words | None:
    """What to install before such connectors work; none when all is there."""
    if all(importlib.util.find_spec(package) is not None for package in kind.packages):
        return None
    return _MISSING.format(type=kind.name, extra=kind.extra)


def require_installed(kind: ConnectorType[Any]) -> None:
    """Refuse a type whose client library is not there.

    Raises:
        SettingError: it is not; says what to install.
    """
    words = why_missing(kind)
    if words is not None:
        raise SettingError(words)


def parse_connector(type_name: str, raw: Mapping[str, Any]) -> ConnectorSettings:
    """The settings of a connector.

    Raises:
        NotFoundError: there is no such type.
        SettingError: a key is wrong; says which.
    """
    kind = connector_type(type_name)
    settings: ConnectorSettings = _parse(kind.connector_settings, raw)
    return settings


def parse_action(type_name: str, raw: Mapping[str, Any]) -> ActionSettings:
    """The settings of an action.

    Raises:
        NotFoundError: there is no such type, or it has no actions.
        SettingError: a key is wrong; says which.
    """
    kind = connector_type(type_name).action_settings
    if kind is None:
        raise NotFoundError(f"no action type {type_name}")
    return _parse(kind, raw)


def parse_source(type_name: str, raw: Mapping[str, Any]) -> SourceSettings:
    """The settings of a source.

    Raises:
        NotFoundError: there is no such type, or it has no sources.
        SettingError: a key is wrong; says which.
    """
    kind = connector_type(type_name).source_settings
    if kind is None:
        raise NotFoundError(f"no source type {type_name}")
    return _parse(kind, raw)


def _parse(kind: type[S], raw: Mapping[str, Any]) -> S:
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"]) or "settings"
        raise SettingError(_UNFIT.format(path=path, why=words_of(first))) from None


def _module(name: str) -> str:
    return f"{__package__}.{name}"
