"""What a form of each type is drawn from: JSON schemas with texts in both languages."""

from __future__ import annotations

from functools import cache
from typing import Any

from rookery.connectors.registry import connector_type, type_names, why_missing
from rookery.connectors.schema import schema_of
from rookery.connectors.status import Kind as Role

ROLES: tuple[Role, ...] = ("connector", "action", "source")


@cache
def type_rows() -> tuple[dict[str, Any], ...]:
    """Every type. Large, and never another one while the node runs."""
    return tuple(_row(name) for name in type_names())


def _row(name: str) -> dict[str, Any]:
    kind = connector_type(name)
    missing = why_missing(kind)
    return {
        "type": name,
        "title": kind.title.en,
        "title_zh": kind.title.zh,
        "description": kind.about.en,
        "description_zh": kind.about.zh,
        "is_available": missing is None,
        "missing": "" if missing is None else missing.en,
        "missing_zh": "" if missing is None else missing.zh,
        **{role: schema_of(kind, role) for role in ROLES},
    }
