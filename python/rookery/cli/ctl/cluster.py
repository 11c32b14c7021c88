"""``rookery ctl cluster``: the nodes that work together."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, api, node_of, show_members

EXAMPLES = """\
  rookery ctl cluster status
  rookery ctl cluster status --json"""


def declare(nouns: Any) -> None:
    """Add the noun."""
    add_verb(add_noun(nouns, "cluster"), "cluster", "status", _status, examples=EXAMPLES)


def _status(arguments: argparse.Namespace) -> int:
    node = node_of(arguments)
    rows = node.get(api("nodes"))
    value = {
        "name": node.get(api("cluster"))["name"],
        "running_nodes": [row["node"] for row in rows if row["node_status"] == "running"],
        "stopped_nodes": [row["node"] for row in rows if row["node_status"] != "running"],
    }
    return show_members(arguments, value)
