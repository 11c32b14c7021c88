"""What stands in for a connector whose client library is not installed: the node runs all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.access.errors import Words
from rookery.connectors.base import Action, Connector, ItemFailure, Receive, Source, Unhealthy
from rookery.native.action_fields import ActionItem, Row


class MissingConnector(Connector[Any, Any]):
    """Never connects; ``words`` say what to install."""

    def __init__(self, words: Words) -> None:
        self._words = words

    async def start(self) -> None:
        raise Unhealthy(self._words)

    async def stop(self) -> None:
        """There is nothing to stop."""

    async def check(self) -> None:
        raise Unhealthy(self._words)

    def open_action(self, settings: Any) -> Action:
        del settings
        return _MissingAction(self._words)

    def open_source(self, settings: Any, receive: Receive) -> Source:
        del settings, receive
        return _MissingSource(self._words)


class _MissingAction(Action):
    def __init__(self, words: Words) -> None:
        self.fields = (Row(),)
        self._words = words

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure] | None:
        raise Unhealthy(self._words)


class _MissingSource(Source):
    def __init__(self, words: Words) -> None:
        self._words = words

    async def run(self) -> None:
        raise Unhealthy(self._words)
