"""``rookery bench``: make load with the native generator, against any broker."""

from __future__ import annotations

import argparse
import os
import re
import ssl
import sys
from typing import TYPE_CHECKING, Any

from rookery.cli import mqtt, output
from rookery.cli.messages import say
from rookery.cli.parsers import (
    EXPIRY,
    KEEP_ALIVE,
    PORT_NUMBER,
    Number,
    Whole,
    add_command,
    host_and_port,
)
from rookery.errors import UnavailableError

if TYPE_CHECKING:
    from rookery.native.bench import BenchProgress

# {rate} and {handshake} say what an example is for.
EXAMPLES = """\
  rookery bench pairs --publishers 100 --qos 1 --duration 10
  rookery bench pairs --publishers 1000 --rate 10000        # {rate}
  rookery bench fanout --subscribers 500 --window 4
  rookery bench shared --publishers 500 --subscribers 5 --qos 1
  rookery bench conn --idle-connections 10000 --duration 60
  rookery bench churn --publishers 50 --json
  rookery bench pairs --tls --cafile ca.pem
  rookery bench handshake --tls --cafile ca.pem --publishers 10   # {handshake}
  rookery bench pairs --ws --path /mqtt"""
MODES = ("pairs", "pub", "sub", "fanout", "shared", "conn", "churn", "handshake")
BAR_WIDTH = 30
# What the generator's errors hold, and the text that says what to do about it.
ADVICE = {
    "Connection refused": "mqtt.advice.refused",
    "cannot resolve": "mqtt.advice.name",
    "timed out": "mqtt.advice.silent",
    "unreachable": "mqtt.advice.no_way",
}
REASONS = {
    "mqtt.advice.refused": "bench.reason.refused",
    "mqtt.advice.name": "bench.reason.name",
    "mqtt.advice.silent": "bench.reason.silent",
    "mqtt.advice.no_way": "bench.reason.no_way",
}
# Errors of the generator, and the same in the user's language.
SAYINGS = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        (r"cannot (?:connect to|resolve) (?P<address>\S+): (?P<reason>.*)", "bench.unreachable"),
        (
            r"(?P<address>\S+) refused the connection with CONNACK code (?P<reason>.*)",
            "bench.refused",
        ),
        (
            r"(?P<address>\S+) refused a subscription with SUBACK code (?P<reason>.*)",
            "bench.not_subscribed",
        ),
        (
            r"(?P<address>\S+) closed connection (?P<number>\S+) before it was ready",
            "bench.closed",
        ),
        (
            r"only (?P<ready>\d+) of (?P<wanted>\d+) connections were ready after (?P<seconds>\S+) s",
            "bench.too_few",
        ),
    )
)

COUNT = Whole(0, 1 << 24)
RATE = Number(0, 1e9)
DURATION = Number(0, 604_800)

# Option, field of the generator's configuration, type, what the generator takes when absent.
OPTIONS: tuple[tuple[str, str, Whole | type[str], object], ...] = (
    ("--publishers", "publishers", COUNT, 1),
    ("--subscribers", "subscribers", COUNT, 0),
    ("--idle-connections", "idle_connections", COUNT, 0),
    ("--idle-subscriptions", "idle_subscriptions", COUNT, 0),
    ("--connect-rate", "connect_rate", RATE, 0),
    ("--payload-bytes", "payload_bytes", Whole(16, 268_000_000), 64),
    ("--window", "window", COUNT, 16),
    ("--rate", "rate", RATE, 0),
    ("--messages", "messages", Whole(0, 1 << 53), 0),
    ("--topics", "topics", COUNT, 0),
    ("--topic-prefix", "topic_prefix", str, "bench"),
    ("--share-name", "share_name", str, "bench"),
    ("--client-id-prefix", "client_id_prefix", str, ""),
    ("--session-expiry", "session_expiry_interval_s", EXPIRY, 0),
    ("--keepalive", "keep_alive_s", KEEP_ALIVE, 300),
    ("--warm-up", "warm_up_s", DURATION, 1),
    ("--duration", "duration_s", DURATION, 5),
    ("--drain", "drain_s", DURATION, 1),
    ("--set-up-timeout", "set_up_timeout_s", DURATION, 60),
    ("--watch-pid", "watch_pid", Whole(0, 1 << 22), 0),
)
SWITCHES: tuple[tuple[str, str, str], ...] = (
    ("--retain", "retain", "option.bench.retain"),
    ("--busy-poll", "busy_poll", "option.bench.busy-poll"),
    ("--subscribe-wildcard", "subscribe_wildcard", "option.bench.wildcard"),
)


