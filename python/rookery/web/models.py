"""Base classes of what the REST interface takes and gives."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, RootModel, field_validator
from pydantic_core import CoreSchema

T = TypeVar("T")

PAGE_DEFAULT = 1
# Times the longest page it is still a number that databases know.
PAGE_MAX = (1 << 31) - 1
LIMIT_DEFAULT = 100
LIMIT_MAX = 10_000
DEPTH_MAX = 64


class Model(BaseModel):
    """What a client sends. A member that nobody knows is an error, not a typing mistake that
    silently does nothing.
    """

    model_config = ConfigDict(extra="forbid")


class Row(BaseModel):
    """What a client gets. Members that the class does not name are left out of the answer."""

    model_config = ConfigDict(extra="ignore")


class ErrorBody(Row):
    """What every refused request gets."""

    code: str = Field(
        description="What went wrong, for programs; `GET /error_codes` lists all.",
        examples=["NOT_FOUND"],
    )
    # EMQX: text, or an object where several things are wrong.
    message: Any = Field(description="The same for people.", examples=["no such thing"])


class PageMeta(Row):
    """Where a page stands in its list."""

    page: int = Field(ge=1, description="Number of this page, from 1.", examples=[1])
    limit: int = Field(ge=1, le=LIMIT_MAX, description="Most rows on a page.", examples=[100])
    count: int = Field(
        default=0,
        ge=0,
        description="Rows on all pages; absent where counting costs too much.",
        examples=[1],
    )
    hasnext: bool = Field(description="Whether there is another page.", examples=[False])


class Page(Row, Generic[T]):
    """A page of a list."""

    data: list[T] = Field(description="The rows.")
    meta: PageMeta = Field(description="Where the page stands in the list.")


class Settings(RootModel[dict[str, Any]]):
    """An object whose keys the schema of the configuration describes, and checks.

    Attributes:
        shape: Its JSON schema.
    """

    shape: ClassVar[dict[str, Any]] = {"type": "object"}

    @field_validator("root")
    @classmethod
    def _is_plain(cls, root: dict[str, Any]) -> dict[str, Any]:
        """What a file of changes can hold: text in UTF-8, not nested without end."""
        if _depth(root) > DEPTH_MAX:
            raise ValueError(f"nested deeper than {DEPTH_MAX}")
        try:
            json.dumps(root, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("half of a surrogate pair is no text") from None
        return root

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"title": cls.__name__, **cls.shape}


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level and depth <= DEPTH_MAX:
        depth += 1
        below = [item.values() if isinstance(item, dict) else item for item in level]
        level = [
            child for items in below for child in items if isinstance(child, (dict, list)) and child
        ]
    return depth
