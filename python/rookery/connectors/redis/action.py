"""Commands to Redis: the same for each result, with other arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.access.databases.redis_connections import RedisConnections
from rookery.access.databases.redis_errors import CLIENT_ERRORS, is_answer, is_passing, words_of
from rookery.access.errors import Words
from rookery.connectors.base import Action, ItemFailure, Recoverable, Unrecoverable
from rookery.connectors.redis.command import parse_command
from rookery.connectors.redis.settings import RedisActionSettings
from rookery.native.action_fields import ActionItem

_STOPPED = Words("the connector is stopped", "连接器已停止")


class RedisAction(Action):
    """A batch is a pipeline: commands in their order, each with an answer of its own."""

    batch = True

    def __init__(self, settings: RedisActionSettings, connections: RedisConnections) -> None:
        """Take the command apart.

        Raises:
            SettingError: there is no such command, or it cannot be used here.
        """
        self._name, self.fields = parse_command(settings.parameters.command_template)
        self._connections = connections

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure]:
        client = self._connections.client
        if client is None:
            raise Recoverable(_STOPPED)
        try:
            answers = await self._answers(client, items)
        except CLIENT_ERRORS as error:
            if not is_passing(error) and len(items) > 1:
                # A client that finds no node for one of the commands has sent none.
                return await self._apart(items)
            if not is_passing(error):
                raise Unrecoverable(words_of(error, self._connections.place)) from error
            raise Recoverable(
                words_of(error, self._connections.place), is_connection=not is_answer(error)
            ) from error
        return _failures(items, answers, self._connections.place)

    async def _apart(self, items: Sequence[ActionItem]) -> list[ItemFailure]:
        failures: list[ItemFailure] = []
        for item in items:
            try:
                failures += await self.send([item])
            except Unrecoverable as error:
                failures.append(ItemFailure(item.number, error.words))
        return failures

    async def _answers(self, client: Any, items: Sequence[ActionItem]) -> list[Any]:
        async with self._connections.places:
            if len(items) == 1:
                return [await client.execute_command(self._name, *self._arguments(items[0]))]
            pipeline = client.pipeline(transaction=False)
            for item in items:
                pipeline.execute_command(self._name, *self._arguments(item))
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
            return answers

    def _arguments(self, item: ActionItem) -> Sequence[Any]:
        return item.fields[: len(self.fields)]


def _failures(items: Sequence[ActionItem], answers: Sequence[Any], place: str) -> list[ItemFailure]:
    failed = [
        (item, answer)
        for item, answer in zip(items, answers, strict=True)
        if isinstance(answer, CLIENT_ERRORS)
    ]
    if len(failed) == len(items) and all(is_passing(error) for _, error in failed):
        error = failed[0][1]
        raise Recoverable(words_of(error, place), is_connection=not is_answer(error)) from error
    return [
        ItemFailure(item.number, words_of(error, place), is_recoverable=is_passing(error))
        for item, error in failed
    ]