def declare(commands: Any) -> None:
    """Add the command."""
    examples = EXAMPLES.format(
        rate=say("bench.example.rate"), handshake=say("bench.example.handshake")
    )
    parser = add_command(
        commands, "bench", "help.bench", _bench, examples=examples, short_help=False
    )
    parser.add_argument(
        "mode",
        choices=MODES,
        nargs="?",
        default="pairs",
        metavar="MODE",
        help=say("option.bench.mode"),
    )
    parser.add_argument("-h", "--host", default="127.0.0.1", help=say("option.host"))
    parser.add_argument("-p", "--port", type=PORT_NUMBER, help=say("option.port"))
    parser.add_argument(
        "--address",
        metavar="HOST:PORT",
        type=host_and_port,
        action="append",
        help=say("option.bench.address"),
    )
    parser.add_argument(
        "-q", "--qos", type=int, choices=(0, 1, 2), default=0, help=say("option.qos")
    )
    parser.add_argument(
        "-V",
        "--protocol",
        choices=("3.1", "3.1.1", "5"),
        default="3.1.1",
        help=say("option.protocol"),
    )
    parser.add_argument("-u", "--username", metavar="NAME", help=say("option.username"))
    parser.add_argument("-P", "--password", metavar="TEXT", help=say("option.password"))
    parser.add_argument("--clean", type=int, choices=(0, 1), default=1, help=say("option.clean"))
    mqtt.add_transport(parser)
    parser.add_argument(
        "--tls-version", choices=("1.2", "1.3"), help=say("option.bench.tls-version")
    )
    parser.add_argument("--tls-tickets", action="store_true", help=say("option.bench.tickets"))
    for flag, field, kind, default in OPTIONS:
        words = "option.bench.warm-up" if field == "warm_up_s" else "option.bench.value"
        text = say(words, default=default)
        parser.add_argument(
            flag, dest=field, metavar="TEXT" if kind is str else "N", type=kind, help=text
        )
    for flag, field, key in SWITCHES:
        parser.add_argument(flag, dest=field, action="store_true", help=say(key))
    parser.add_argument("--json", action="store_true", help=say("option.json"))
    parser.add_argument("--quiet", action="store_true", help=say("option.bench.quiet"))


def generator_config(arguments: argparse.Namespace) -> dict[str, Any]:
    """The generator's configuration; what was not given keeps the generator's own default."""
    port = arguments.port or mqtt.default_port(arguments)
    config: dict[str, Any] = {
        "mode": arguments.mode,
        "addresses": arguments.address or [f"{_bracketed(arguments.host)}:{port}"],
        **_transport(arguments),
        "qos": arguments.qos,
        "protocol": arguments.protocol,
        "clean_start": bool(arguments.clean),
        "username": arguments.username,
        "password": arguments.password or os.environ.get("ROOKERY_PASSWORD"),
    }
    for _, field, _, _ in OPTIONS:
        value = getattr(arguments, field)
        if value is not None:
            config[field] = value
    config.update({field: True for _, field, _ in SWITCHES if getattr(arguments, field)})
    return config


def _transport(arguments: argparse.Namespace) -> dict[str, Any]:
    """The generator's keys of TLS and WebSocket."""
    keys: dict[str, Any] = {}
    if mqtt.is_websocket(arguments):
        keys |= {"websocket": True, "websocket_path": arguments.path or mqtt.WS_PATH}
    if not mqtt.is_tls(arguments):
        return keys
    keys |= {
        "tls": True,
        "tls_insecure": arguments.insecure,
        "tls_session_tickets": arguments.tls_tickets,
        "tls_version": arguments.tls_version or "any",
        "tls_cert_file": arguments.cert,
        "tls_key_file": arguments.key,
    }
    if not arguments.insecure:
        # The generator knows no trust store of the system; Python does.
        keys["tls_ca_file"] = arguments.cafile or ssl.get_default_verify_paths().cafile
    return keys


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _bench(arguments: argparse.Namespace) -> int:
    from rookery.native.bench import run_bench  # noqa: PLC0415

    shows_progress = sys.stderr.isatty() and not arguments.quiet
    draw = _draw if shows_progress else lambda _: True
    try:
        report = run_bench(generator_config(arguments), draw)
    except UnavailableError as error:
        raise UnavailableError(in_words(str(error))) from None
    if shows_progress:
        print("\r\x1b[K", end="", file=sys.stderr)
    if arguments.json:
        output.show_json(report)
    else:
        _show(report)
    return output.OK


def in_words(text: str) -> str:
    """What the generator says, with what to do about it, in the user's language."""
    advice = next((key for sign, key in ADVICE.items() if sign in text), None)
    # The reason of the system is in English, like this one.
    reason = re.sub(r" \(os error \d+\)", "", text)
    for pattern, key in SAYINGS:
        if found := pattern.fullmatch(reason):
            words = found.groupdict()
            if advice in REASONS:
                words["reason"] = say(REASONS[advice])
            reason = say(key, **words)
            break
    return reason if advice is None else reason + say("mqtt.advice", text=say(advice))


def _draw(progress: BenchProgress) -> bool:
    filled = round(BAR_WIDTH * min(1.0, max(0.0, progress.share)))
    bar = "█" * filled + "░" * (BAR_WIDTH - filled)
    phase = say(f"bench.phase.{progress.phase}")
    counts = f"{progress.connected:,} ⇄  {progress.sent:,} →  {progress.received:,} ←"
    print(f"\r\x1b[K{phase} {bar} {progress.elapsed_s:5.1f} s  {counts}", end="", file=sys.stderr)
    sys.stderr.flush()
    return True


def _show(report: dict[str, Any]) -> None:
    """Every figure of the report on a line of its own, nested ones by path."""
    rows = list(_flat(report, ""))
    if rows:
        output.show_table(rows)


def _flat(value: dict[str, Any], prefix: str) -> Any:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _flat(item, f"{prefix}{key}.")
        elif item is not None and not isinstance(item, list):
            text = (
                f"{item:,.3f}"
                if isinstance(item, float)
                else f"{item:,}"
                if type(item) is int
                else str(item)
            )
            yield f"{prefix}{key}", text
