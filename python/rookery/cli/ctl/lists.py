"""Nouns with little more than a list: ``rewrite``, ``auto_subscribe``, ``authn``, ``authz``,
``audit`` and ``license``.
"""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import (
    add_noun,
    add_verb,
    api,
    done,
    node_of,
    pages,
    show,
    show_members,
    stream,
)
from rookery.cli.ctl.clients import add_limit
from rookery.cli.messages import say
from rookery.errors import BadRequestError

REWRITE_COLUMNS = ("action", "source_topic", "re", "dest_topic")
AUTO_COLUMNS = ("topic", "qos", "nl", "rap", "rh")
AUTHN_COLUMNS = ("id", "enable", "status", "reason")
AUTHZ_COLUMNS = ("type", "enable", "status", "reason")
AUDIT_COLUMNS = ("created_at", "from", "source", "operation_id", "http_status_code")
CLEAN_EXAMPLES = """\
  rookery ctl authz cache-clean
  rookery ctl authz cache-clean all
  rookery ctl authz cache-clean node rookery@10.0.0.1
  rookery ctl authz cache-clean sensor-1"""


def declare(nouns: Any) -> None:
    """Add the nouns."""
    for noun, run in (("rewrite", _rewrite), ("auto_subscribe", _auto), ("authn", _authn)):
        verbs = add_noun(nouns, noun)
        add_verb(verbs, noun, "list", run, examples=f"  rookery ctl {noun} list")
    verbs = add_noun(nouns, "authz")
    add_verb(verbs, "authz", "list", _authz, examples="  rookery ctl authz list")
    add_clean(verbs, "authz")
    verbs = add_noun(nouns, "audit")
    add_limit(
        add_verb(verbs, "audit", "list", _audit, examples="  rookery ctl audit list --limit 20")
    )
    verbs = add_noun(nouns, "license")
    add_verb(verbs, "license", "info", _license, examples="  rookery ctl license info")


def add_clean(verbs: Any, noun: str) -> None:
    """Add ``cache-clean``, which ``acl`` has in EMQX 3 and ``authz`` later."""
    examples = CLEAN_EXAMPLES.replace(" authz ", f" {noun} ")
    clean = add_verb(verbs, noun, "cache-clean", _clean, examples=examples)
    clean.add_argument("of", metavar="all|node|ID", nargs="?", help=say("option.cache-of"))
    clean.add_argument("node", metavar="NAME@HOST", nargs="?", help=say("option.cache-node"))


def _rewrite(arguments: argparse.Namespace) -> int:
    rows = node_of(arguments).get(api("mqtt", "topic_rewrite"))
    return show(arguments, rows, REWRITE_COLUMNS)


def _auto(arguments: argparse.Namespace) -> int:
    return show(arguments, node_of(arguments).get(api("mqtt", "auto_subscribe")), AUTO_COLUMNS)


def _authn(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    rows = node.get(api("authentication"))
    for row in rows:
        row.update(_state(arguments, node.get(api("authentication", row["id"], "status"))))
    return show(arguments, rows, AUTHN_COLUMNS)


def _authz(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    rows = node.get(api("authorization", "sources"))["sources"]
    for row in rows:
        row.update(
            _state(arguments, node.get(api("authorization", "sources", row["type"], "status")))
        )
    return show(arguments, rows, AUTHZ_COLUMNS)


def _state(arguments: argparse.Namespace, answer: dict[str, Any]) -> dict[str, str]:
    """Whether it can be asked, and why not."""
    reasons = dict.fromkeys(item["error"] for item in answer["node_error"])
    status = answer["status"] if arguments.json else say(f"state.{answer['status']}")
    return {"status": status, "reason": "; ".join(reasons)}


def _clean(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    client_id = None if arguments.of in ("all", "node") else arguments.of
    if arguments.of == "node" and arguments.node is None:
        raise BadRequestError(say("ctl.acl.which-node"))
    if arguments.of != "node" and arguments.node is not None:
        raise BadRequestError(say("ctl.acl.one-client", given=arguments.node))
    node.delete(api("authorization", "cache", clientid=client_id, node=arguments.node))
    return done(arguments, {}, say("ctl.acl.purged"))


def _audit(arguments: argparse.Namespace) -> int:
    found = pages(node_of(arguments), api("audit"), arguments.limit)
    return stream(arguments, found, AUDIT_COLUMNS)


def _license(arguments: argparse.Namespace) -> int:
    return show_members(arguments, node_of(arguments).get(api("license")))
