"""``rookery ctl ban``: keep somebody out, for a while or for good."""

from __future__ import annotations

import argparse
import time
from typing import Any

from rookery.cli.ctl.asking import add_noun, add_verb, all_pages, done, node_of, show
from rookery.cli.messages import say
from rookery.errors import BadRequestError

ADD_EXAMPLES = """\
  rookery ctl ban add clientid sensor-1 --for 10m --reason "sends nonsense"
  rookery ctl ban add peerhost_net 203.0.113.0/24
  rookery ctl ban add username_re '^guest'"""
KINDS = ("clientid", "username", "peerhost", "peerhost_net", "clientid_re", "username_re")
COLUMNS = ("as", "who", "until", "reason", "by")


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "ban")
    add = add_verb(verbs, "ban", "add", _add, examples=ADD_EXAMPLES)
    _add_who(add)
    add.add_argument("--for", dest="duration", metavar="TIME", help=say("option.ban.for"))
    add.add_argument("--reason", metavar="TEXT", default="", help=say("option.ban.reason"))
    add_verb(verbs, "ban", "list", _list, examples="  rookery ctl ban list")
    delete = add_verb(
        verbs, "ban", "delete", _delete, examples="  rookery ctl ban delete clientid sensor-1"
    )
    _add_who(delete)


def _add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=KINDS, help=say("option.ban.kind"))
    parser.add_argument("who", metavar="WHO", help=say("option.ban.who"))


def _add(arguments: argparse.Namespace) -> int:
    from rookery.config.values import parse_duration_ms  # noqa: PLC0415

    body: dict[str, Any] = {
        "as": arguments.kind,
        "who": arguments.who,
        "reason": arguments.reason,
        "by": "rookery ctl",
    }
    if arguments.duration is not None:
        try:
            length_ms = parse_duration_ms(arguments.duration, bare_unit="s")
        except ValueError:
            raise BadRequestError(say("ctl.ban.duration", text=arguments.duration)) from None
        body["until"] = (time.time_ns() // 1_000_000 + length_ms) // 1000
    answer = node_of(arguments).post("/api/v5/banned?replace=true", body)
    return done(arguments, answer, say("ctl.ban.added", kind=arguments.kind, who=arguments.who))


def _list(arguments: argparse.Namespace) -> int:
    return show(arguments, all_pages(node_of(arguments), "/api/v5/banned"), COLUMNS)


def _delete(arguments: argparse.Namespace) -> int:
    from rookery.client.management import path_of  # noqa: PLC0415

    node_of(arguments).delete(path_of("api", "v5", "banned", arguments.kind, arguments.who))
    return done(arguments, {}, say("ctl.ban.deleted", kind=arguments.kind, who=arguments.who))
