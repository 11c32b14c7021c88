"""What a form of each type is drawn from: JSON schemas with texts in both languages."""

from __future__ import annotations

from functools import cache
from typing import Any

from rookery.connectors.registry import connector_type, is_installed, type_names
from rookery.connectors.schema import schema_of

# Said beside, or in the path.
_NOT_IN_FORMS = ("enable", "connector")


@cache
def type_rows() -> tuple[dict[str, Any], ...]:
    """Every type. Large, and never another one while the node runs."""
    return tuple(_row(name) for name in type_names())


def _row(name: str) -> dict[str, Any]:
    kind = connector_type(name)
    is_available = is_installed(kind)
    return {
        "type": name,
        "title": kind.title.en,
        "title_zh": kind.title.zh,
        "description": kind.about.en,
        "description_zh": kind.about.zh,
        "is_available": is_available,
        "missing": "" if is_available else f"pip install 'rookery[{kind.extra}]'",
        **{
            part: None if schema is None else _form(schema)
            for part, schema in (
                (part, schema_of(kind, part)) for part in ("connector", "action", "source")
            )
        },
    }


def _form(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    kept = {key: value for key, value in properties.items() if key not in _NOT_IN_FORMS}
    required = [key for key in schema.get("required", ()) if key not in _NOT_IN_FORMS]
    return {**schema, "properties": kept, "required": required}
