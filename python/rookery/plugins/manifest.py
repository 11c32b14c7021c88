"""What an archive of a plugin says about itself: ``release.json``, with EMQX's keys where it has some."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rookery.access.topic_filters import is_topic_filter
from rookery.errors import BadRequestError
from rookery.plugins.hookpoints import QUESTIONS

METADATA_VERSION = "1.0"
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
VERSION = re.compile(r"[0-9][0-9A-Za-z.+!_-]{0,63}")
ENTRY = re.compile(r"[A-Za-z_][\w.]{0,200}:[A-Za-z_]\w{0,99}")
FAILURES = ("deny", "ignore", "allow")
WORKERS_MAX = 64
TEXTS_MAX = 1000
"""In one list."""
MEMORY_MIN, MEMORY_MAX = 32 << 20, 1 << 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How a plugin wants to be run; an operator can say otherwise.

    Attributes:
        workers: Worker processes.
        deadline_s: How long an answer of a hook may take, seconds.
        memory_max: Bytes of memory of a worker process, above which it is started anew.
        topics: Topic Filters to which ``message.*`` hooks are limited; none: every topic.
        failure: By hookpoint: what holds without an answer.
    """

    workers: int = 1
    deadline_s: float = 5.0
    memory_max: int = 512 << 20
    topics: tuple[str, ...] = ()
    failure: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """``release.json``.

    Attributes:
        name: Name of the plugin, an identifier in small letters.
        rel_vsn: Its version.
        entry: ``module:Class``.
        description: One line.
        author: Who wrote it.
        requires: Python packages it needs, as in ``dependencies`` of ``pyproject.toml``.
        hookpoints: Hookpoints its class has, for people; the process says what holds.
        rookery: Version of Rookery it was built with.
        run: How it wants to be run.
    """

    name: str
    rel_vsn: str
    entry: str
    description: str = ""
    author: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    hookpoints: tuple[str, ...] = ()
    rookery: str = ""
    run: Running = field(default_factory=Running)

    @property
    def id(self) -> str:
        """``NAME-VERSION``, what EMQX calls a plugin's name."""
        return f"{self.name}-{self.rel_vsn}"

    def to_json(self) -> dict[str, Any]:
        return {"metadata_vsn": METADATA_VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, found: Any) -> Manifest:
        """Check what an archive says.

        Raises:
            BadRequestError: it says something that cannot be.
        """
        if not isinstance(found, dict):
            raise BadRequestError("release.json is no JSON object")
        if found.get("metadata_vsn") != METADATA_VERSION:
            raise BadRequestError(
                f"release.json: metadata_vsn is {METADATA_VERSION!r}: this is no plugin of Rookery"
            )
        return cls(
            name=_fitting(found, "name", NAME),
            rel_vsn=_fitting(found, "rel_vsn", VERSION),
            entry=_fitting(found, "entry", ENTRY),
            description=_text(found, "description"),
            author=_texts(found, "author"),
            requires=_texts(found, "requires"),
            hookpoints=_texts(found, "hookpoints"),
            rookery=_text(found, "rookery"),
            run=running(found.get("run", {})),
        )


def running(found: Any, before: Running | None = None) -> Running:
    """How a plugin is to be run; what is absent is as in ``before``.

    Raises:
        BadRequestError: a value is out of bounds.
    """
    before = before or Running()
    if not isinstance(found, dict):
        raise BadRequestError("run is no JSON object")
    known = {"workers", "deadline_s", "memory_max", "topics", "failure"}
    if unknown := found.keys() - known:
        raise BadRequestError(f"run has no {', '.join(sorted(unknown))}")
    failure = found.get("failure", before.failure)
    if not isinstance(failure, dict) or not all(
        name in QUESTIONS and word in FAILURES for name, word in failure.items()
    ):
        raise BadRequestError(
            f"run.failure: {', '.join(QUESTIONS)} each with {', '.join(FAILURES)}"
        )
    workers = _number(found, "workers", before.workers, 1, WORKERS_MAX)
    if workers != int(workers):
        raise BadRequestError("run.workers is no whole number")
    return Running(
        workers=int(workers),
        deadline_s=float(_number(found, "deadline_s", before.deadline_s, 0.01, 60)),
        memory_max=_memory(found, before.memory_max),
        topics=_filters(found, before.topics),
        failure=dict(failure),
    )


def _fitting(found: dict[str, Any], key: str, pattern: re.Pattern[str]) -> str:
    value = found.get(key)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BadRequestError(f"release.json: {key} is {value!r}; expected {pattern.pattern}")
    return value


def _text(found: dict[str, Any], key: str) -> str:
    value = found.get(key, "")
    if not _is_text(value) or len(value) > 10_000:
        raise BadRequestError(f"release.json: {key} is text")
    return str(value)


def _texts(found: dict[str, Any], key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
    value = found.get(key, default)
    if not isinstance(value, list | tuple) or not all(map(_is_text, value)):
        raise BadRequestError(f"{key} is a list of texts")
    if len(value) > TEXTS_MAX:
        raise BadRequestError(f"{key} has {len(value)} entries; at most {TEXTS_MAX} are possible")
    return tuple(value)


def _filters(found: dict[str, Any], default: tuple[str, ...]) -> tuple[str, ...]:
    topics = _texts(found, "topics", default)
    for topic in topics:
        if not is_topic_filter(topic):
            raise BadRequestError(f"run.topics: {topic!r} is no topic filter")
    return topics


def _is_text(value: Any) -> bool:
    """Half of a surrogate pair is none: nobody could write it down."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False


def _memory(found: dict[str, Any], default: int) -> int:
    try:
        return int(_number(found, "memory_max", default, MEMORY_MIN, MEMORY_MAX))
    except BadRequestError:
        raise BadRequestError(
            f"run.memory_max is 32MB to 1TB ({MEMORY_MIN} to {MEMORY_MAX} bytes)"
        ) from None


def _number(
    found: dict[str, Any], key: str, default: float, low: float, high: float
) -> int | float:
    value = found.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadRequestError(f"run.{key} is {low:g} to {high:g}")
    return value
