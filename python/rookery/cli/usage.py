"""How ``argparse`` speaks: its words and errors in the user's language, errors in one line.

It has no catalogue of its own but English, and makes its messages in many places: what it says is
recognised and said again.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from rookery.cli import output
from rookery.cli.messages import say

_CHOICE = (
    r"argument (?P<name>.+?): invalid choice: (?P<value>.+?)(?:, maybe you meant .+?\?)?"
    r" \(choose from (?P<choices>.+)\)"
)
# What argparse says (Python 3.11 to 3.14) and the text that says it.
MESSAGES: tuple[tuple[str, str], ...] = (
    (r"the following arguments are required: (?P<names>.+)", "usage.required"),
    (r"one of the arguments (?P<names>.+) is required", "usage.one_required"),
    (r"unrecognized arguments: (?P<words>.+)", "usage.unknown"),
    (r"argument (?P<name>.+?): not allowed with argument (?P<other>.+)", "usage.not_with"),
    (r"argument (?P<name>.+?): expected one argument", "usage.no_value"),
    (r"argument (?P<name>.+?): expected at (?:most|least) one argument", "usage.no_value"),
    (r"argument (?P<name>.+?): expected (?P<count>\d+) arguments?", "usage.values"),
    (_CHOICE, "usage.choice"),
    (r"argument (?P<name>.+?): invalid \S+ value: (?P<value>.+)", "usage.bad_value"),
    (r"argument (?P<name>.+?): ignored explicit argument (?P<value>.+)", "usage.takes_none"),
    (r"argument (?P<name>.+?): (?P<text>.+)", "usage.argument"),
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")


def said_again(message: str) -> str:
    """``message`` of argparse in the user's language; as it is when nobody knows it."""
    for pattern, key in MESSAGES:
        match = re.fullmatch(pattern, message, re.DOTALL)
        if match is not None:
            words = match.groupdict()
            if words.get("name") == "COMMAND":
                words["name"] = say("usage.command")
            words = {name: _QUOTED.sub(r'"\1"', text) for name, text in words.items()}
            if "choices" in words:
                words["choices"] = words["choices"].replace('"', "")
            return say(key, **words)
    return message


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help with its first word in the user's language."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, say("usage.usage") if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line that says where help is."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", Formatter)
        super().__init__(*arguments, **options)
        # There is no public way to name the two groups that every parser has.
        self._positionals.title = say("usage.positionals")
        self._optionals.title = say("usage.options")

    def error(self, message: str) -> NoReturn:
        line = say("usage.error", program=self.prog, text=said_again(message))
        self.exit(output.USAGE, " ".join(line.splitlines()) + "\n")
