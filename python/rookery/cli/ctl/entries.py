"""What ``rookery ctl`` has of things that are made of a file and named afterwards: rules, links, connectors."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from rookery.cli.ctl.asking import add_noun, add_verb, api, done, node_of
from rookery.cli.ctl.showing import show_members
from rookery.cli.messages import say
from rookery.cli.parsers import Run


@dataclass(frozen=True, slots=True)
class Entries:
    """A noun and how one of its things is named.

    Attributes:
        noun: On the command line, such as ``rules``.
        place: Where one of them stands in the REST interface, in front of its name.
        argument: What the commands find the name under, ``id`` or ``name``.
        metavar: What the help shows for it.
        option: The message that says what it is.
        example: One of them, for the examples.
    """

    noun: str
    place: tuple[str, ...]
    argument: str
    metavar: str
    option: str
    example: str

    def add(self, verbs: Any, verb: str, run: Run, more: str = "") -> argparse.ArgumentParser:
        """A verb for one of them; ``more`` stands behind the name in its example."""
        examples = f"  rookery ctl {self.noun} {verb} {self.example}{more}"
        parser = add_verb(verbs, self.noun, verb, run, examples=examples)
        parser.add_argument(self.argument, metavar=self.metavar, help=say(self.option))
        parser.set_defaults(entries=self)
        return parser

    def name(self, arguments: argparse.Namespace) -> str:
        """The one that is meant."""
        return str(getattr(arguments, self.argument))

    def path(self, arguments: argparse.Namespace, *more: str) -> str:
        """Where that one stands in the REST interface."""
        return api(*self.place, self.name(arguments), *more)


class Runs(NamedTuple):
    """What the verbs do that all these nouns have. ``enable`` gets the verb, which may be disable."""

    list: Run
    show: Run
    create: Run
    update: Run
    enable: Run
    delete: Run


def declare_entries(
    nouns: Any, entries: Entries, runs: Runs, *, create_examples: str, file: str
) -> tuple[Any, argparse.ArgumentParser]:
    """Add a noun with the verbs that all have; its verbs, and the one that makes a thing.

    Args:
        nouns: Where it goes.
        entries: The noun.
        runs: What its verbs do.
        create_examples: How one is made.
        file: Name of a file in the examples.
    """
    noun = entries.noun
    verbs = add_noun(nouns, noun)
    examples = f"  rookery ctl {noun} list\n  rookery ctl {noun} list --json"
    add_verb(verbs, noun, "list", runs.list, examples=examples)
    entries.add(verbs, "show", runs.show)
    create = add_verb(verbs, noun, "create", runs.create, examples=create_examples)
    add_file(create, is_required=False)
    add_file(entries.add(verbs, "update", runs.update, f" --file {file}"))
    add_switches(verbs, entries, runs.enable)
    entries.add(verbs, "delete", runs.delete)
    add_metrics(verbs, entries)
    return verbs, create


def add_file(parser: argparse.ArgumentParser, *, is_required: bool = True) -> None:
    """Add the option that names the file of a thing."""
    parser.add_argument("--file", "-f", metavar="FILE", type=Path, required=is_required,
                        help=say("option.entry-file"))  # fmt: skip


def add_switches(verbs: Any, entries: Entries, run: Run) -> None:
    """Add switching one on and off."""
    for verb in ("enable", "disable"):
        entries.add(verbs, verb, run).set_defaults(verb=verb)


def add_metrics(verbs: Any, entries: Entries) -> None:
    """Add looking at what one did, and setting that to zero."""
    entries.add(verbs, "metrics", _metrics)
    entries.add(verbs, "reset", _reset)


def _metrics(arguments: argparse.Namespace) -> int:
    path = arguments.entries.path(arguments, "metrics")
    return show_members(arguments, node_of(arguments).get(path)["metrics"])


def _reset(arguments: argparse.Namespace) -> int:
    entries: Entries = arguments.entries
    node_of(arguments).put(entries.path(arguments, "metrics", "reset"))
    name = entries.name(arguments)
    return done(arguments, {entries.argument: name}, say("ctl.entry.reset", id=name))
