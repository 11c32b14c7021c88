"""Settings of connectors as people see them: complete with defaults, secrets hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.broker.connectors.definitions import Kind, is_enabled
from rookery.config.secrets import url_without_secrets, without_secrets
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
    hidden: dict[str, Any] = _without_urls(shown)
    return hidden


def _without_urls(value: Any) -> Any:
    """Names and passwords in URLs; templates and statements stay whole, as they are sent back."""
    if isinstance(value, dict):
        return {key: _without_urls(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_urls(item) for item in value]
    return url_without_secrets(value) if isinstance(value, str) else value
