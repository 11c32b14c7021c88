"""``rookery ctl rebalance`` and ``eviction``: sending clients of nodes to other nodes."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, show_members
from rookery.cli.messages import say
from rookery.cli.parsers import EVICTED_A_SECOND
from rookery.errors import BadRequestError

if TYPE_CHECKING:
    from rookery.client.http_client import NodeClient

START_EXAMPLES = """\
  rookery ctl rebalance start --evacuation --conn-evict-rate 100
  rookery ctl rebalance start --evacuation --redirect-to "10.0.0.2:1883 10.0.0.3:1883"
  rookery ctl rebalance start --nodes "rookery@10.0.0.1 rookery@10.0.0.2" --abs-conn-threshold 50"""
STATUS_EXAMPLES = "  rookery ctl rebalance status"
NODE_EXAMPLES = """\
  rookery ctl rebalance node-status
  rookery ctl rebalance node-status rookery@10.0.0.2"""
STOP_EXAMPLES = "  rookery ctl rebalance stop"
EVICTION_EXAMPLES = "  rookery ctl eviction status"


def declare(nouns: Any) -> None:
    """Add the nouns."""
    verbs = add_noun(nouns, "rebalance")
    start = add_verb(verbs, "rebalance", "start", _start, examples=START_EXAMPLES)
    start.add_argument("--evacuation", action="store_true", help=say("option.rebalance.evacuation"))
    for name, kind, metavar in (
        ("wait-health-check", str, "SECONDS"),
        ("conn-evict-rate", EVICTED_A_SECOND, "COUNT"),
        ("wait-takeover", str, "SECONDS"),
        ("sess-evict-rate", EVICTED_A_SECOND, "COUNT"),
        ("migrate-to", str, "NODES"),
        ("redirect-to", str, "HOST:PORT"),
        ("nodes", str, "NODES"),
        ("abs-conn-threshold", int, "COUNT"),
        ("rel-conn-threshold", float, "FACTOR"),
    ):
        start.add_argument(
            f"--{name}", type=kind, metavar=metavar, help=say(f"option.rebalance.{name}")
        )
    start.add_argument("--permanent", action="store_true", help=say("option.rebalance.permanent"))
    status = add_verb(verbs, "rebalance", "node-status", _node_status, examples=NODE_EXAMPLES)
    status.add_argument("node", nargs="?", metavar="NAME@HOST", help=say("option.rebalance.node"))
    add_verb(verbs, "rebalance", "status", _status, examples=STATUS_EXAMPLES)
    add_verb(verbs, "rebalance", "stop", _stop, examples=STOP_EXAMPLES)
    verbs = add_noun(nouns, "eviction")
    add_verb(verbs, "eviction", "status", _eviction, examples=EVICTION_EXAMPLES)


_OF_BOTH = ("wait_health_check", "conn_evict_rate", "wait_takeover")
_OF_EVACUATION: tuple[str, ...] = ("sess_evict_rate", "migrate_to", "redirect_to")
_OF_REBALANCE: tuple[str, ...] = ("nodes", "abs_conn_threshold", "rel_conn_threshold")


def _start(arguments: argparse.Namespace) -> int:
    own, others = _OF_EVACUATION, _OF_REBALANCE
    wanted, unfit = (own, others) if arguments.evacuation else (others, own)
    given = [name for name in unfit if getattr(arguments, name) is not None]
    if arguments.permanent and not arguments.evacuation:
        given.append("permanent")
    if given:
        key = "ctl.rebalance.unfit" if arguments.evacuation else "ctl.rebalance.unfit-rebalance"
        raise BadRequestError(say(key, option="--" + given[0].replace("_", "-")))
    body = {
        name: value
        for name in (*_OF_BOTH, *wanted)
        if (value := getattr(arguments, name)) is not None
    }
    for key in {"nodes", "migrate_to"} & body.keys():
        body[key] = [name for name in re.split(r"[\s,]+", body[key]) if name]
    if arguments.permanent:
        body["permanent"] = True
    node = node_of(arguments)
    name, what = _self(node), ("evacuation", "start") if arguments.evacuation else ("start",)
    node.post(api("load_rebalance", name, *what), body)
    text = "ctl.rebalance.evacuating" if arguments.evacuation else "ctl.rebalance.started"
    return done(arguments, {"node": name} | body, say(text, node=name))


def _stop(arguments: argparse.Namespace) -> int:
    """Whatever is under way here."""
    node = node_of(arguments)
    own = _self(node)
    found = node.get(api("load_rebalance", "status"))
    what = ("evacuation", "stop") if found.get("process") == "evacuation" else ("stop",)
    node.post(api("load_rebalance", own, *what))
    return done(arguments, {"node": own}, say("ctl.rebalance.stopped", node=own))


def _node_status(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    if arguments.node is None or arguments.node == _self(node):
        return show_members(arguments, node.get(api("load_rebalance", "status")))
    node.get(api("nodes", arguments.node))
    found = node.get(api("load_rebalance", "global_status"))
    rows = [
        row | {"status": "enabled", "process": process}
        for process, key in (("evacuation", "evacuations"), ("rebalance", "rebalances"))
        for row in found[key]
        if arguments.node in (row["node"], *row.get("donors", ()))
    ]
    return show_members(arguments, rows[0] if rows else {"status": "disabled"})


def _status(arguments: argparse.Namespace) -> int:
    found = node_of(arguments).get(api("load_rebalance", "global_status"))
    if arguments.json:
        output.show_json(found)
        return output.OK
    rows = found["evacuations"] + found["rebalances"]
    if not rows:
        output.line(say("ctl.rebalance.none"))
    for row in found["evacuations"]:
        stats = row["stats"]
        shown = {"node": row["node"], "state": row["state"]}
        shown |= {"left": stats["current_connected"], "of": stats["initial_connected"]}
        output.line(say("ctl.rebalance.evacuation", **shown))
    for row in found["rebalances"]:
        shown = {"node": row["node"], "state": row["state"], "goal": row["connection_goal"]}
        output.line(say("ctl.rebalance.rebalance", **shown, donors=", ".join(row["donors"])))
    return output.OK


def _eviction(arguments: argparse.Namespace) -> int:
    return show_members(arguments, node_of(arguments).get(api("node_eviction", "status")))


def _self(node: NodeClient) -> str:
    return str(node.get(api("cluster"))["self"])
