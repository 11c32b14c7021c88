"""``rookery plugin``: write plugins, without a node."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rookery.cli import output, plugin_run
from rookery.cli.messages import say
from rookery.cli.parsers import add_command


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "plugin", "help.plugin", None)
    root.set_defaults(parser=root)
    verbs = root.add_subparsers(metavar="VERB")
    new = add_command(verbs, "new", "help.plugin.new", _new, examples="  rookery plugin new shout")
    new.add_argument("name", metavar="NAME", help=say("option.plugin-name"))
    examples = "  rookery plugin build\n  rookery plugin build shout --wheels"
    build = add_command(verbs, "build", "help.plugin.build", _build, examples=examples)
    build.add_argument(
        "project", metavar="FOLDER", type=Path, nargs="?", default=Path(),
        help=say("option.plugin-project"),
    )  # fmt: skip
    build.add_argument("--out", metavar="FOLDER", type=Path, help=say("option.plugin-out"))
    build.add_argument("--wheels", action="store_true", help=say("option.plugin-wheels"))
    plugin_run.declare(verbs)


def _new(arguments: argparse.Namespace) -> int:
    from rookery.plugins.build import new  # noqa: PLC0415

    folder = new(arguments.name, Path())
    output.line(say("plugin.made", folder=folder))
    return output.OK


def _build(arguments: argparse.Namespace) -> int:
    from rookery.plugins.build import build  # noqa: PLC0415

    archive = build(arguments.project, arguments.out, with_wheels=arguments.wheels)
    output.line(say("plugin.built", file=archive))
    return output.OK
