"""``${placeholders}`` in what an operator wrote: URLs, bodies, queries, claims.

A template is taken apart once. What is put in is data: :meth:`Template.render` joins text,
:meth:`Template.split` leaves the values apart for those who bind them (SQL, Redis), so that nothing
a client sent is ever part of a command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

from rookery.access.errors import SettingError, Words

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.]*)\}")
_UNKNOWN = Words(
    "{where}: ${{{name}}} is not known here; known: {known}",
    "{where}：此处不支持 ${{{name}}}，支持：{known}",
)
_ATTRIBUTE = "client_attrs."
TEMPLATE_LENGTH_MAX = 65_535

Variables: TypeAlias = Callable[[str], str | bytes | None]
"""Gives the value of a placeholder, or none."""


class MissingValueError(Exception):
    """A placeholder has no value; the question cannot be put."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Template:
    """Text with placeholders. ``parts`` are text and names in turn, beginning with text."""

    __slots__ = ("_parts", "source")

    def __init__(self, source: str, *, known: Collection[str], where: str) -> None:
        """Take a template apart.

        Raises:
            SettingError: a placeholder is none of ``known``.
        """
        self.source = source
        self._parts = _PLACEHOLDER.split(source)
        for name in self.names:
            if name not in known and not name.startswith(_ATTRIBUTE):
                raise SettingError(
                    _UNKNOWN.format(
                        where=where, name=name, known=", ".join(sorted(known)) + ", client_attrs.*"
                    )
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The placeholders in their order."""
        return tuple(self._parts[1::2])

    def __repr__(self) -> str:
        return f"Template({self.source!r})"

    def render(
        self,
        variables: Variables,
        *,
        escape: Callable[[str], str] = str,
        missing: str | None = "",
    ) -> str:
        """The text with every value put in.

        Args:
            variables: Where values come from.
            escape: What is done to each value.
            missing: What stands for a value that is not there.

        Raises:
            MissingValueError: a value is not there and ``missing`` is none.
        """
        if len(self._parts) == 1:
            return self.source
        return "".join(
            escape(self._value(part, variables, missing)) if index % 2 else part
            for index, part in enumerate(self._parts)
        )

    @staticmethod
    def _value(name: str, variables: Variables, missing: str | None) -> str:
        value = variables(name)
        if value is None:
            if missing is None:
                raise MissingValueError(name)
            return missing
        return value if isinstance(value, str) else value.decode("utf-8", "replace")

    def split(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The texts between the placeholders, one more than there are names; and the names."""
        return tuple(self._parts[0::2]), self.names


Shape: TypeAlias = Template | int | float | bool | dict[str, "Shape"] | list["Shape"] | None
"""A template of a JSON value."""

JsonValue: TypeAlias = (
    str | int | float | bool | Mapping[str, "JsonValue"] | list["JsonValue"] | None
)


def shape_of(value: object, *, known: Collection[str], where: str) -> Shape:
    """A JSON value with templates for its texts; names of members are taken as they are.

    Raises:
        SettingError: a placeholder is none of ``known``.
    """
    if isinstance(value, str):
        return Template(value, known=known, where=where)
    if isinstance(value, Mapping):
        return {
            str(name): shape_of(member, known=known, where=f"{where}.{name}")
            for name, member in value.items()
        }
    if isinstance(value, list | tuple):
        return [shape_of(item, known=known, where=where) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return Template(str(value), known=known, where=where)


def render_shape(shape: Shape, variables: Variables) -> JsonValue:
    """The JSON value with every value put in."""
    if isinstance(shape, Template):
        return shape.render(variables)
    if isinstance(shape, dict):
        return {name: render_shape(member, variables) for name, member in shape.items()}
    if isinstance(shape, list):
        return [render_shape(item, variables) for item in shape]
    return shape
