"""``rookery sub``: subscribe at any broker and print what comes."""

from __future__ import annotations

import argparse
import json
import queue
import sys
import time
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.mqtt import Connection, add_connection, run_connected
from rookery.cli.parsers import EXPIRY, SECONDS, Whole, add_command
from rookery.errors import BadRequestError, RookeryError, UnavailableError

if TYPE_CHECKING:
    import paho.mqtt.client as paho

EXAMPLES = """\
  rookery sub -t 'sensors/#' -v
  rookery sub -t 'sensors/+' -t logs -q 1
  rookery sub -t '$share/workers/jobs' --json
  rookery sub -t sensors/1 -C 1 -W 5"""
POLL_S = 0.5
COUNT_MAX = 1_000_000_000


def declare(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "sub", "help.sub", _sub, examples=EXAMPLES, short_help=False)
    add_connection(parser)
    parser.add_argument(
        "-t", "--topic", action="append", required=True, help=say("option.topic.sub")
    )
    parser.add_argument(
        "-C", "--count", metavar="N", type=Whole(0, COUNT_MAX), default=0, help=say("option.count")
    )
    parser.add_argument(
        "-W", "--wait", metavar="SECONDS", type=SECONDS, default=0.0, help=say("option.wait")
    )
    parser.add_argument("-v", "--verbose", action="store_true", help=say("option.verbose"))
    parser.add_argument("--json", action="store_true", help=say("option.json"))
    parser.add_argument("--clean", type=int, choices=(0, 1), default=1, help=say("option.clean"))
    parser.add_argument(
        "--expiry", metavar="SECONDS", type=EXPIRY, default=0, help=say("option.expiry")
    )


def _sub(arguments: argparse.Namespace) -> int:
    for topic in arguments.topic:
        if not topic or len(topic.encode()) > 65_535 or "\0" in topic:
            raise BadRequestError(say("mqtt.bad_filter", topic=topic))

    def receive(connection: Connection) -> int:
        _subscribe(connection, arguments)
        return _print_all(connection, arguments)

    return run_connected(
        arguments, receive, clean=bool(arguments.clean), session_expiry_s=arguments.expiry
    )


def _subscribe(connection: Connection, arguments: argparse.Namespace) -> None:
    answers: queue.SimpleQueue[RookeryError | None] = queue.SimpleQueue()

    def on_subscribe(_c: object, _d: object, _mid: object, codes: list[Any], _p: object) -> None:
        refused = [
            say("mqtt.not_subscribed", filter=topic, reason=str(code))
            for topic, code in zip(arguments.topic, codes, strict=False)
            if code.is_failure
        ]
        answers.put(UnavailableError("\n".join(refused)) if refused else None)

    connection.client.on_subscribe = on_subscribe
    try:
        connection.client.subscribe([(topic, arguments.qos) for topic in arguments.topic])
    except ValueError:
        raise BadRequestError(say("mqtt.bad_filter", topic=", ".join(arguments.topic))) from None
    connection.wait(answers)


def _print_all(connection: Connection, arguments: argparse.Namespace) -> int:
    deadline = time.monotonic() + arguments.wait if arguments.wait else None
    received = 0
    while True:
        timeout_s = POLL_S if deadline is None else min(POLL_S, deadline - time.monotonic())
        if timeout_s <= 0:
            # Waiting for a number of messages and not getting it is a failure.
            return output.FAILED if arguments.count else output.OK
        try:
            message = connection.messages.get(timeout=timeout_s)
        except queue.Empty:
            continue
        if isinstance(message, RookeryError):
            raise message
        _print(message, arguments)
        received += 1
        if received == arguments.count:
            return output.OK


def _print(message: paho.MQTTMessage, arguments: argparse.Namespace) -> None:
    stream = sys.stdout.buffer
    if sys.stdout.isatty() and not arguments.json:
        topic = f"{message.topic} " if arguments.verbose else ""
        stream.write(for_terminal(topic.encode() + message.payload) + b"\n")
    elif arguments.json:
        stream.write(json.dumps(_row(message), ensure_ascii=False).encode() + b"\n")
    else:
        if arguments.verbose:
            stream.write(message.topic.encode() + b" ")
        stream.write(message.payload + b"\n")
    stream.flush()


def for_terminal(data: bytes) -> bytes:
    """``data`` with everything escaped that could control a terminal: whoever publishes chose it.

    Lines and tabs stay.
    """
    text = data.decode("utf-8", "backslashreplace")
    return "".join(
        character if character.isprintable() or character in "\n\t" else ascii(character)[1:-1]
        for character in text
    ).encode()


def _row(message: paho.MQTTMessage) -> dict[str, Any]:
    row: dict[str, Any] = {
        "topic": message.topic,
        "qos": message.qos,
        "retain": message.retain,
        "dup": message.dup,
    }
    try:
        row["payload"] = message.payload.decode()
    except UnicodeDecodeError:
        row["payload_hex"] = message.payload.hex()
    properties: Any = message.properties
    if properties is not None and not properties.isEmpty():
        row["properties"] = properties.json()
    return row
