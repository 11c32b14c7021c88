"""Connections that bind values as text of the types that a statement has for its parameters.

Imports the client library: only who has an action on PostgreSQL pays for loading it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import asyncpg

from rookery.connectors.pgsql.values import encoder

_STATEMENTS_MAX = 1000  # an action has one; a connection lives longer than an action


class TypedConnection(asyncpg.Connection):  # type: ignore[misc]  # comes without types
    """A connection that knows the types of statements. See :meth:`learn`."""

    __slots__ = ("_learned", "_typed")

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._learned: dict[str, tuple[asyncpg.Type, ...]] = {}
        self._typed: set[int] = set()

    async def learn(self, statement: str, *, again: bool = False) -> tuple[asyncpg.Type, ...]:
        """Prepare a statement and see to it that its parameters are bound as text.

        Args:
            statement: Its text.
            again: Ask the server even if the statement is known.

        Returns:
            The types of the parameters. Arrays are bound as lists.
        """
        known = self._learned.get(statement)
        if known is not None and not again:
            return known
        # The empty name: a statement that is gone after it, for proxies that keep none.
        prepared = await self.prepare(statement, name="")
        parameters: tuple[asyncpg.Type, ...] = prepared.get_parameters()
        for parameter in parameters:
            await self._bind_as_text(parameter)
        if len(self._learned) >= _STATEMENTS_MAX:
            self._learned.clear()
        self._learned[statement] = parameters
        return parameters

    async def _bind_as_text(self, parameter: asyncpg.Type) -> None:
        if parameter.kind != "scalar" or parameter.oid in self._typed:
            return
        with suppress(asyncpg.UnsupportedClientFeatureError):  # a domain: as the client does it
            await self.set_type_codec(
                parameter.name,
                schema=parameter.schema,
                encoder=encoder(parameter.name),
                decoder=str,
                format="text",
            )
        self._typed.add(parameter.oid)
