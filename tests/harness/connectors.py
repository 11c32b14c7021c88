"""Drives a connector by hand, in the simplest way that keeps order: one batch after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rookery.access.errors import Words
from rookery.connectors.base import Action, Connector, Context, ItemFailure, Recoverable, Unhealthy
from rookery.native.action_fields import ActionItem, FieldValue

PAUSE_S = 0.05
BATCH = 20


def context(folder: Path, name: str = "test:remote", node: str = "rookery@127.0.0.1") -> Context:
    return Context(id=name, node=node, data_dir=folder)


def item(number: int, *fields: FieldValue, key: int = 1, made_at_ms: int = 0) -> ActionItem:
    """A result of a rule, with what the action asked for."""
    return ActionItem(number, "test", key, made_at_ms, fields)


async def connected(connector: Connector[Any, Any]) -> None:
    """Return when it is connected, however often that takes."""
    while True:
        try:
            await connector.start()
        except Unhealthy:
            await asyncio.sleep(PAUSE_S)
        else:
            return


class Sender:
    """Sends until everything was taken or refused for good; connects again when it must."""

    def __init__(self, connector: Connector[Any, Any], action: Action) -> None:
        self.connector = connector
        self.action = action
        self.failed: list[ItemFailure] = []
        self.again = 0

    async def send(self, items: Sequence[ActionItem]) -> None:
        waiting = list(items)
        while waiting:
            batch = waiting[:BATCH]
            try:
                failures = list(await self.action.send(batch) or ())
            except Recoverable as error:
                failures = [
                    ItemFailure(it.number, error.words, is_recoverable=True) for it in batch
                ]
            again = {failure.number for failure in failures if failure.is_recoverable}
            self.failed += [failure for failure in failures if not failure.is_recoverable]
            waiting = [it for it in batch if it.number in again] + waiting[BATCH:]
            if again:
                self.again += 1
                await self._connect_again()

    async def _connect_again(self) -> None:
        await self.action.stop()
        await self.connector.stop()
        while True:
            try:
                await self.connector.start()
                await self.action.start()
            except Unhealthy:
                await asyncio.sleep(PAUSE_S)
            else:
                return


def words(failure: ItemFailure) -> str:
    return failure.reason.en if isinstance(failure.reason, Words) else failure.reason


def in_order(numbers: Sequence[int]) -> list[int]:
    """The numbers without what was sent again; fails if one came after a later one only."""
    first: list[int] = []
    for number in numbers:
        if number not in first:
            assert not first or number > first[-1], f"{number} came after {first[-1]}"
            first.append(number)
    return first
