"""``rookery pub``: publish messages to any broker."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.mqtt import Connection, add_connection, run_connected
from rookery.cli.parsers import SECONDS, Whole, add_command
from rookery.errors import (
    BadRequestError,
    NotAllowedError,
    RookeryError,
    TimedOutError,
    UnavailableError,
)

EXAMPLES = """\
  rookery pub -t sensors/1 -m 21.5
  rookery pub -t sensors/1 -m 21.5 -q 1 -r
  rookery pub -h broker.example.com -t firmware -f ./image.bin
  tail -f app.log | rookery pub -t logs/app -l"""
ACKNOWLEDGE_TIMEOUT_S = 30.0
LINE_BYTES_MAX = 1 << 20
REPEAT_MAX = 1_000_000_000


def declare(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "pub", "help.pub", _pub, examples=EXAMPLES, short_help=False)
    add_connection(parser)
    parser.add_argument("-t", "--topic", required=True, help=say("option.topic.pub"))
    payload = parser.add_mutually_exclusive_group(required=True)
    payload.add_argument("-m", "--message", metavar="TEXT", help=say("option.message"))
    payload.add_argument("-f", "--file", metavar="FILE", help=say("option.file"))
    payload.add_argument("-l", "--lines", action="store_true", help=say("option.lines"))
    payload.add_argument("-n", "--empty", action="store_true", help=say("option.empty"))
    parser.add_argument("-r", "--retain", action="store_true", help=say("option.retain"))
    parser.add_argument(
        "--repeat", metavar="TIMES", type=Whole(1, REPEAT_MAX), default=1, help=say("option.repeat")
    )
    parser.add_argument(
        "--interval", metavar="SECONDS", type=SECONDS, default=0.0, help=say("option.interval")
    )


def _pub(arguments: argparse.Namespace) -> int:
    topic = arguments.topic
    if not topic or len(topic.encode()) > 65_535 or any(c in topic for c in "+#\0"):
        raise BadRequestError(say("mqtt.bad_topic", topic=topic))
    payloads = _payloads(arguments)

    def publish_all(connection: Connection) -> int:
        for payload in payloads:
            _publish(connection, arguments, payload)
        return output.OK

    return run_connected(arguments, publish_all)


def _payloads(arguments: argparse.Namespace) -> Iterator[bytes]:
    if arguments.lines:
        return _lines()
    if arguments.message is not None:
        payload = arguments.message.encode("utf-8", "surrogateescape")
    elif arguments.file is not None:
        payload = _content(arguments.file)
    else:
        payload = b""
    return _repeated(payload, arguments.repeat, arguments.interval)


def _repeated(payload: bytes, times: int, interval_s: float) -> Iterator[bytes]:
    for number in range(times):
        if number:
            time.sleep(interval_s)
        yield payload


def _lines() -> Iterator[bytes]:
    while line := sys.stdin.buffer.readline(LINE_BYTES_MAX):
        yield line.rstrip(b"\r\n")


def _content(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadRequestError(say("mqtt.no_file", file=name, reason=reason)) from None


def _publish(connection: Connection, arguments: argparse.Namespace, payload: bytes) -> None:
    """Publish one message and wait until the broker has it."""
    try:
        sent = connection.client.publish(
            arguments.topic, payload, qos=arguments.qos, retain=arguments.retain
        )
        sent.wait_for_publish(ACKNOWLEDGE_TIMEOUT_S)
    except (ValueError, RuntimeError) as error:
        raise UnavailableError(say("mqtt.not_published", reason=_why(connection, error))) from None
    if not sent.is_published():
        while not connection.messages.empty():
            found = connection.messages.get()
            if isinstance(found, RookeryError):
                raise found
        raise TimedOutError(say("mqtt.timeout", seconds=f"{ACKNOWLEDGE_TIMEOUT_S:g}"))
    refused = connection.refused.pop(sent.mid, None)
    if refused is not None:
        raise NotAllowedError(say("mqtt.not_published", reason=refused))


def _why(connection: Connection, error: Exception) -> str:
    """The connection's end says more than the client library's word for it."""
    while not connection.messages.empty():
        found = connection.messages.get()
        if isinstance(found, RookeryError):
            return str(found)
    return str(error)
