"""How every command's arguments are declared: one look, options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.messages import say
from rookery.cli.usage import Formatter

if TYPE_CHECKING:
    from rookery.config import Config
    from rookery.config.draft import Look

Run = Callable[[argparse.Namespace], int]


class Whole:
    """A whole number within bounds, both included: a type of an argument."""

    kind: type[int | float] = int

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def __call__(self, text: str) -> Any:
        try:
            value = self.kind(text)
        except ValueError:
            value = None
        # Not the other way round: NaN is within no bounds.
        if value is None or not self.low <= value <= self.high:
            low, high = f"{self.low:,.12g}", f"{self.high:,.12g}"
            key = f"argument.{self.kind.__name__}"
            raise argparse.ArgumentTypeError(say(key, value=text, low=low, high=high))
        return value


class Number(Whole):
    """The same with digits after a point."""

    kind = float


def host_and_port(text: str) -> str:
    """``host:port``, ``[address]:port`` for IPv6: a type of an argument."""
    host, _, port = text.rpartition(":")
    is_bare_ipv6 = ":" in host and not (host.startswith("[") and host.endswith("]"))
    is_port = port.isascii() and port.isdecimal() and len(port) < 6 and 1 <= int(port) <= 65_535
    if not host or is_bare_ipv6 or not is_port:
        raise argparse.ArgumentTypeError(say("argument.address", value=text))
    return text


PORT_NUMBER = Whole(1, 65_535)
KEEP_ALIVE = Whole(0, 65_535)
EXPIRY = Whole(0, 0xFFFF_FFFF)
EVICTED_A_SECOND = Whole(1, 100_000)
# A year: far above any sensible setting, below what timers of any platform take.
SECONDS = Number(0, 31_536_000)


def add_command(
    commands: Any,
    name: str,
    key: str,
    run: Run | None,
    *,
    examples: str = "",
    short_help: bool = True,
) -> argparse.ArgumentParser:
    """Declare a command; ``key`` names its text, ``run`` does it.

    Without ``short_help`` the letter h is free for ``--host``, as in mosquitto's tools.
    """
    text = say(key)
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"{say('examples')}\n{examples}" if examples else None,
        formatter_class=Formatter,
        add_help=False,
        allow_abbrev=False,
    )
    flags = ("-h", "--help") if short_help else ("--help",)
    parser.add_argument(*flags, action="help", help=say("help.help"))
    if run is not None:
        parser.set_defaults(run=run)
    return parser


def add_place(parser: argparse.ArgumentParser) -> None:
    """``--config`` and ``--data-dir``: which node is meant."""
    parser.add_argument("--config", "-c", metavar="FILE", type=Path, help=say("option.config"))
    parser.add_argument("--data-dir", "-d", metavar="DIR", type=Path, help=say("option.data-dir"))


def add_sources(parser: argparse.ArgumentParser) -> None:
    """``--config``, ``--data-dir``, ``--set``."""
    add_place(parser)
    parser.add_argument(
        "--set", metavar="KEY=VALUE", action="append", default=[], help=say("option.set")
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help=say("option.json"))


def load_config(
    arguments: argparse.Namespace,
    defaults: dict[str, Any] | None = None,
    look: Look | None = None,
) -> Config:
    """Read the configuration that the arguments name, and print its warnings.

    ``look`` finds more that is wrong with it.

    Raises:
        InvalidConfigError: it cannot be used.
    """
    from rookery import config  # noqa: PLC0415
    from rookery.cli.messages import language  # noqa: PLC0415

    loaded = config.load(
        getattr(arguments, "config", None),
        arguments.data_dir,
        getattr(arguments, "set", ()),
        defaults=defaults,
        look=look,
    )
    for problem in loaded.warnings:
        output.complain(say("config.warning", text=problem.text(language())))
    return loaded
