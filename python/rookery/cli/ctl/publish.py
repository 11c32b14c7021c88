"""``rookery ctl publish``: publish as the node, past authentication and access rules."""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path
from typing import Any

from rookery.cli import output
from rookery.cli.ctl.asking import api, as_noun, done, node_of
from rookery.cli.messages import say
from rookery.client.http_client import NodeClient
from rookery.errors import BadRequestError, NotAllowedError, UnavailableError

EXAMPLES = """\
  rookery ctl publish plant/7/set 21.5
  rookery ctl publish plant/7/state on --qos 1 --retain
  rookery ctl publish firmware/new --file image.bin --expiry 3600
  date | rookery ctl publish clock --file -"""
NO_SUBSCRIBERS = 16
_WORDS = {
    "topic_name_invalid": "ctl.publish.topic",
    "packet_too_large": "ctl.publish.large",
    "server_busy": "ctl.publish.busy",
}


def declare(nouns: Any) -> None:
    """Add the noun."""
    parser = as_noun(nouns, "publish", _publish, examples=EXAMPLES)
    parser.add_argument("topic", metavar="TOPIC", help=say("option.topic.pub"))
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("payload", metavar="PAYLOAD", nargs="?", help=say("option.message"))
    what.add_argument("--file", "-f", metavar="FILE", type=Path, help=say("option.file"))
    parser.add_argument("--qos", "-q", type=int, choices=(0, 1, 2), default=0,
                        help=say("option.qos"))  # fmt: skip
    parser.add_argument("--retain", "-r", action="store_true", help=say("option.retain"))
    parser.add_argument("--expiry", metavar="SECONDS", type=int, help=say("option.publish.expiry"))


def _publish(arguments: argparse.Namespace) -> int:
    body: dict[str, Any] = {
        "topic": arguments.topic,
        "qos": arguments.qos,
        "retain": arguments.retain,
    }
    if arguments.file is None:
        body["payload"] = arguments.payload
    else:
        body |= {"payload": _content(arguments.file), "payload_encoding": "base64"}
    if arguments.expiry is not None:
        body["properties"] = {"message_expiry_interval": arguments.expiry}
    answer = _sent(node_of(arguments), body)
    code = answer.get("reason_code")
    if code in (None, NO_SUBSCRIBERS):
        text = say("ctl.publish.done" if code is None else "ctl.publish.nobody")
        return done(arguments, answer, text)
    if arguments.json:
        output.show_json(answer)
    is_answered = answer["message"] != "plugin_did_not_answer"
    what = "refused" if is_answered else "unanswered"
    refusal = say(f"ctl.publish.{what}", plugin=answer.get("plugin", "?"), code=code)
    raise NotAllowedError(refusal, message_zh=refusal)


def _sent(node: NodeClient, body: Any) -> Any:
    try:
        return node.post(api("publish"), body)
    except (BadRequestError, UnavailableError) as error:
        # Words that programs compare; people get sentences.
        if (key := _WORDS.get(error.message)) is None:
            raise
        text = say(key, topic=body["topic"])
        raise type(error)(text, code=error.code, message_zh=text) from None


def _content(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise BadRequestError(f"{file}: {error.strerror or error}") from None
    return base64.b64encode(content).decode()
