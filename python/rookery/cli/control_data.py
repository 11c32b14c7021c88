"""``rookery control reset-admin``, ``backup`` and ``restore``: about what a control plane keeps."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.cli import output
from rookery.cli.messages import language, say
from rookery.cli.parsers import add_command, add_sources

if TYPE_CHECKING:
    from rookery.config.control import ControlConfig

RESET_EXAMPLES = """\
  rookery control reset-admin
  rookery control reset-admin --email ada@example.com < password.txt"""
BACKUP_EXAMPLES = "  rookery control backup control.tar.gz"
RESTORE_EXAMPLES = """\
  rookery control restore control.tar.gz --data-dir ./new
  rookery control restore control.tar.gz --database postgresql://rookery@db.example.com/rookery"""


def declare(verbs: Any) -> None:
    """Add the verbs."""
    reset = add_command(
        verbs, "reset-admin", "help.control.reset-admin", _reset, examples=RESET_EXAMPLES
    )
    add_control_sources(reset)
    reset.add_argument("--email", metavar="ADDRESS", help=say("option.control.email"))

    backup = add_command(verbs, "backup", "help.control.backup", _backup, examples=BACKUP_EXAMPLES)
    add_control_sources(backup)
    backup.add_argument("file", metavar="FILE", type=Path, help=say("option.control.backup"))

    restore = add_command(
        verbs, "restore", "help.control.restore", _restore, examples=RESTORE_EXAMPLES
    )
    add_control_sources(restore)
    restore.add_argument("file", metavar="FILE", type=Path, help=say("option.control.restore"))
    restore.add_argument("--force", action="store_true", help=say("option.control.force"))


def add_control_sources(parser: argparse.ArgumentParser) -> None:
    """``--config``, ``--data-dir``, ``--set`` and ``--database``."""
    add_sources(parser)
    parser.add_argument("--database", metavar="URL", help=say("option.database"))


def load_control_config(arguments: argparse.Namespace) -> ControlConfig:
    """Read the configuration that the arguments name, and print its warnings.

    Raises:
        InvalidConfigError: it cannot be used.
    """
    from rookery.config.control import load_control  # noqa: PLC0415

    sets = list(arguments.set)
    if arguments.database:
        sets.append(f"control.database={arguments.database}")
    config = load_control(arguments.config, arguments.data_dir, sets)
    for problem in config.warnings:
        output.complain(say("config.warning", text=problem.text(language())))
    return config


def _reset(arguments: argparse.Namespace) -> int:
    from rookery.app import reset_admin  # noqa: PLC0415
    from rookery.cli.ctl.passwords import new_password  # noqa: PLC0415

    config = load_control_config(arguments)
    found = reset_admin(config, arguments.email, new_password())
    key = "control.admin_made" if found.is_new else "control.admin_reset"
    output.line(say(key, email=found.email))
    return output.OK


def _backup(arguments: argparse.Namespace) -> int:
    from rookery.app import backup_control  # noqa: PLC0415

    found = backup_control(load_control_config(arguments), arguments.file)
    output.line(say("control.backed_up", file=arguments.file, rows=found.rows))
    return output.OK


def _restore(arguments: argparse.Namespace) -> int:
    from rookery.app import restore_control  # noqa: PLC0415

    config = load_control_config(arguments)
    found = restore_control(config, arguments.file, force=arguments.force)
    text = say("control.restored", at=found.created_at, version=found.version, rows=found.rows)
    output.line(text)
    return output.OK
