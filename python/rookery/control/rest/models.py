"""Base classes of what ``/api`` takes and gives: camelCase outside, our names inside."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

T = TypeVar("T")


class Given(BaseModel):
    """What a client sends. A member that nobody knows is an error."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Shown(BaseModel):
    """What a client gets."""

    model_config = ConfigDict(
        extra="ignore",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        from_attributes=True,
    )


class Items(Shown, Generic[T]):
    """A part of a list."""

    items: list[T] = Field(description="The rows of this part.")
    total: int = Field(ge=0, description="Rows of the whole list.", examples=[1])


_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_000
"""What a date can say. Times of other machines may be anything, and one must not cost a whole list."""


def rfc3339(time_ms: int) -> str:
    """``2026-01-31T08:00:00.000Z``."""
    seconds = min(max(time_ms, _FIRST_MS), _LAST_MS) / 1000
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


Time = Annotated[
    int,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema(
        {"type": "string", "format": "date-time", "examples": ["2026-01-31T08:00:00.000Z"]}
    ),
]
"""Milliseconds in tables, RFC 3339 in answers."""

Id = Annotated[
    str,
    Field(pattern="^[0-9a-f]{16}$", description="Sixteen hexadecimal digits.",
          examples=["4f0c9a1b2d3e5f60"]),
]  # fmt: skip
