"""openssl s_client as an MQTT client: it connects, and whether it was let in is in what comes back."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.authority import DEADLINE_S, Pair
from rookery.native.node import Node

# MQTT 3.1.1: CONNECT of client "s" and DISCONNECT, after which the broker closes.
_PACKETS = bytes.fromhex("100d00044d515454040200000001") + b"s" + bytes.fromhex("e000")
_CONNACK = bytes.fromhex("20020000")


@dataclass(frozen=True)
class Outcome:
    """What became of a connection."""

    is_admitted: bool
    version: str
    subject: str
    text: str


def s_client(
    node: Node, ca: Path, *options: str, pair: Pair | None = None, port: int | None = None
) -> Outcome:
    """Connect, authenticate, be admitted and leave."""
    shown = ("-cert", str(pair.cert), "-key", str(pair.key)) if pair else ()
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{port or port_of(node)}", "-ign_eof"),
            *("-CAfile", str(ca), "-verify_return_error", *shown, *options),
        ],
        input=_PACKETS,
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
    )
    text = (done.stdout + done.stderr).decode("latin-1")
    version = re.search(r"^\s*(?:New, )?(TLSv1\.\d)", text, re.MULTILINE)
    subject = re.search(r"^subject=(.*)$", text, re.MULTILINE)
    return Outcome(
        _CONNACK in done.stdout,
        version[1] if version else "",
        subject[1].strip() if subject else "",
        text,
    )


def port_of(node: Node) -> int:
    return next(item.port for item in node.listeners() if item.id == "ssl:default")
