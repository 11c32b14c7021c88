"""``rookery ctl broker``, ``stats``, ``metrics``, ``status`` and ``vm``: the node in figures."""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.ctl.asking import api, as_noun, done, node_of, show_members
from rookery.cli.messages import say

if TYPE_CHECKING:
    from rookery.client.http_client import NodeClient

BROKER_EXAMPLES = """\
  rookery ctl broker
  rookery ctl broker stats
  rookery ctl broker metrics
  rookery ctl broker rates --json"""
STATS_EXAMPLES = """\
  rookery ctl stats
  rookery ctl stats connections"""
METRICS_EXAMPLES = """\
  rookery ctl metrics
  rookery ctl metrics messages.dropped --nonzero"""
VM_EXAMPLES = """\
  rookery ctl vm
  rookery ctl vm memory --json"""
# Part of ``vm``: what is shown of the node's row and of its gauges for Prometheus, and what people
# read it as.
VM_PARTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "load": {
        "load1": ("cpu/load1", "figure"),
        "load5": ("cpu/load5", "figure"),
        "load15": ("cpu/load15", "figure"),
        "emqx_vm_cpu_use": ("cpu/use", "percent"),
        "emqx_vm_cpu_idle": ("cpu/idle", "percent"),
    },
    "memory": {
        "memory_total": ("", ""),
        "memory_used": ("", ""),
        "emqx_vm_total_memory": ("memory/total", "size"),
        "emqx_vm_used_memory": ("memory/used", "size"),
        "process_resident_memory_bytes": ("memory/process", "size"),
    },
    "process": {
        "uptime": ("process/uptime", "duration"),
        "process_start_time_seconds": ("process/started", "moment"),
        "process_resident_memory_bytes": ("memory/process", "size"),
    },
    "io": {
        "process_max_fds": ("io/max_fds", "figure"),
        "process_open_fds": ("io/open_fds", "figure"),
    },
}


def declare(nouns: Any) -> None:
    """Add the nouns."""
    as_noun(nouns, "status", _status, examples="  rookery ctl status")
    broker = as_noun(nouns, "broker", _broker, examples=BROKER_EXAMPLES)
    broker.add_argument(
        "what", nargs="?", choices=("stats", "metrics", "rates"), help=say("option.broker.what")
    )
    stats = as_noun(nouns, "stats", _stats, examples=STATS_EXAMPLES)
    metrics = as_noun(nouns, "metrics", _metrics, examples=METRICS_EXAMPLES)
    for parser in (stats, metrics):
        parser.add_argument(
            "prefix", metavar="NAME", nargs="?", default="", help=say("option.figures.prefix")
        )
    metrics.add_argument("--nonzero", action="store_true", help=say("option.figures.nonzero"))
    vm = as_noun(nouns, "vm", _vm, examples=VM_EXAMPLES)
    vm.add_argument(
        "part", nargs="?", choices=("all", *VM_PARTS), default="all", help=say("option.vm.part")
    )


def _status(arguments: argparse.Namespace) -> int:
    """In every state: a node that is stopping answers 503 with the same body."""
    node = node_of(arguments)
    answer = node.get(api("status", format="json"))
    row = node.get(api("nodes", answer["node_name"]))
    text = say("ctl.status", node=answer["node_name"], version=row["version"])
    return done(arguments, {**answer, "version": row["version"]}, text)


def _broker(arguments: argparse.Namespace) -> int:
    if arguments.what == "stats":
        return _figures(arguments, "stats")
    if arguments.what == "metrics":
        return _figures(arguments, "metrics")
    node = node_of(arguments)
    if arguments.what == "rates":
        return show_members(arguments, node.get(api("monitor_current")))
    row = _own_row(node)
    shown = ("node", "node_status", "version", "edition", "uptime", "connections",
             "live_connections", "cluster_sessions", "sys_path", "log_path")  # fmt: skip
    if not arguments.json:
        row["uptime"] = output.duration(row["uptime"] // 1000)
    return show_members(arguments, {name: row[name] for name in shown if name in row})


def _own_row(node: NodeClient) -> dict[str, Any]:
    """The node that is asked, which may be one of several of a cluster."""
    name = node.get(api("status", format="json"))["node_name"]
    row: dict[str, Any] = node.get(api("nodes", name))
    return row


def _stats(arguments: argparse.Namespace) -> int:
    return _figures(arguments, "stats", arguments.prefix)


def _metrics(arguments: argparse.Namespace) -> int:
    return _figures(arguments, "metrics", arguments.prefix, is_nonzero=arguments.nonzero)


def _figures(
    arguments: argparse.Namespace, which: str, prefix: str = "", *, is_nonzero: bool = False
) -> int:
    figures = node_of(arguments).get(api(which, aggregate="true"))
    wanted = {
        name: value
        for name, value in sorted(figures.items())
        if name.startswith(prefix) and (value or not is_nonzero)
    }
    if not wanted and not arguments.json:
        output.line(say("ctl.none"))
        return output.OK
    return show_members(arguments, wanted)


def _vm(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    row = _own_row(node)
    figures = {**_gauges(node.get(api("prometheus", "stats"))), **row}
    parts = VM_PARTS if arguments.part == "all" else {arguments.part: VM_PARTS[arguments.part]}
    wanted = {name: how for names in parts.values() for name, how in names.items()}
    found = {name: figures[name] for name in wanted if name in figures}
    if arguments.json:
        return show_members(arguments, found)
    # The same twice, in another unit, is for programs.
    shown = [(*wanted[name], value) for name, value in found.items() if wanted[name][0]]
    return show_members(arguments, {title: _READ[how](value) for title, how, value in shown})


def _moment(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds).astimezone()
    return moment.isoformat(timespec="seconds")


_READ: Mapping[str, Callable[[Any], str]] = {
    "figure": lambda value: f"{value:.2f}".removesuffix(".00"),
    "percent": lambda value: f"{value:.1f} %",
    "size": output.size,
    "duration": lambda ms: output.duration(ms // 1000),
    "moment": _moment,
}
"""How a figure is written for people."""


def _gauges(answer: Any) -> dict[str, Any]:
    """The figures of the first node that an answer of Prometheus's path has, by name."""
    found: dict[str, Any] = {}
    for rows in answer.values():
        for row in rows if isinstance(rows, list) else [rows]:
            if isinstance(row, dict):
                found.update(row)
    return found
