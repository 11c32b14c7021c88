"""Settings of connectors as people see them: complete with defaults, secrets hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.broker.connectors.definitions import Kind, is_enabled
from rookery.config.secrets import (
    is_path_of_request,
    path_without_secrets,
    text_without_secrets,
    without_secrets,
)
from rookery.connectors.checking import KEPT, settings_of
from rookery.errors import RookeryError


def as_shown(kind: Kind, type_: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """What stands there and what holds by default; as it was written where it does not fit."""
    try:
        shown = settings_of(kind, type_, item).shown()
    except RookeryError:
        shown = {
            key: value for key, value in without_secrets(dict(item)).items() if key not in KEPT
        }
    shown["enable"] = is_enabled(item)
    hidden: dict[str, Any] = _texts(shown)
    return hidden


def _texts(value: Any, key: str = "", above: str = "") -> Any:
    """What is written out in templates and statements, hidden as everywhere else; placeholders
    stay, and what is sent back hidden is found again.
    """
    if isinstance(value, dict):
        return {name: _texts(item, name, key) for name, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if not isinstance(value, str):
        return value
    is_path = is_path_of_request(key, above)
    return path_without_secrets(value) if is_path else text_without_secrets(value)
