"""What an export holds: each part can be read, and put back all of it or nothing.

Putting back adds and replaces; what is there and not in the archive stays.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from rookery.broker.settings import NodeSettings
from rookery.config.runtime import KeyPath
from rookery.errors import BadRequestError

Row: TypeAlias = dict[str, Any]
OpenRows: TypeAlias = Callable[[], AbstractContextManager[Iterator[Row]]]
"""Opens the rows of a part; may be called in any thread, and more than once."""


class Part(Protocol):
    """One kind of thing."""

    @property
    def name(self) -> str:
        """Its name in an archive."""
        ...

    def read(self) -> Iterable[Row]:
        """Everything there is; called in a thread."""
        ...

    async def restore(self, rows: OpenRows) -> None:
        """Put rows in place, all of them or none.

        Raises:
            RookeryError: they make no sense, or cannot be put in place.
        """
        ...


class ConfigurationPart:
    """Changes of the configuration that were made while a node ran."""

    name = "configuration"

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings

    def read(self) -> Iterable[Row]:
        stored = self._settings.stored(())
        return [stored] if stored else []

    async def restore(self, rows: OpenRows) -> None:
        trees = await asyncio.to_thread(_all, rows)
        changes: dict[KeyPath, Any] = {}
        for tree in trees:
            changes |= dict(_leaves(tree, ()))
        if changes:
            await self._settings.change("import", "configuration", changes, written_at=())


def _all(rows: OpenRows) -> list[Row]:
    with rows() as found:
        return list(found)


def _leaves(tree: Mapping[str, Any], at: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value


class Each:
    """Rows as something else, made one at a time whenever they are gone through."""

    def __init__(self, rows: OpenRows, make: Callable[[Row], Any]) -> None:
        self._rows = rows
        self._make = make

    def __iter__(self) -> Iterator[Any]:
        with self._rows() as found:
            for number, row in enumerate(found, start=1):
                try:
                    yield self._make(row)
                except (TypeError, ValueError, AttributeError) as error:
                    raise BadRequestError(f"row {number}: {error}") from None


def text_in(row: Row, name: str) -> str:
    """A member that is text.

    Raises:
        BadRequestError: it is something else.
    """
    value = row.get(name)
    if not isinstance(value, str):
        raise BadRequestError(f"{name} is no text")
    return value


def number_in(row: Row, name: str) -> int:
    """A member that is a whole number.

    Raises:
        BadRequestError: it is something else.
    """
    value = row.get(name)
    if type(value) is not int:
        raise BadRequestError(f"{name} is no whole number")
    return value
