"""Brokers, nodes, their figures, listeners and alarms."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from rookery.broker.alarms import Alarm
from rookery.broker.audit import changed
from rookery.broker.rest_v3.asking import Ask, Handler, Operation
from rookery.broker.rest_v3.rows import local_time, uptime

_BROKER = {
    "node": "rookery@127.0.0.1", "node_status": "Running", "version": "0.4.0",
    "sysdescr": "Rookery", "uptime": "2 hours, 15 minutes, 12 seconds",
    "datetime": "2026-01-31 08:00:00",
}  # fmt: skip
_NODE = {
    "name": "rookery@127.0.0.1", "node": "rookery@127.0.0.1", "node_status": "Running",
    "version": "0.4.0", "uptime": "2 hours, 15 minutes, 12 seconds", "connections": 1,
    "load1": "0.50", "load5": "0.40", "load15": "0.30", "max_fds": 1048576,
    "memory_total": "64.00G", "memory_used": "12.50G",
}  # fmt: skip
_LISTENER = {
    "protocol": "mqtt:tcp", "listen_on": "0.0.0.0:1883", "acceptors": 1, "max_conns": 1024000,
    "current_conns": 1, "shutdown_count": [],
}  # fmt: skip
_ALARM = {
    "id": "high_cpu_usage",
    "desc": {
        "severity": "warning", "title": "high_cpu_usage",
        "summary": "use of the processors is 91%", "timestamp": "2026-01-31 08:00:00",
    },
}  # fmt: skip
_COUNTED = {"messages.received": 1000, "messages.sent": 2000}
_GAUGED = {"connections.count": 1, "connections.max": 3}


def _broker(ask: Ask) -> dict[str, Any]:
    node = ask.node
    now_ms = node.clock.now_ms()
    return {
        "node": ask.check_node(),
        "node_status": "Running",
        "version": node.version,
        "sysdescr": "Rookery",
        "uptime": uptime(now_ms - node.started_at_ms),
        "datetime": local_time(now_ms),
    }


async def _brokers(ask: Ask) -> list[dict[str, Any]]:
    return [_broker(ask)]


async def _one_broker(ask: Ask) -> dict[str, Any]:
    return _broker(ask)


async def _one_node(ask: Ask) -> dict[str, Any]:
    name = ask.check_node()
    info = await ask.node.services.nodes.own_info()
    row: dict[str, Any] = {
        "name": name,
        "node": name,
        "node_status": "Running",
        "version": info["version"],
        "uptime": uptime(info["uptime"]),
        "connections": info["live_connections"],
        "max_fds": info["max_fds"],
    }
    row |= {key: f"{info[key]:.2f}" for key in ("load1", "load5", "load15")}
    return row | {key: info[key] for key in ("memory_total", "memory_used") if key in info}


async def _nodes(ask: Ask) -> list[dict[str, Any]]:
    return [await _one_node(ask)]


async def _figures(ask: Ask, which: str) -> Mapping[str, int]:
    ask.check_node()
    read = ask.node.metrics.read if which == "metrics" else ask.node.stats.read
    return dict(await asyncio.to_thread(read))


async def _all_figures(ask: Ask, which: str) -> list[dict[str, Any]]:
    return [{"node": ask.node.node_name, which: await _figures(ask, which)}]


async def _listeners(ask: Ask) -> list[dict[str, Any]]:
    ask.check_node()
    return [
        {
            "protocol": f"mqtt:{row['type']}",
            "listen_on": str(row["bind"]),
            "acceptors": 1,
            # "infinity" is no number, which is what EMQX 3 has here.
            "max_conns": 0 if row["max_connections"] == "infinity" else row["max_connections"],
            "current_conns": row["current_connections"],
            "shutdown_count": [],
        }
        for row in await ask.node.services.listeners.all()
        if row["running"]
    ]


async def _all_listeners(ask: Ask) -> list[dict[str, Any]]:
    return [{"node": ask.node.node_name, "listeners": await _listeners(ask)}]


def _alarm_row(alarm: Alarm) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": alarm.name,
        "desc": {
            "severity": "warning",
            "title": alarm.name,
            "summary": alarm.message,
            "timestamp": local_time(alarm.activated_at_ms),
        },
    }
    if alarm.deactivated_at_ms is not None:
        row["clear_at"] = local_time(alarm.deactivated_at_ms)
    return row


async def _alarms(ask: Ask, which: str) -> list[dict[str, Any]]:
    ask.check_node()
    alarms = ask.node.alarms
    found = alarms.active() if which == "present" else alarms.history()
    return [_alarm_row(alarm) for alarm in found]


async def _all_alarms(ask: Ask, which: str) -> list[dict[str, Any]]:
    return [{"node": ask.node.node_name, "alarms": await _alarms(ask, which)}]


async def _forget_alarms(ask: Ask) -> None:
    before = await _alarms(ask, "history")
    ask.node.alarms.clear_history()
    changed("alarms/history", before=before, after=await _alarms(ask, "history"))


def _figure_operations(which: str, title: str, example: Any) -> tuple[Operation, ...]:
    everywhere = cast("Handler", partial(_all_figures, which=which))
    there = cast("Handler", partial(_figures, which=which))
    return (
        Operation(
            method="GET", path=f"/{which}", handle=everywhere, name=f"list_all_{which}",
            summary=f"{title} of each node.", data=[{"node": "rookery@127.0.0.1", which: example}],
        ),
        Operation(
            method="GET", path=f"/nodes/{{node}}/{which}", handle=there, data=example,
            name=f"list_node_{which}", summary=f"{title} of a node.",
        ),
    )  # fmt: skip


def _alarm_operations(which: str, title: str) -> tuple[Operation, ...]:
    everywhere = cast("Handler", partial(_all_alarms, which=which))
    there = cast("Handler", partial(_alarms, which=which))
    return (
        Operation(
            method="GET", path=f"/alarms/{which}", handle=everywhere, name=f"list_{which}_alarms",
            summary=f"{title} of each node.",
            data=[{"node": "rookery@127.0.0.1", "alarms": [_ALARM]}],
        ),
        Operation(
            method="GET", path=f"/alarms/{which}/{{node}}", handle=there, data=[_ALARM],
            name=f"list_node_{which}_alarms", summary=f"{title} of a node.",
        ),
    )  # fmt: skip


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET", path="/brokers", handle=_brokers, name="list_brokers",
        summary="The brokers of the cluster.", data=[_BROKER],
    ),
    Operation(
        method="GET", path="/brokers/{node}", handle=_one_broker, name="get_broker",
        summary="A broker.", data=_BROKER,
    ),
    Operation(
        method="GET", path="/nodes", handle=_nodes, name="list_nodes",
        summary="The nodes of the cluster.", data=[_NODE],
    ),
    Operation(
        method="GET", path="/nodes/{node}", handle=_one_node, name="lookup_node",
        summary="A node.", data=_NODE,
    ),
    *_figure_operations("metrics", "Counters since the start", _COUNTED),
    *_figure_operations("stats", "What there is now (`.count`), and the highest (`.max`)", _GAUGED),
    Operation(
        method="GET", path="/listeners", handle=_all_listeners, name="list_listeners",
        summary="The MQTT listeners that are open, of each node.",
        data=[{"node": "rookery@127.0.0.1", "listeners": [_LISTENER]}],
    ),
    Operation(
        method="GET", path="/nodes/{node}/listeners", handle=_listeners, data=[_LISTENER],
        name="list_node_listeners", summary="The MQTT listeners of a node that are open.",
    ),
    *_alarm_operations("present", "Alarms that hold"),
    *_alarm_operations("history", "Alarms that are over"),
    Operation(
        method="DELETE", path="/alarms/history", handle=_forget_alarms, name="clear_history_alarms",
        summary="Forget the alarms that are over.",
    ),
)  # fmt: skip
