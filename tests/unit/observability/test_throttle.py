"""One thing that happens often is told once, and then counted."""

from __future__ import annotations

import logging

import pytest

from rookery.clock import ManualClock
from rookery.observability.logs import Logging, TextFormatter
from rookery.observability.throttle import KINDS_MAX, Throttle


def record(message: str, *arguments: object, level: int = logging.WARNING) -> logging.LogRecord:
    return logging.LogRecord("rookery.x", level, "x.py", 1, message, arguments, None)


def summaries(throttle: Throttle) -> list[str]:
    return [summary.getMessage() for summary in throttle.summaries()]


def test_the_first_of_a_kind_passes_and_the_rest_is_counted() -> None:
    clock = ManualClock()
    throttle = Throttle(60, clock)

    taken = [throttle.takes(record("client %s is slow", f"c{n}")) for n in range(10)]
    clock.advance(60)

    assert taken == [True] + [False] * 9
    assert throttle.left_out == 9
    assert summaries(throttle) == ["9 more in the last 60 s: client … is slow"]
    assert summaries(throttle) == []
    assert throttle.takes(record("client %s is slow", "c1"))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (record("a is full"), record("b is full")),
        (record("full"), record("full", level=logging.ERROR)),
    ],
)
def test_different_things_all_pass(first: logging.LogRecord, second: logging.LogRecord) -> None:
    throttle = Throttle(60)
    assert throttle.takes(first)
    assert throttle.takes(second)


def test_debug_records_all_pass() -> None:
    throttle = Throttle(60)
    assert all(throttle.takes(record("again", level=logging.DEBUG)) for _ in range(5))


def test_a_record_may_say_its_kind() -> None:
    throttle = Throttle(60)
    refused = [record("refused: %s", name) for name in ("a", "b")]
    for one in refused:
        one.kind = "refused: banned"
    assert [throttle.takes(one) for one in refused] == [True, False]
    assert summaries(throttle)[0].endswith(": refused: banned")


def test_kinds_are_bounded() -> None:
    throttle = Throttle(60)
    texts = ["".join(chr(ord("a") + int(d)) for d in f"{n:06}") for n in range(2 * KINDS_MAX)]
    assert all(throttle.takes(record(text)) for text in texts)
    assert not throttle.takes(record(texts[0]))
    assert throttle.takes(record(texts[-1]))


class Kept(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.setFormatter(TextFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record).split(" ", 1)[1])


def test_what_was_left_out_is_told_at_the_end() -> None:
    kept = Kept(logging.WARNING)
    logs = Logging([kept], Throttle(60, ManualClock()))
    logs.open()
    for _ in range(3):
        logging.getLogger("rookery.x").warning("again")
    logs.close()

    assert kept.lines == [
        "[warning] rookery.x: again",
        "[warning] rookery.x: 2 more in the last 0 s: again",
    ]


def test_a_module_with_a_level_of_its_own_is_not_held_to_the_handlers() -> None:
    kept = Kept(logging.WARNING)
    logs = Logging([kept])
    logs.open()
    logs.set_levels({"rookery.loud": logging.DEBUG, "rookery.quiet": logging.ERROR})
    logging.getLogger("rookery.loud.deep").debug("1")
    logging.getLogger("rookery.quiet").warning("2")
    logging.getLogger("rookery.x").info("3")
    logs.set_levels({})
    logging.getLogger("rookery.loud.deep").debug("4")
    logs.close()

    assert kept.lines == ["[debug] rookery.loud.deep: 1"]
