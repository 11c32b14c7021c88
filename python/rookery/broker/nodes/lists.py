"""Clients, subscriptions and topic filters of all nodes, and ending sessions wherever they are.

Every node filters, sorts and counts its own; whoever is asked puts the pages together. Without an order
the nodes come one after the other, by name, and only those that a page reaches are asked for rows. A
node that does not answer within the deadline is left out and logged: it holds nobody up.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeAlias

from rookery.broker.clients.rows import client_row, subscription_row
from rookery.broker.nodes.service import Nodes
from rookery.errors import BadRequestError, RookeryError
from rookery.native.lists import ClientQuery, Lists, SubscriptionQuery, TopicQuery

Kind: TypeAlias = Literal["clients", "subscriptions", "topics"]
Query: TypeAlias = ClientQuery | SubscriptionQuery | TopicQuery
Rows: TypeAlias = list[dict[str, Any]]

SORTED_MAX = 10_000
"""How far a sorted list of several nodes reaches: each has to send everything before it."""
ROWS_OF_ONE_MAX = 2000
"""Most rows in one answer of a node."""
_QUERIES: Mapping[str, type[Query]] = {
    "clients": ClientQuery,
    "subscriptions": SubscriptionQuery,
    "topics": TopicQuery,
}
_PAGE, _AFTER, _CLIENT, _KICK = "lists.page", "lists.after", "lists.client", "lists.kick"
_TOPIC = "lists.topic"


class Part(NamedTuple):
    """Rows of a list, and how long the whole list is."""

    rows: Rows
    total: int


class After(NamedTuple):
    """Rows of a list, and where it goes on; empty: nowhere."""

    rows: Rows
    cursor: str


class NodeLists:
    """Asks this node and the others."""

    def __init__(self, nodes: Nodes, lists: Lists) -> None:
        self._nodes = nodes
        self._lists = lists
        nodes.serve(_PAGE, self._serve_page)
        nodes.serve(_AFTER, self._serve_after)
        nodes.serve(_CLIENT, self._serve_client)
        nodes.serve(_KICK, self._serve_kick)
        nodes.serve(_TOPIC, self._serve_topic)

    def _running(self) -> list[str]:
        return sorted([self._nodes.name, *self._nodes.others()])

    # -- pages -----------------------------------------------------------------------------

    async def page(
        self, kind: Kind, query: Query, start: int, limit: int, on_node: str | None = None
    ) -> Part:
        """Rows from ``start`` on, of one node or of all that run.

        Raises:
            BadRequestError: a sorted list of several nodes does not reach that far.
            UnavailableError: ``on_node`` does not run.
        """
        names = self._running() if on_node is None else [on_node]
        if len(names) == 1:
            return await self._of_one(names[0], kind, query, start, limit)
        if _is_sorted(query):
            return await self._sorted(names, kind, query, start, limit)
        counts = await self._each(names, kind, query, 0, 0)
        rows: Rows = []
        before = 0
        for name, part in counts.items():
            first = max(0, start - before)
            wanted = min(limit - len(rows), part.total - first)
            before += part.total
            if wanted > 0:
                found = await self._each([name], kind, query, first, wanted)
                rows += found[name].rows if name in found else []
        return Part(rows, before)

    async def _sorted(
        self, names: Sequence[str], kind: Kind, query: Query, start: int, limit: int
    ) -> Part:
        end = start + limit
        if end > SORTED_MAX:
            raise BadRequestError(
                f"a sorted list of several nodes reaches to row {SORTED_MAX}: filter it, ask for one "
                "node, or leave the order out",
                code="INVALID_PARAMETER",
                message_zh=f"多节点排序列表最多到第 {SORTED_MAX} 行：请增加筛选条件、指定节点，或不排序",
            )
        parts = (await self._each(names, kind, query, 0, end)).values()
        field = "topic" if isinstance(query, TopicQuery) else str(query.sort)
        merged = heapq.merge(
            *(part.rows for part in parts),
            key=lambda row: _rank(row.get(field)),
            reverse=query.is_descending,
        )
        return Part(list(islice(merged, start, end)), sum(part.total for part in parts))

    async def _each(
        self, names: Sequence[str], kind: Kind, query: Query, start: int, limit: int
    ) -> dict[str, Part]:
        async def one(name: str) -> Part | None:
            try:
                return await self._of_one(name, kind, query, start, limit)
            except RookeryError as error:
                self._nodes.left_out(f"{kind} of {name}", error)
                return None

        found = await asyncio.gather(*(one(name) for name in names))
        return {name: part for name, part in zip(names, found, strict=True) if part is not None}

    async def _of_one(self, name: str, kind: Kind, query: Query, start: int, limit: int) -> Part:
        if name == self._nodes.name:
            return await asyncio.to_thread(self._own_page, kind, query, start, limit)
        rows: Rows = []
        while True:
            body = {
                "kind": kind,
                "query": query._asdict(),
                "start": start + len(rows),
                "limit": min(limit - len(rows), ROWS_OF_ONE_MAX),
            }
            answer = await self._nodes.ask(name, _PAGE, body)
            rows += answer["rows"]
            if len(rows) >= limit or not answer["rows"]:
                return Part(rows, answer["total"])

    def _own_page(self, kind: Kind, query: Query, start: int, limit: int) -> Part:
        name = self._nodes.name
        if isinstance(query, ClientQuery):
            clients, count = self._lists.clients_page(query, start, limit)
            return Part([client_row(client, name) for client in clients], count)
        if isinstance(query, SubscriptionQuery):
            views, count = self._lists.subscriptions_page(query, start, limit)
            return Part([subscription_row(view, name) for view in views], count)
        topics, count = self._lists.topics_page(query, start, limit)
        return Part([{"topic": topic, "node": name} for topic in topics], count)

    async def _serve_page(self, body: Any) -> Any:
        kind, query = body["kind"], _query(body["kind"], body["query"])
        limit = min(int(body["limit"]), ROWS_OF_ONE_MAX)
        part = await asyncio.to_thread(self._own_page, kind, query, int(body["start"]), limit)
        return part._asdict()

    # -- by cursor -------------------------------------------------------------------------

    async def after(
        self, query: ClientQuery, cursor: str, limit: int, on_node: str | None
    ) -> After:
        """Clients from a cursor on, one node after the other.

        Raises:
            ValueError: that is no cursor.
            RookeryError: a node does not answer: without it the list would have a gap.
        """
        names = self._running() if on_node is None else [on_node]
        number, _, at = cursor.partition("@")
        place = _place(number)
        at = at or names[0]
        rows: Rows = []
        for name in (name for name in names if name >= at):
            if len(rows) >= limit:
                # There is a next answer only where somebody would be in it.
                if (await self._after_of(name, query, 0, 1))[0]:
                    return After(rows, f"0@{name}")
                continue
            start = place if name == at else 0
            while True:
                most = min(limit - len(rows), ROWS_OF_ONE_MAX)
                found, start = await self._after_of(name, query, start, most)
                rows += found
                if not start:
                    break
                if len(rows) >= limit:
                    return After(rows, str(start) if len(names) == 1 else f"{start}@{name}")
        return After(rows, "")

    async def _after_of(
        self, name: str, query: ClientQuery, start: int, limit: int
    ) -> tuple[Rows, int]:
        if name == self._nodes.name:
            return await asyncio.to_thread(self._own_after, query, start, limit)
        body = {"query": query._asdict(), "start": start, "limit": limit}
        answer = await self._nodes.ask(name, _AFTER, body)
        return answer["rows"], int(answer["following"])

    def _own_after(self, query: ClientQuery, start: int, limit: int) -> tuple[Rows, int]:
        found, following = self._lists.clients_after(query, start, limit)
        return [client_row(client, self._nodes.name) for client in found], following

    async def _serve_after(self, body: Any) -> Any:
        query = _query("clients", body["query"])
        assert isinstance(query, ClientQuery)
        limit = min(int(body["limit"]), ROWS_OF_ONE_MAX)
        found = await asyncio.to_thread(self._own_after, query, int(body["start"]), limit)
        return {"rows": found[0], "following": found[1]}

    async def of_topic(self, topic_filter: str, on_node: str | None = None) -> list[str]:
        """The nodes on which somebody subscribed to a filter, by name."""
        found = {self._nodes.name: await asyncio.to_thread(self._lists.has_topic, topic_filter)}
        found |= await self._nodes.ask_others(_TOPIC, {"topic": topic_filter})
        return sorted(
            name for name, is_there in found.items() if is_there and on_node in (None, name)
        )

    async def _serve_topic(self, body: Any) -> Any:
        return await asyncio.to_thread(self._lists.has_topic, str(body["topic"]))

    # -- one client ------------------------------------------------------------------------

    async def client(self, client_id: str) -> dict[str, Any] | None:
        """A client, wherever it is; one that is connected rather than one that is away."""
        own = await asyncio.to_thread(self._own_client, client_id)
        if own is not None and own["connected"]:
            return own
        answers = await self._nodes.ask_others(_CLIENT, {"client_id": client_id})
        rows = [row for row in (own, *answers.values()) if row is not None]
        return max(rows, key=lambda row: bool(row["connected"]), default=None)

    def _own_client(self, client_id: str) -> dict[str, Any] | None:
        found = self._lists.client_view(client_id)
        return None if found is None else client_row(found, self._nodes.name)

    async def _serve_client(self, body: Any) -> Any:
        return await asyncio.to_thread(self._own_client, str(body["client_id"]))

    async def kick(self, client_ids: Sequence[str]) -> int:
        """End connections and sessions on every node; how many there were."""
        others, own = await asyncio.gather(
            self._nodes.ask_others(_KICK, {"client_ids": list(client_ids)}),
            asyncio.to_thread(self._lists.kick_all, client_ids),
        )
        count: int = own + sum(others.values())
        return count

    async def _serve_kick(self, body: Any) -> Any:
        client_ids = [str(client_id) for client_id in body["client_ids"]]
        return await asyncio.to_thread(self._lists.kick_all, client_ids)


def _is_sorted(query: Query) -> bool:
    return query.is_sorted if isinstance(query, TopicQuery) else query.sort is not None


def _rank(value: Any) -> tuple[bool, Any]:
    """As the core sorts: what is not there comes first."""
    return (False, 0) if value is None else (True, value)


def _query(kind: str, plain: Mapping[str, Any]) -> Query:
    """What another node asks; of a later version only what is known here."""
    shape = _QUERIES[kind]
    known: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in plain.items()
        if name in shape._fields
    }
    return shape(**known)


def _place(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) < 1 << 63):
        raise ValueError("no cursor")
    return int(text)
