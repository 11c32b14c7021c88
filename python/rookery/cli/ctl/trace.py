"""``rookery ctl trace``: everything that happens to a client, a topic or an address, in a file."""

from __future__ import annotations

import argparse
import time
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import add_noun, add_verb, done, node_of, show
from rookery.cli.messages import say
from rookery.errors import BadRequestError

START_EXAMPLES = """\
  rookery ctl trace start dev1 clientid sensor-1 --for 30m
  rookery ctl trace start heat topic 'plant/+/temperature' --payload hex
  rookery ctl trace start gateway ip_address 192.0.2.7 --lines json"""
TYPES = ("clientid", "topic", "ip_address")
COLUMNS = ("name", "type", "about", "status", "end_at", "size")
PART_BYTES = 1 << 20


def declare(nouns: Any) -> None:
    """Add the noun."""
    verbs = add_noun(nouns, "trace")
    start = add_verb(verbs, "trace", "start", _start, examples=START_EXAMPLES)
    start.add_argument("name", metavar="NAME", help=say("option.trace.name"))
    start.add_argument("type", choices=TYPES, help=say("option.trace.type"))
    start.add_argument("subject", metavar="SUBJECT", help=say("option.trace.subject"))
    start.add_argument("--for", dest="duration", metavar="TIME", help=say("option.trace.for"))
    start.add_argument(
        "--payload",
        choices=("text", "hex", "hidden"),
        default="text",
        help=say("option.trace.payload"),
    )
    start.add_argument(
        "--lines", choices=("text", "json"), default="text", help=say("option.trace.lines")
    )
    add_verb(verbs, "trace", "list", _list, examples="  rookery ctl trace list")
    for name, run in (("stop", _stop), ("delete", _delete), ("show", _show)):
        verb = add_verb(verbs, "trace", name, run, examples=f"  rookery ctl trace {name} dev1")
        verb.add_argument("name", metavar="NAME", help=say("option.trace.name"))


def _start(arguments: argparse.Namespace) -> int:
    body: dict[str, Any] = {
        "name": arguments.name,
        "type": arguments.type,
        arguments.type: arguments.subject,
        "payload_encode": arguments.payload,
        "formatter": arguments.lines,
    }
    if arguments.duration is not None:
        body["end_at"] = int(time.time()) + _seconds(arguments.duration)
    answer = node_of(arguments).post("/api/v5/trace", body)
    text = say("ctl.trace.started", name=arguments.name, until=answer["end_at"])
    return done(arguments, answer, text)


def _seconds(text: str) -> int:
    from rookery.config.values import parse_duration_ms  # noqa: PLC0415

    try:
        return max(1, parse_duration_ms(text, bare_unit="s") // 1000)
    except ValueError:
        raise BadRequestError(say("ctl.ban.duration", text=text)) from None


def _list(arguments: argparse.Namespace) -> int:
    rows = node_of(arguments).get("/api/v5/trace")
    if not arguments.json:
        for row in rows:
            row["about"] = row[row["type"]]
            row["size"] = sum(size["size"] for size in row["log_size"])
    return show(arguments, rows, COLUMNS)


def _path(arguments: argparse.Namespace, *more: str) -> str:
    from rookery.client.management import path_of  # noqa: PLC0415

    return "/api/v5" + path_of("trace", arguments.name, *more)


def _stop(arguments: argparse.Namespace) -> int:
    answer = node_of(arguments).put(_path(arguments, "stop"))
    return done(arguments, answer, say("ctl.trace.stopped", name=arguments.name))


def _delete(arguments: argparse.Namespace) -> int:
    node_of(arguments).delete(_path(arguments))
    return done(arguments, {}, say("ctl.trace.deleted", name=arguments.name))


def _show(arguments: argparse.Namespace) -> int:
    node, at = node_of(arguments), 0
    while True:
        part = node.get(_path(arguments, "log") + f"?position={at}&bytes={PART_BYTES}")
        if not part["items"]:
            return output.OK
        at = part["meta"]["position"]
        output.text(part["items"])
