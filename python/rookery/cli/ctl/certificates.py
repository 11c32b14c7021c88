"""``rookery ctl certificates``: what is in use and until when; read them again."""

from __future__ import annotations

import argparse
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, node_of, show
from rookery.cli.messages import say

COLUMNS = ("listener", "field", "subject", "not_after", "days_left", "file")
RELOAD_COLUMNS = ("listener", "result")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "certificates")
    add_verb(
        verbs, "certificates", "list", _list, examples="  rookery ctl certificates list --json"
    )
    add_verb(verbs, "certificates", "reload", _reload, examples="  rookery ctl certificates reload")


def _list(arguments: argparse.Namespace) -> int:
    return show(arguments, node_of(arguments).get("/api/v5/certificates"), COLUMNS)


def _reload(arguments: argparse.Namespace) -> int:
    outcomes = node_of(arguments).post("/api/v5/certificates/reload")
    show(arguments, outcomes, RELOAD_COLUMNS)
    failed = [item for item in outcomes if not item["ok"]]
    if failed and not arguments.json:
        output.complain(say("ctl.certificates.kept"))
    return output.FAILED if failed else output.OK
