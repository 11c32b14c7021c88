"""Looks for clients in all clusters of a project at once, through their agents.

Whatever a cluster does, the answer comes in time: those that did not answer are named, with why.

**Bounds.** At most :data:`CLUSTERS_MAX` clusters are asked, :data:`AT_ONCE` at a time, for
:data:`SEARCH_S` altogether and :data:`CLUSTER_S` each; of each at most the clients that were asked for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

from sqlalchemy import select

from rookery.control.agents.store import AgentRow
from rookery.control.caller import Access
from rookery.control.clusters.state import Presence
from rookery.control.clusters.store import ClusterRow
from rookery.control.errors import Text
from rookery.control.relay.tunnel import Call, Tunnel, TunnelTimeoutError
from rookery.errors import RookeryError
from rookery.storage.database import Database

CLUSTERS_MAX = 1_000
AT_ONCE = 32
CLUSTER_S = 8.0
SEARCH_S = 15.0
ANSWER_BYTES_MAX = 4 << 20
_TEXT_MAX = 300

Field: TypeAlias = Literal["clientid", "username", "ip"]
Outcome: TypeAlias = Literal["answered", "notConnected", "failed", "timeout", "notAsked"]
# Documented by EMQX; an address is compared whole there.
_PARAMETERS: Mapping[Field, str] = {
    "clientid": "like_clientid",
    "username": "like_username",
    "ip": "ip_address",
}

NOT_CONNECTED = Text("its agent is not connected", "代理未连接")
TOO_LATE = Text("no answer in time", "未在规定时间内应答")
NOT_ASKED = Text("not asked: there was no time left", "未查询：时间已用完")
BAD_ANSWER = Text("the cluster answered {status}: {message}", "集群返回 {status}：{message}")
NO_LIST = Text("the cluster's answer is no list of clients", "集群的应答不是客户端列表")


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of one cluster.

    Attributes:
        cluster_id: Which,
        cluster_name: and what it is called.
        outcome: Whether it answered.
        text: Why not, in English and Chinese.
        total: How many clients it found; None: it did not say.
        clients: The first of them, as the cluster shows them.
    """

    cluster_id: str
    cluster_name: str
    outcome: Outcome
    text: Text | None = None
    total: int | None = None
    clients: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class _Target:
    id: str
    name: str
    presence: str
    agent_id: str | None


class ClientSearch:
    """Searches."""

    def __init__(self, database: Database, tunnel: Tunnel) -> None:
        self._database = database
        self._tunnel = tunnel

    async def search(
        self, access: Access, field: Field, text: str, limit: int, clusters: Sequence[str] = ()
    ) -> Sequence[Asked]:
        """What each cluster of the project found, in the order of their names."""
        targets = await self._targets(access, clusters)
        turn = asyncio.Semaphore(AT_ONCE)
        query = urlencode({_PARAMETERS[field]: text, "limit": limit, "page": 1})
        path = f"/api/v5/clients?{query}"
        asking = {asyncio.create_task(self._ask(target, path, turn)): target for target in targets}
        if not asking:
            return []
        try:
            done, _ = await asyncio.wait(asking, timeout=SEARCH_S)
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
        return [
            task.result() if task in done else Asked(item.id, item.name, "notAsked", NOT_ASKED)
            for task, item in asking.items()
        ]

    async def _targets(self, access: Access, clusters: Sequence[str]) -> list[_Target]:
        query = (
            select(ClusterRow.id, ClusterRow.name, ClusterRow.presence, AgentRow.id)
            .outerjoin(AgentRow, AgentRow.cluster_id == ClusterRow.id)
            .where(ClusterRow.project_id == access.project, ClusterRow.registered_at.is_not(None))
            .order_by(ClusterRow.name, ClusterRow.id)
            .limit(CLUSTERS_MAX)
        )
        if clusters:
            query = query.where(ClusterRow.id.in_(clusters))
        async with self._database.read() as session:
            return [_Target(*row) for row in await session.execute(query)]

    async def _ask(self, target: _Target, path: str, turn: asyncio.Semaphore) -> Asked:
        if target.agent_id is None or target.presence != Presence.ONLINE:
            return Asked(target.id, target.name, "notConnected", NOT_CONNECTED)
        call = Call(
            "GET", path, (("accept", "application/json"),), credential="key", timeout_s=CLUSTER_S
        )
        async with turn:
            try:
                async with self._tunnel.call(target.agent_id, call) as answer:
                    if answer.error:
                        reason = answer.error[:_TEXT_MAX]
                        return Asked(target.id, target.name, "failed", Text(reason, reason))
                    content = await answer.read(ANSWER_BYTES_MAX)
                    status = answer.status
            except TunnelTimeoutError:
                return Asked(target.id, target.name, "timeout", TOO_LATE)
            except RookeryError as error:
                return _failed(target, error)
        return _read(target, status, content)


def _failed(target: _Target, error: RookeryError) -> Asked:
    says = getattr(error, "text", lambda _language: error.message)
    text = Text(says("en")[:_TEXT_MAX], says("zh")[:_TEXT_MAX])
    return Asked(target.id, target.name, "failed", text)


def _read(target: _Target, status: int, content: bytes) -> Asked:
    try:
        found = json.loads(content or b"null")
    except (ValueError, RecursionError):
        found = None
    given = found if isinstance(found, dict) else {}
    if status != 200:
        message = str(given.get("message", ""))[:_TEXT_MAX]
        text = Text(*(item.format(status=status, message=message) for item in BAD_ANSWER))
        return Asked(target.id, target.name, "failed", text)
    rows, meta = given.get("data"), given.get("meta")
    if not isinstance(rows, list):
        return Asked(target.id, target.name, "failed", NO_LIST)
    count = meta.get("count") if isinstance(meta, dict) else None
    total = count if isinstance(count, int) and not isinstance(count, bool) else None
    clients = [row for row in rows if isinstance(row, dict)]
    return Asked(target.id, target.name, "answered", None, total, clients)
