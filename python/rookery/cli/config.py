"""``rookery config``: a configuration file to begin with, or one made from EMQX's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rookery.cli import config_import, output
from rookery.cli.messages import say
from rookery.cli.parsers import add_command

EXAMPLES = """\
  rookery config init
  rookery config init ./rookery.conf"""

EXAMPLE_FILE = """\
# Rookery configuration. Everything here is a default: remove a # to change it.
# HOCON: `a.b = 1` and `a { b = 1 }` mean the same; durations are 15s, sizes 1MB.
# Environment variables (ROOKERY_A__B) and --set key=value stand above this file.
# `rookery node check-config` checks it, `rookery node config --origin` shows what holds.

node {
  # name = "rookery@127.0.0.1"
  # workers = 0                 # threads, 0 is one per processor core
}

# `rookery tls init` makes certificates and prints the lines for listeners.ssl.default.
listeners {
  # tcp.default.bind = "0.0.0.0:1883"
  # ws.default.bind = "0.0.0.0:8083"
}

# authentication = [{ mechanism = password_based, backend = built_in_database }]
# authorization { no_match = deny, sources = [{ type = file, path = "acl.conf" }] }

access {
  # anonymous = loopback        # who gets in without authentication: loopback, everyone, nobody
}

mqtt {
  # max_packet_size = 1MB
  # max_inflight = 32
  # max_mqueue_len = 1000
  # session_expiry_interval = 2h
}

durability {
  # sync = interval             # always, interval or never
  # sync_interval = 100ms
}

retainer {
  # max_payload_size = 1MB
  # backend.max_retained_messages = 0
}

# dashboard.listeners.http.bind = "127.0.0.1:18083"
# log.console.level = warning
"""


def declare(commands: Any) -> None:
    """Add the command."""
    root = add_command(commands, "config", "help.config", None)
    root.set_defaults(parser=root)
    verbs = root.add_subparsers(metavar="COMMAND")
    init = add_command(verbs, "init", "help.config.init", _init, examples=EXAMPLES)
    init.add_argument("file", nargs="?", type=Path, metavar="FILE", help=say("option.config"))
    examples = config_import.EXAMPLES
    config_import.declare(
        add_command(verbs, "import", "help.config.import", None, examples=examples)
    )


def _init(arguments: argparse.Namespace) -> int:
    from rookery.config.load import CONFIG_FILE_NAME, data_dir_of  # noqa: PLC0415
    from rookery.errors import StartError  # noqa: PLC0415

    data_dir = data_dir_of()
    usual = data_dir / CONFIG_FILE_NAME
    path = arguments.file or usual
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(EXAMPLE_FILE)
    except FileExistsError:
        output.complain(say("config.exists", file=path))
        return output.FAILED
    except OSError as error:
        raise StartError(f"{path}: {error.strerror or error}") from error
    output.line(say("config.written", file=path))
    if path.absolute() == usual:
        output.line(say("config.read", data_dir=data_dir))
    else:
        output.line(say("config.not_read", file=path))
    return output.OK
