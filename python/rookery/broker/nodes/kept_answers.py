"""Answers of authorization that nodes remember: shown and forgotten wherever a client is.

Every node remembers its own. Whoever has them forgotten takes a right away, perhaps: a node that does not
answer is an error that names it, and every other node has forgotten all the same.
"""

from __future__ import annotations

import asyncio
from typing import Any

from rookery.broker.nodes.service import Nodes
from rookery.errors import RookeryError, UnavailableError
from rookery.native.node import Node

_SHOW, _FORGET = "answers.show", "answers.forget"


class KeptAnswers:
    """Asks this node and the others."""

    def __init__(self, nodes: Nodes, native: Node) -> None:
        self._nodes = nodes
        self._native = native
        nodes.serve(_SHOW, self._serve_show)
        nodes.serve(_FORGET, self._serve_forget)

    async def of(self, client_id: str) -> list[dict[str, Any]] | None:
        """What was answered about the topics of a client and is kept; none: no node knows it."""
        own = await asyncio.to_thread(self._own, client_id)
        if own:
            return own
        others = await self._nodes.ask_others(_SHOW, {"client_id": client_id})
        found = [rows for rows in (own, *others.values()) if rows is not None]
        return max(found, key=len, default=None)

    def _own(self, client_id: str) -> list[dict[str, Any]] | None:
        found = self._native.lists.acl_cache(client_id)
        if found is None:
            return None
        return [
            {
                "access": kept.action,
                "topic": kept.topic,
                "result": "allow" if kept.is_allowed else "deny",
                "updated_time": kept.at_ms,
                "qos": kept.qos,
                "retain": kept.retain,
            }
            for kept in found
        ]

    async def _serve_show(self, body: Any) -> Any:
        return await asyncio.to_thread(self._own, str(body["client_id"]))

    async def forget(self, client_id: str | None = None, on_node: str | None = None) -> bool:
        """Have answers forgotten about one client, or about all; on every node, or on one.

        Whether there is such a client.

        Raises:
            NotFoundError: there is no node of that name.
            UnavailableError: a node does not answer, and may still remember.
        """
        names = [self._nodes.name, *self._nodes.others()]
        if on_node is not None:
            names = [self._nodes.known(on_node)]
        asked = [self._forget_on(name, client_id) for name in names]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, RookeryError):
                raise UnavailableError(
                    f"{name} may remember answers still: {answer.message}",
                    message_zh=f"{name} 上的缓存可能尚未清除：{answer.message_zh or answer.message}",
                )
            if isinstance(answer, BaseException):
                raise answer
        return any(answers)

    async def _forget_on(self, name: str, client_id: str | None) -> bool:
        if name == self._nodes.name:
            return await asyncio.to_thread(self._forget, client_id)
        return bool(await self._nodes.ask(name, _FORGET, {"client_id": client_id}))

    def _forget(self, client_id: str | None) -> bool:
        is_known = client_id is None or self._native.lists.client_view(client_id) is not None
        self._native.purge_acl_cache(client_id)
        return is_known

    async def _serve_forget(self, body: Any) -> Any:
        client_id = body["client_id"]
        return await asyncio.to_thread(self._forget, None if client_id is None else str(client_id))
