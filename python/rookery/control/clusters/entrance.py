"""Opens the dashboard of a cluster for somebody, signed in, without a password.

The agent asks the cluster for a code that is good once and for half a minute; the browser brings it.
It goes there directly, or to a port of control from which everything passes through the tunnel.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.clusters import store
from rookery.control.clusters.models import Cluster
from rookery.control.clusters.service import RESOURCE
from rookery.control.doors.service import Doors
from rookery.control.doors.store import Target
from rookery.control.doors.visiting import ENTER
from rookery.control.errors import OutOfReachError, TakenError, Text
from rookery.control.relay.tunnel import Answer, Call, Tunnel
from rookery.control.tenancy.permissions import Level, Resource
from rookery.storage.database import Database

CODE_PATH = "/api/v5/sso/code"
ANSWER_BYTES_MAX = 64 * 1024
TIMEOUT_S = 15.0
NOT_SUPPORTED = frozenset({404, 405, 501})

NO_ADDRESS = Text(
    "the address of the cluster's dashboard is not known; enter it with Edit",
    "未填写集群 Dashboard 地址，请在“编辑”中填写",
)
NO_AGENT = Text("no agent is registered for it", "尚未注册代理")
NO_CODES = Text(
    "this cluster (version {version}) gives no sign-in codes: open its dashboard and sign in there",
    "该集群（版本 {version}）不支持免密登录，请直接打开其 Dashboard 登录",
)
REFUSED = Text("the cluster gave no sign-in code: {reason}", "集群未签发登录码：{reason}")


class Entrance:
    """Signs people in to clusters."""

    def __init__(self, database: Database, audit: AuditTrail, tunnel: Tunnel, doors: Doors) -> None:
        self._database = database
        self._audit = audit
        self._tunnel = tunnel
        self._doors = doors

    async def open(self, access: Access, cluster: Cluster, page: str = "") -> str:
        """The address that opens the dashboard, or a page of it, signed in, once.

        Raises:
            TakenError: the cluster has no address or no agent, or gives no codes.
            OutOfReachError: its agent is not connected, or the cluster does not answer.
        """
        if not cluster.row.address:
            raise TakenError(NO_ADDRESS, code="CONFLICT")
        if cluster.agent is None:
            raise TakenError(NO_AGENT, code="CONFLICT")
        code = await self._code(access, cluster, cluster.agent.id)
        await self._tell(access, cluster, "direct")
        return f"{cluster.row.address}/?sso_code={quote(code, safe='')}{_place(page)}"

    async def open_through_tunnel(
        self, access: Access, cluster: Cluster, near: str, page: str = ""
    ) -> str:
        """The same at a port of control, for a cluster that browsers cannot reach.

        A cluster that gives no codes is opened all the same, to sign in there.

        Args:
            access: Who asks.
            cluster: Which.
            near: Scheme and host at which the browser reaches control.
            page: Of the dashboard; none = the first.

        Raises:
            DeniedError: it is no person who signed in.
            TakenError: the cluster has no agent, or there is no port for it.
            OutOfReachError: its agent is not connected, or the cluster does not answer.
        """
        if cluster.agent is None:
            raise TakenError(NO_AGENT, code="CONFLICT")
        try:
            code = await self._code(access, cluster, cluster.agent.id)
        except TakenError:
            code = ""
        way = await self._doors.let_in(access, Target("cluster_id", cluster.row.id))
        await self._tell(access, cluster, "tunnel")
        asked = {"code": way.code} | ({"sso_code": code} if code else {})
        # The redirect behind it names no place, so browsers keep this one.
        return f"{near}:{way.port}{ENTER}?{urlencode(asked)}{_place(page)}"

    async def _tell(self, access: Access, cluster: Cluster, via: str) -> None:
        async with self._database.write() as session:
            row = await store.cluster_of(session, access.project, cluster.row.id)
            self._audit.record(
                session,
                access,
                RESOURCE,
                "enterDashboard",
                object_id=cluster.row.id,
                object_name=cluster.row.name if row is None else row.name,
                after={"via": via},
            )

    async def _code(self, access: Access, cluster: Cluster, agent_id: str) -> str:
        grants = access.caller.grants
        standing = grants.in_project(access.org, access.project)
        may_edit = grants.allows(standing, Resource.CLUSTERS, Level.EDIT)
        asked = {
            "username": access.caller.name,
            "role": "administrator" if may_edit else "viewer",
        }
        call = Call(
            "POST",
            CODE_PATH,
            (("content-type", "application/json"),),
            credential="key",
            timeout_s=TIMEOUT_S,
        )

        async def body() -> Any:
            yield json.dumps(asked).encode()

        async with self._tunnel.call(agent_id, call, body()) as answer:
            return _code_of(answer.status, await _content(answer), answer.error, cluster)


async def _content(answer: Answer) -> dict[str, Any]:
    try:
        content = json.loads(await answer.read(ANSWER_BYTES_MAX) or b"{}")
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _code_of(status: int, content: dict[str, Any], error: str, cluster: Cluster) -> str:
    code = content.get("sso_code")
    if not error and status < 300 and isinstance(code, str) and code:
        return code
    if not error and status in NOT_SUPPORTED:
        raise TakenError(NO_CODES, code="NOT_AVAILABLE", version=cluster.row.version or "?")
    reason = error or f"{status} {content.get('message', '')}".strip()
    raise OutOfReachError(REFUSED, code="SOURCE_ERROR", reason=reason[:300])


def _place(page: str) -> str:
    """Where in the address the page stands: only a node of ours gives codes, its pages are as ours."""
    return f"#{page}" if page else ""
