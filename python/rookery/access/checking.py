"""What only providers and sources themselves can judge of a configuration, told before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rookery.config.problems import Problem
from rookery.words import Words

if TYPE_CHECKING:
    from rookery.config.draft import Draft

Entries: TypeAlias = Sequence[dict[str, Any]]

_CHAIN = "authentication"
_SOURCES = "authorization.sources"


def problems(draft: Draft) -> Iterator[Problem]:
    """Everything that is wrong with entries that the schema took; none of them is started."""
    providers: Entries = draft["authentication"] or ()
    sources: Entries = draft["authorization.sources"] or ()
    if providers and draft.is_sound("authentication"):
        yield from _of_providers(draft, providers)
    if sources and draft.is_sound("authorization"):
        yield from _of_sources(draft, sources)


def _of_providers(draft: Draft, entries: Entries) -> Iterator[Problem]:
    from rookery.access import build  # noqa: PLC0415 - many configurations have none
    from rookery.access.stores import Stores  # noqa: PLC0415
    from rookery.clock import SystemClock  # noqa: PLC0415

    def make(some: Entries) -> None:
        build.chain(some, stores, clock, answer_timeout_s=_answer_timeout_s(draft))

    clock = SystemClock()
    stores = Stores(None, clock)
    try:
        yield from _each(draft, _CHAIN, entries, make)
    finally:
        stores.close()


def _of_sources(draft: Draft, entries: Entries) -> Iterator[Problem]:
    from rookery.access import acl_file, build  # noqa: PLC0415
    from rookery.access.errors import AccessError  # noqa: PLC0415
    from rookery.clock import SystemClock  # noqa: PLC0415

    def make(some: Entries) -> None:
        build.sources(some, SystemClock(), answer_timeout_s=_answer_timeout_s(draft))

    yield from _each(draft, _SOURCES, entries, make)
    for number, entry in enumerate(entries, start=1):
        if entry["enable"] and entry["type"] == "file" and entry["path"]:
            try:
                acl_file.load(Path(entry["path"]))
            except AccessError as error:
                yield _problem(draft, f"{_SOURCES}.{number}.path", error.words)


def _each(
    draft: Draft, root: str, entries: Entries, make: Callable[[Entries], None]
) -> Iterator[Problem]:
    """Making them ends with the first that is wrong; it is left out then, for the next."""
    from rookery.access.errors import EntryError  # noqa: PLC0415

    left = list(entries)
    while True:
        try:
            make(left)
            return
        except EntryError as error:
            yield _problem(draft, error.place, error.reason)
            number = int(error.place.removeprefix(f"{root}."))
            left[number - 1] = {**left[number - 1], "enable": False}


def _answer_timeout_s(draft: Draft) -> float:
    timeout_ms = draft["access.hook_timeout"]
    return timeout_ms / 1000 if isinstance(timeout_ms, int | float) else 5.0


def _problem(draft: Draft, place: str, words: Words) -> Problem:
    return Problem("unfit", place, draft.near(place), reasons=words._asdict())
