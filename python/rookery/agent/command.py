"""The command line: ``rookery-agent VERB`` of the one-file program, ``rookery agent VERB``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from rookery.agent.failures import AgentError, CallError
from rookery.agent.places import HOME_VARIABLE, SYSTEM_HOME
from rookery.agent.texts import say
from rookery.agent.version import own_version

OK = 0
FAILED = 1
USAGE = 2
NOT_RUNNING = 3
INTERRUPTED = 130

Run = Callable[[argparse.Namespace], int]
EXAMPLES = """\
  rookery-agent register --url https://control.example:8082 --ca-sha256 HEX \\
    --registration-token TOKEN --emqx-dashboard-username admin"""


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with its first word in the user's language."""

    def add_usage(
        self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None
    ) -> None:
        super().add_usage(usage, actions, groups, say("usage.usage") if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """Says an error in one line."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", Formatter)
        super().__init__(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, say("usage.error", program=self.prog, text=message) + "\n")


def declare(verbs: Any) -> None:
    """Add every verb to a group of sub-commands."""
    from rookery.agent import verbs as done_by  # noqa: PLC0415 - help needs none of it

    _verb(verbs, "install", done_by.install)
    _verb(verbs, "uninstall", done_by.uninstall)
    _verb(verbs, "start", done_by.start)
    _verb(verbs, "stop", done_by.stop)
    _verb(verbs, "restart", done_by.restart)
    _add_json(_verb(verbs, "status", done_by.status))
    register = _verb(verbs, "register", done_by.register, EXAMPLES)
    register.add_argument("--url", metavar="URL", help=say("option.url"))
    register.add_argument(
        "--registration-token", metavar="TOKEN", help=say("option.registration-token")
    )
    register.add_argument("--ca-sha256", metavar="HEX", default="", help=say("option.ca-sha256"))
    _add_switch(register, "--insecure-skip-verify", "option.insecure")
    _add_cluster_user(register)
    register.add_argument("--emqx-dashboard-url", metavar="URL", help=say("option.dashboard-url"))
    register.add_argument("--emqx-api-url", metavar="URL", help=say("option.api-url"))
    register.add_argument("--emqx-other-urls", metavar="URL[,URL…]", help=say("option.other-urls"))
    _add_switch(register, "--emqx-log-collection-enabled", "option.log-enabled")
    register.add_argument("--emqx-log-collection-dir", metavar="DIR", help=say("option.log-dir"))
    _verb(verbs, "unregister", done_by.unregister)
    _add_cluster_user(_verb(verbs, "credentials", done_by.credentials))
    _add_json(_verb(verbs, "doctor", done_by.doctor))
    _verb(verbs, "run", done_by.run)


def _verb(verbs: Any, name: str, run: Run, examples: str = "") -> argparse.ArgumentParser:
    text = say(f"help.{name}")
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=text,
        description=text,
        add_help=False,
        allow_abbrev=False,
        epilog=f"\n{examples}" if examples else None,
    )
    parser.add_argument("-h", "--help", action="help", help=say("help.help"))
    default = f"{SYSTEM_HOME}, {HOME_VARIABLE}"
    parser.add_argument("--home", metavar="DIR", help=say("option.home", default=default))
    parser.set_defaults(run=lambda arguments: guarded(run, arguments))
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help=say("option.json"))


def _add_switch(parser: argparse.ArgumentParser, name: str, key: str) -> None:
    """On by its name alone, or with ``true`` or ``false`` behind it."""
    parser.add_argument(
        name, nargs="?", const="true", default="", choices=("true", "false"), help=say(key)
    )


def _add_cluster_user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--emqx-dashboard-username", metavar="NAME", help=say("option.username"))
    parser.add_argument(
        "--emqx-dashboard-password", metavar="PASSWORD", help=say("option.password")
    )
    parser.add_argument(
        "--emqx-dashboard-password-file", metavar="FILE", help=say("option.password-file")
    )


def guarded(run: Run, arguments: argparse.Namespace) -> int:
    """Say what went wrong in one line."""
    try:
        return run(arguments)
    except (AgentError, CallError) as error:
        print(say("error", text=error), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(say("error", text=f"{where}{error.strerror or error}"), file=sys.stderr)
        return FAILED


def main(words: Sequence[str] | None = None) -> int:
    """The one-file program."""
    parser = Parser(
        prog="rookery-agent", description=say("help.agent"), add_help=False, allow_abbrev=False
    )
    parser.add_argument("-h", "--help", action="help", help=say("help.help"))
    parser.add_argument("--version", action="store_true", help=say("help.version"))
    declare(parser.add_subparsers(metavar="COMMAND", parser_class=Parser))
    arguments = parser.parse_args(sys.argv[1:] if words is None else list(words))
    if arguments.version:
        print(f"rookery-agent {own_version()} (Python {sys.version.split()[0]})")
        return OK
    if not hasattr(arguments, "run"):
        parser.print_help()
        return USAGE
    code: int = arguments.run(arguments)
    return code


def show_json(value: Any) -> None:
    print(json.dumps(value, indent=2, ensure_ascii=False))
