"""How every command's arguments are declared: one look, options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rookery.cli import output
from rookery.cli.messages import say

if TYPE_CHECKING:
    from rookery.config import Config

Run = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors end in one line that says where help is."""

    def error(self, message: str) -> NoReturn:
        self.exit(output.USAGE, f"{self.prog}: {message}\n{self.prog} --help\n")


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
        formatter_class=argparse.RawDescriptionHelpFormatter,
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


def load_config(arguments: argparse.Namespace, defaults: dict[str, Any] | None = None) -> Config:
    """Read the configuration that the arguments name, and print its warnings.

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
    )
    for problem in loaded.warnings:
        output.complain(say("config.warning", text=problem.text(language())))
    return loaded
