"""``rookery cluster``: what a cluster needs besides its nodes."""

from __future__ import annotations

import argparse
import logging
from typing import Any

from rookery.cli import output, systemd
from rookery.cli.messages import say
from rookery.cli.parsers import add_command, add_sources, load_config

WITNESS_EXAMPLES = """\
  rookery cluster witness --set node.name=witness@10.0.0.3 --set node.cookie=SECRET \\
      --data-dir ./witness --join rookery@10.0.0.1"""


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "cluster", "help.cluster", None)
    root.set_defaults(parser=root)
    verbs = root.add_subparsers(metavar="COMMAND")
    witness = add_command(
        verbs, "witness", "help.cluster.witness", _witness, examples=WITNESS_EXAMPLES
    )
    add_sources(witness)
    witness.add_argument("--join", metavar="NAME@HOST", help=say("option.witness.join"))


def _witness(arguments: argparse.Namespace) -> int:
    from rookery.app import run_witness  # noqa: PLC0415

    config = load_config(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")

    def ready(name: str) -> None:
        output.line(say("cluster.witness", name=name, data_dir=config.data_dir))
        systemd.notify("READY=1")

    return run_witness(config, arguments.join, ready)
