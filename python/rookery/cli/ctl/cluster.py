"""``rookery ctl cluster``: the nodes that work together."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of, show_members
from rookery.cli.messages import say
from rookery.errors import BadRequestError

if TYPE_CHECKING:
    from rookery.client.http_client import NodeClient

STATUS_EXAMPLES = """\
  rookery ctl cluster status
  rookery ctl cluster status --json"""
JOIN_EXAMPLES = """\
  rookery ctl cluster join rookery@10.0.0.1
  rookery ctl cluster join rookery@10.0.0.1 --data-dir ./data --yes"""
INVITE_EXAMPLES = "  rookery ctl cluster invite rookery@10.0.0.2 --yes"
LEAVE_EXAMPLES = """\
  rookery ctl cluster leave
  rookery ctl cluster leave --yes"""
FORCE_EXAMPLES = "  rookery ctl cluster force-leave rookery@10.0.0.3 --yes"
YES = ("y", "yes", "是")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "cluster")
    add_verb(verbs, "cluster", "status", _status, examples=STATUS_EXAMPLES)
    joining = add_verb(verbs, "cluster", "join", _join, examples=JOIN_EXAMPLES)
    inviting = add_verb(verbs, "cluster", "invite", _invite, examples=INVITE_EXAMPLES)
    leaving = add_verb(verbs, "cluster", "leave", _leave, examples=LEAVE_EXAMPLES)
    forcing = add_verb(verbs, "cluster", "force-leave", _force_leave, examples=FORCE_EXAMPLES)
    for parser in (joining, inviting, forcing):
        parser.add_argument("node", metavar="NAME@HOST", help=say("option.cluster.node"))
    for parser in (joining, inviting, leaving, forcing):
        parser.add_argument("--yes", "-y", action="store_true", help=say("option.cluster.yes"))


def _status(arguments: argparse.Namespace) -> int:
    found = node_of(arguments).get(api("cluster"))
    rows = found["members"]
    value = {
        "name": found["name"],
        "running_nodes": [row["node"] for row in rows if row["node_status"] == "running"],
        "stopped_nodes": [row["node"] for row in rows if row["node_status"] != "running"],
    }
    if arguments.json:
        shown = ("self", "members", "nats", "state", "quorum", "partner", "problem")
        value |= {key: found[key] for key in shown if key in found}
        return show_members(arguments, value)
    if len(rows) > 1:
        value["partners"] = {row["node"]: _partner(row) for row in rows if row["role"] != "witness"}
    quorum = found.get("quorum")
    if quorum is not None and not quorum["has"]:
        value["quorum"] = say("ctl.cluster.no-quorum", **quorum)
    state = found.get("state") or {"in_step": True}
    if problem := found.get("problem") or state.get("problem"):
        value["problem"] = problem
    return show_members(arguments, value)


def _partner(row: Mapping[str, Any]) -> str:
    """Who else keeps the sessions of a node, and how far that is."""
    partner = row.get("partner") or {}
    if row["node_status"] != "running":
        return say("ctl.cluster.partner.stopped")
    if partner.get("node") is None:
        return say("ctl.cluster.partner.none")
    text = "ctl.cluster.partner.whole" if partner["is_whole"] else "ctl.cluster.partner.begun"
    return say(text, **partner)


def _join(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    _confirm(arguments, say("ctl.cluster.join.ask", node=_self(node), other=arguments.node))
    node.post(api("cluster", "join"), {"node": arguments.node})
    return _told(arguments, node, "ctl.cluster.joined", other=arguments.node)


def _invite(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    _confirm(arguments, say("ctl.cluster.join.ask", node=arguments.node, other=_self(node)))
    node.put(api("cluster", arguments.node, "invite"), {})
    return _told(arguments, node, "ctl.cluster.invited", other=arguments.node)


def _leave(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    _confirm(arguments, say("ctl.cluster.leave.ask", node=_self(node)))
    node.post(api("cluster", "leave"))
    return _told(arguments, node, "ctl.cluster.left")


def _force_leave(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    _confirm(arguments, say("ctl.cluster.force.ask", node=arguments.node))
    node.delete(api("cluster", arguments.node, "force_leave"))
    return _told(arguments, node, "ctl.cluster.forced", other=arguments.node)


def _self(node: NodeClient) -> str:
    return str(node.get(api("cluster"))["self"])


def _told(arguments: argparse.Namespace, node: NodeClient, text: str, **values: str) -> int:
    found = node.get(api("cluster"))
    names = ", ".join(found["nodes"])
    words = say(text, node=found["self"], nodes=names, **values)
    return done(arguments, {"self": found["self"], "nodes": found["nodes"]}, words)


def _confirm(arguments: argparse.Namespace, question: str) -> None:
    """Ask who types, unless told not to.

    Raises:
        BadRequestError: nobody agreed.
    """
    if arguments.yes:
        return
    output.complain(question)
    if not sys.stdin.isatty():
        raise BadRequestError(say("ctl.cluster.needs-yes"))
    sys.stderr.write(say("ctl.cluster.sure"))
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in YES:
        raise BadRequestError(say("ctl.cluster.nothing"))
