"""Connections (EMQX 3) or clients (EMQX 4), sessions, subscriptions, routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, cast

from rookery.broker.audit import changed
from rookery.broker.rest_v3.answers import BAD_PARAMETER, CLIENT_OFFLINE, Paged, RefusedError
from rookery.broker.rest_v3.asking import LIMIT_MAX, Ask, Handler, Operation
from rookery.broker.rest_v3.rows import client_row, connection_row, session_row, subscription_row
from rookery.native.lists import ClientQuery, ClientView, SubscriptionQuery, TopicQuery
from rookery.web.segments import decoded

Row: TypeAlias = Callable[[ClientView, str], dict[str, Any]]

_CONNECTION = {
    "client_id": "sensor-1", "node": "rookery@127.0.0.1", "username": "alice", "proto_name": "MQTT",
    "proto_ver": 4, "ipaddress": "127.0.0.1", "port": 52816, "keepalive": 60, "clean_start": True,
    "is_bridge": False, "zone": "default", "mountpoint": "", "peercert": "nossl",
    "connected_at": "2026-01-31 08:00:00", "recv_cnt": 3, "recv_oct": 120, "recv_pkt": 3,
    "recv_msg": 1, "send_cnt": 2, "send_oct": 9, "send_pkt": 2, "send_msg": 0, "send_pend": 0,
}  # fmt: skip
_SESSION = {
    "node": "rookery@127.0.0.1", "client_id": "sensor-1", "username": "alice", "clean_start": True,
    "expiry_interval": 0, "created_at": "2026-01-31 08:00:00", "subscriptions_count": 1,
    "max_subscriptions": 0, "inflight_len": 0, "max_inflight": 32, "mqueue_len": 0,
    "max_mqueue": 1000, "mqueue_dropped": 0, "awaiting_rel_len": 0, "max_awaiting_rel": 100,
    "deliver_msg": 0,
}  # fmt: skip
_SUBSCRIPTION = {
    "node": "rookery@127.0.0.1", "topic": "plant/1/#", "client_id": "sensor-1",
    "clientid": "sensor-1", "qos": 1,
}  # fmt: skip
_CLIENT = {
    "clientid": "sensor-1", "node": "rookery@127.0.0.1", "username": "alice", "proto_name": "MQTT",
    "proto_ver": 4, "ip_address": "127.0.0.1", "port": 52816, "keepalive": 60, "connected": True,
    "clean_start": True, "connected_at": "2026-01-31 08:00:00", "subscriptions_cnt": 1,
}  # fmt: skip
_STATES = {"connected": True, "disconnected": False}
_FILTERS = {
    "clientid": "This client.",
    "username": "This user name.",
    "ip_address": "This address.",
    "conn_state": "`connected` or `disconnected`.",
    "clean_start": "`true` or `false`.",
    "proto_ver": "3, 4 or 5.",
    "_like_clientid": "A part of the client identifier.",
    "_like_username": "A part of the user name.",
}


async def _listed(ask: Ask, query: ClientQuery, row: Row) -> Paged:
    name = ask.check_node()
    page, limit = ask.page()
    found, count = await asyncio.to_thread(
        ask.node.native.lists.clients_page, query, (page - 1) * limit, limit
    )
    return Paged([row(client, name) for client in found], page, limit, count)


async def _connections(ask: Ask) -> Paged:
    return await _listed(ask, ClientQuery(is_connected=True), connection_row)


async def _clients(ask: Ask) -> Paged:
    return await _listed(ask, _query(ask), client_row)


async def _sessions(ask: Ask) -> Paged:
    return await _listed(ask, ClientQuery(), session_row)


async def _one(ask: Ask, row: Row, *, is_connected: bool) -> list[dict[str, Any]]:
    name = ask.check_node()
    found = await asyncio.to_thread(ask.node.native.lists.client_view, ask.path["clientid"])
    if found is None or (is_connected and not found.is_connected):
        return []
    return [row(found, name)]


async def _of_user(ask: Ask, row: Row, *, is_connected: bool) -> Paged:
    query = ClientQuery(
        usernames=(ask.path["username"],), is_connected=True if is_connected else None
    )
    return await _listed(ask, query, row)


async def _kick(ask: Ask) -> None:
    client_id = ask.path["clientid"]
    before = await _one(ask, session_row, is_connected=False)
    if not await asyncio.to_thread(ask.node.native.kick, client_id):
        raise RefusedError(CLIENT_OFFLINE, "not_found")
    changed(f"clients/{client_id}", before=next(iter(before), None))


async def _subscriptions(ask: Ask) -> Paged:
    name = ask.check_node()
    page, limit = ask.page()
    found, count = await asyncio.to_thread(
        ask.node.native.lists.subscriptions_page, SubscriptionQuery(), (page - 1) * limit, limit
    )
    return Paged([subscription_row(view, name) for view in found], page, limit, count)


async def _subscriptions_of(ask: Ask) -> list[dict[str, Any]]:
    return await subscriptions_of(ask, ask.path["clientid"])


async def subscriptions_of(ask: Ask, client_id: str) -> list[dict[str, Any]]:
    """The first of a client."""
    name = ask.check_node()
    query = SubscriptionQuery(client_id=client_id)
    found, _ = await asyncio.to_thread(
        ask.node.native.lists.subscriptions_page, query, 0, LIMIT_MAX
    )
    return [subscription_row(view, name) for view in found]


async def _routes(ask: Ask) -> Paged:
    page, limit = ask.page()
    found, count = await asyncio.to_thread(
        ask.node.native.lists.topics_page, TopicQuery(), (page - 1) * limit, limit
    )
    rows = [{"topic": topic, "node": ask.node.node_name} for topic in found]
    return Paged(rows, page, limit, count)


async def _routes_to(ask: Ask) -> list[dict[str, Any]]:
    topic = decoded(ask.path["topic"])
    is_there = await asyncio.to_thread(ask.node.native.lists.has_topic, topic)
    return [{"topic": topic, "node": ask.node.node_name}] if is_there else []


def _query(ask: Ask) -> ClientQuery:
    said = ask.query
    version, clean = said.get("proto_ver"), said.get("clean_start")
    state = said.get("conn_state")
    if version not in (None, "3", "4", "5"):
        raise RefusedError(BAD_PARAMETER, "proto_ver is 3, 4 or 5")
    if clean not in (None, "true", "false"):
        raise RefusedError(BAD_PARAMETER, "clean_start is true or false")
    if state is not None and state not in _STATES:
        raise RefusedError(BAD_PARAMETER, "conn_state is connected or disconnected")
    return ClientQuery(
        client_ids=(said["clientid"],) if "clientid" in said else (),
        usernames=(said["username"],) if "username" in said else (),
        like_client_id=said.get("_like_clientid"),
        like_username=said.get("_like_username"),
        ip=said.get("ip_address"),
        is_connected=None if state is None else _STATES[state],
        clean_start=None if clean is None else clean == "true",
        protocol_version=None if version is None else int(version),
    )


def _kind(noun: str, row: Row, listed: Handler, example: Any) -> tuple[Operation, ...]:
    """Operations on connections by EMQX 3's name, and by EMQX 4's."""
    is_connected = noun == "connections"
    one = cast("Handler", partial(_one, row=row, is_connected=is_connected))
    of_user = cast("Handler", partial(_of_user, row=row, is_connected=is_connected))
    query = None if is_connected else _FILTERS
    single = noun[:-1]
    found = []
    for place, where in (("", ""), ("/nodes/{node}", " of a node")):
        prefix = "node_" if place else ""
        found += [
            Operation(method="GET", path=f"{place}/{noun}", handle=listed, query=query,
                      name=f"list_{prefix}{noun}", summary=f"The {noun}{where}.", is_paged=True, data=[example]),
            Operation(method="GET", path=f"{place}/{noun}/username/{{username}}", handle=of_user,
                      name=f"lookup_{prefix}{noun}_of_user",
                      summary=f"The {noun} with that user name.", is_paged=True, data=[example]),
            Operation(method="GET", path=f"{place}/{noun}/{{clientid}}", handle=one,
                      name=f"lookup_{prefix}{single}", data=[example],
                      summary=f"A {single}: a list with one row, or with none."),
            Operation(method="DELETE", path=f"{place}/{noun}/{{clientid}}", handle=_kick,
                      name=f"kickout_{prefix}{single}",
                      summary="End the connection of a client and its session."),
        ]  # fmt: skip
    return tuple(found)


_ONE_SESSION = cast("Handler", partial(_one, row=session_row, is_connected=False))
OPERATIONS: tuple[Operation, ...] = (
    *_kind("connections", connection_row, _connections, _CONNECTION),
    *_kind("clients", client_row, _clients, _CLIENT),
    Operation(
        method="GET", path="/sessions", handle=_sessions, name="list_sessions",
        summary="The sessions, of clients that are connected and of those that are away.",
        is_paged=True, data=[_SESSION],
    ),
    Operation(
        method="GET", path="/sessions/{clientid}", handle=_ONE_SESSION, name="lookup_session",
        summary="A session: a list with one row, or with none.", data=[_SESSION],
    ),
    Operation(
        method="DELETE", path="/sessions/persistent/{clientid}", handle=_kick,
        name="clean_persistent_session", summary="End a session.",
    ),
    Operation(
        method="GET", path="/nodes/{node}/sessions", handle=_sessions, name="list_node_sessions",
        summary="The sessions of a node.", is_paged=True, data=[_SESSION],
    ),
    Operation(
        method="GET", path="/nodes/{node}/sessions/{clientid}", handle=_ONE_SESSION,
        name="lookup_node_session", summary="A session of a node.", data=[_SESSION],
    ),
    Operation(
        method="GET", path="/subscriptions", handle=_subscriptions, name="list_subscriptions",
        summary="The subscriptions.", is_paged=True, data=[_SUBSCRIPTION],
    ),
    Operation(
        method="GET", path="/subscriptions/{clientid}", handle=_subscriptions_of,
        name="lookup_client_subscriptions", summary="The subscriptions of a client.",
        data=[_SUBSCRIPTION],
    ),
    Operation(
        method="GET", path="/nodes/{node}/subscriptions", handle=_subscriptions,
        name="list_node_subscriptions", summary="The subscriptions on a node.", is_paged=True,
        data=[_SUBSCRIPTION],
    ),
    Operation(
        method="GET", path="/nodes/{node}/subscriptions/{clientid}", handle=_subscriptions_of,
        name="lookup_client_subscriptions_with_node", data=[_SUBSCRIPTION],
        summary="The subscriptions of a client on a node.",
    ),
    Operation(
        method="GET", path="/routes", handle=_routes, name="list_routes", is_paged=True,
        summary="Topic filters that somebody subscribed to, each once.",
        data=[{"topic": "plant/1/#", "node": "rookery@127.0.0.1"}],
    ),
    Operation(
        method="GET", path="/routes/{topic:path}", handle=_routes_to, name="lookup_routes",
        summary="The nodes on which somebody subscribed to a topic filter.",
        data=[{"topic": "plant/1/#", "node": "rookery@127.0.0.1"}],
    ),
)  # fmt: skip
