"""Reads the command line and calls the command."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from rookery.cli import output
from rookery.cli.messages import language, say
from rookery.cli.usage import Parser
from rookery.errors import RookeryError

NOUNS = (
    "up",
    "node",
    "cluster",
    "control",
    "edge",
    "ctl",
    "plugin",
    "agent",
    "pub",
    "sub",
    "bench",
    "ports",
    "config",
    "tls",
    "completion",
)


def parser(only: str | None = None, below: str | None = None) -> Parser:
    """The whole command line, or the part below one noun: a node starts sooner that way.

    ``below`` names what comes next below ``ctl``, which has many nouns of its own.
    """
    root = Parser(
        prog="rookery", description=say("help.rookery"), add_help=False, allow_abbrev=False
    )
    root.add_argument("-h", "--help", action="help", help=say("help.help"))
    root.add_argument("--version", action="store_true", help=say("help.version"))
    commands = root.add_subparsers(metavar="COMMAND", parser_class=Parser)
    for noun in NOUNS if only is None else (only,):
        declared = import_module(f"rookery.cli.{noun}")
        if noun == "ctl":
            declared.declare(commands, below)
        else:
            declared.declare(commands)
    return root


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    is_noun = bool(words) and words[0] in NOUNS
    if words[:1] == ["ctl"]:
        from rookery.cli.ctl import complete  # noqa: PLC0415

        words = complete(words)
        instead = _instead_of(words[1:])
        if instead is not None:
            output.complain(instead)
            return output.USAGE
    root = parser(words[0] if is_noun else None, words[1] if len(words) > 1 else None)
    parsed = root.parse_args(words)
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
        return output.code_of(error)
    except KeyboardInterrupt:
        return output.INTERRUPTED
    except BrokenPipeError:
        output.give_up_on_broken_pipe()
        return output.OK
    return code


def _instead_of(words: Sequence[str]) -> str | None:
    """What to use instead of words of ``emqx ctl`` that are not here."""
    from rookery.cli.ctl.elsewhere import instead_of  # noqa: PLC0415

    found = instead_of(words)
    if found is None:
        return None
    return say("ctl.elsewhere", words=found[0], text=found[1].text(language()))


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        number = version("rookery")
    except PackageNotFoundError:
        number = "0"
    return f"rookery {number} (Python {sys.version.split()[0]}, {os.uname().machine})"
