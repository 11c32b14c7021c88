"""Reads the command line and calls the command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from rookery.cli import bench, completion, config, node, output, ports, pub, sub, up
from rookery.cli.messages import say
from rookery.cli.parsers import Parser
from rookery.errors import RookeryError

NOUNS = (up, node, pub, sub, bench, ports, config, completion)


def parser() -> Parser:
    """The whole command line."""
    root = Parser(
        prog="rookery", description=say("help.rookery"), add_help=False, allow_abbrev=False
    )
    root.add_argument("-h", "--help", action="help", help=say("help.help"))
    root.add_argument("--version", action="store_true", help=say("help.version"))
    commands = root.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for noun in NOUNS:
        noun.declare(commands)
    return root


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    root = parser()
    parsed = root.parse_args(arguments)
    if parsed.version:
        output.line(_version())
        return output.OK
    if not hasattr(parsed, "run"):
        (getattr(parsed, "parser", None) or root).print_help()
        return output.USAGE
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except RookeryError as error:
        for text in output.error_lines(error):
            output.complain(text)
        return output.FAILED
    except KeyboardInterrupt:
        return output.INTERRUPTED
    except BrokenPipeError:
        output.give_up_on_broken_pipe()
        return output.OK
    return code


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        number = version("rookery")
    except PackageNotFoundError:
        number = "0"
    return f"rookery {number} (Python {sys.version.split()[0]}, {os.uname().machine})"
