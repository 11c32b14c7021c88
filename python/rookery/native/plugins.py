"""The way to the worker processes of plugins, and what such a process needs at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from rookery import _native
from rookery.native.lazy import LazyMessage
from rookery.native.models import Message
from rookery.native.rows import AnswerRow, AskId, EventRow

Failure: TypeAlias = Literal["deny", "ignore", "allow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRoute:
    """A plugin that runs, as the native side has to know it.

    Attributes:
        id: Its number, never used again for another one.
        name: What it is called in the log.
        hooks: Hookpoints by EMQX's names.
        topics: Topic Filters to which its ``message.*`` hooks are limited; none: every topic.
        workers: Number of its worker processes.
        deadline_ms: How long an answer may take.
        authenticate_failure: What holds without an answer to ``client.authenticate``.
        authorize_failure: … to ``client.authorize``.
        publish_failure: … to ``message.publish``.
        subscribe_failure: … to ``client.subscribe``.
        unsubscribe_failure: … to ``client.unsubscribe``.
        open_max: Most questions that wait for an answer of one worker process.
        bytes_max: Most bytes that wait to be taken by one worker process.
    """

    id: int
    name: str = ""
    hooks: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    workers: int = 1
    deadline_ms: int = 5000
    authenticate_failure: Failure = "deny"
    authorize_failure: Failure = "deny"
    publish_failure: Failure = "ignore"
    subscribe_failure: Failure = "ignore"
    unsubscribe_failure: Failure = "ignore"
    open_max: int = 65_536
    bytes_max: int = 64 << 20


class WorkerFigures(NamedTuple):
    """Counters of one worker process since it started."""

    plugin: int
    worker: int
    is_attached: bool
    asked: int
    answered: int
    late: int
    failed: int
    told: int
    dropped: int
    open: int


class PluginBridge:
    """Carries questions and notices of the core to worker processes, on a thread of its own.

    Calls wait for that thread, which never waits for anybody: microseconds.
    """

    def __init__(self, bridge: _native.PluginBridge) -> None:
        self._native = bridge

    def set_plugins(self, plugins: Sequence[PluginRoute]) -> None:
        """Make the plugins those of the list, in the order in which they are asked."""
        self._native.set_plugins(list(plugins))

    def attach(self, plugin: int, worker: int) -> int:
        """A new socket; the descriptor of the worker's end, which the caller has to close."""
        return self._native.attach(plugin, worker)

    def begin(self, plugin: int, worker: int) -> None:
        """The worker process is ready: it is asked from now on, first what was held."""
        self._native.begin(plugin, worker)

    def hold(self, plugin: int) -> None:
        """Keep what the plugin would be asked and told for its next processes."""
        self._native.hold(plugin)

    def detach(self, plugin: int, worker: int) -> None:
        """Close a worker's socket and hold nothing; what is open gets the configured answer."""
        self._native.detach(plugin, worker)

    def tell(self, hookpoint: str, json: str) -> None:
        """Tell every plugin that has this hookpoint."""
        self._native.tell(hookpoint, json)

    def workers(self) -> list[WorkerFigures]:
        return [WorkerFigures(*row[:3], *row[3]) for row in self._native.workers()]

    def close(self) -> None:
        """Give every hookpoint back. May be called twice."""
        self._native.close()


class Asked(NamedTuple):
    """A message that a hook said something about which is no plain answer.

    Attributes:
        id: The question.
        message: What the hook was given.
        result: What it returned, or raised.
        has_raised: Which of the two.
    """

    id: AskId
    message: Message
    result: Any
    has_raised: bool


class Turn(NamedTuple):
    """What came down, and what was made of it.

    Attributes:
        answers: Bytes with which the worker process answers.
        asked: Messages of which the answer is still to be found.
        rows: Everything else.
        has_more: Whether more is whole already: feed again.
    """

    answers: bytes
    asked: list[Asked]
    rows: list[EventRow]
    has_more: bool


class PluginDecoder:
    """Takes what comes down to a worker process apart, and asks its hook about messages."""

    def __init__(self, on_publish: Callable[[Message], object] | None = None) -> None:
        """With ``on_publish`` messages are no rows: it is called with each."""
        self._native = _native.PluginDecoder(on_publish, LazyMessage)

    def feed(self, data: bytes) -> Turn:
        """Add bytes. One turn takes some milliseconds at most, if no hook takes longer."""
        answers, asked, rows, has_more = self._native.feed(data)
        return Turn(answers, [Asked(*item) for item in asked], rows, has_more)


def encode_answers(answers: list[AnswerRow]) -> bytes:
    """The bytes with which a worker process answers."""
    return _native.encode_answers(answers)
