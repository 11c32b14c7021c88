"""Documents into Elasticsearch, many with one request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rookery.connectors.base import Action, ItemFailure, Recoverable, Unhealthy
from rookery.connectors.elasticsearch.answers import IN_PARTS, of_entries, of_request, status_words
from rookery.connectors.elasticsearch.lines import Entry, Lines, NoLinesError
from rookery.connectors.elasticsearch.settings import ElasticsearchActionSettings
from rookery.native.action_fields import ActionItem

# Only what is read of the answer.
_PATH = "_bulk?filter_path=errors,error,items.*.status,items.*.error"


class Cluster(Protocol):
    """What an action needs of its connector."""

    async def send(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; raises Unhealthy when there is none."""
        ...


class ElasticsearchAction(Action):
    """A batch is a bulk request, in which each operation has a result of its own."""

    batch = True

    def __init__(self, settings: ElasticsearchActionSettings, cluster: Cluster) -> None:
        self._lines = Lines(settings.parameters)
        self.fields = self._lines.fields
        self._cluster = cluster

    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure]:
        entries: list[Entry] = []
        failures: list[ItemFailure] = []
        for item in items:
            try:
                entries.append(self._lines.entry(item))
            except NoLinesError as error:
                failures.append(ItemFailure(item.number, error.words))
        if entries:
            failures += await self._store(entries)
        return failures

    async def _store(self, entries: Sequence[Entry]) -> list[ItemFailure]:
        body = b"".join(entry.lines for entry in entries)
        try:
            status, answer = await self._cluster.send(_PATH, body)
        except Unhealthy as error:
            raise Recoverable(error.words) from error
        if status == 200:
            return of_entries(entries, answer)
        if status not in IN_PARTS:
            raise of_request(status, answer)
        if len(entries) == 1:
            return [ItemFailure(entries[0].number, status_words(status, answer))]
        # One is not valid, an id of more than 512 octets say, or all are too large together.
        middle = len(entries) // 2
        failures = await self._store(entries[:middle])
        try:
            failures += await self._store(entries[middle:])
        except Recoverable as error:  # the first half is stored, and not to be sent again
            failures += [
                ItemFailure(entry.number, error.words, is_recoverable=True)
                for entry in entries[middle:]
            ]
        return failures
