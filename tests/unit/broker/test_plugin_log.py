"""What a plugin's process writes becomes records of the log."""

from __future__ import annotations

import logging

from rookery.broker.plugins.process import TRACEBACK_LINES_MAX, LogRecord, LogRecords

HEAD = "Traceback (most recent call last):"


def records(*lines: str) -> list[LogRecord]:
    made = LogRecords()
    found = [made.take(line) for line in lines]
    return [record for record in [*found, made.rest()] if record is not None]


def test_a_line_is_a_record_of_the_level_it_begins_with() -> None:
    assert records("WARNING x: late", "printed", "ERROR y: broken") == [
        (logging.WARNING, "WARNING x: late"),
        (logging.INFO, "printed"),
        (logging.ERROR, "ERROR y: broken"),
    ]


def test_a_traceback_is_one_record() -> None:
    lines = (HEAD, '  File "a.py", line 1, in f', "    g()", "", "ValueError: no")
    assert records("before", *lines, "after") == [
        (logging.INFO, "before"),
        (logging.ERROR, "\n".join(lines)),
        (logging.INFO, "after"),
    ]


def test_a_traceback_that_nothing_ends_is_not_lost() -> None:
    assert records(HEAD, "  File") == [(logging.ERROR, f"{HEAD}\n  File")]


def test_a_traceback_has_a_bound_and_its_last_line() -> None:
    (record,) = records(HEAD, *["  deep"] * 500, "RecursionError: too deep")
    lines = record.text.splitlines()
    assert len(lines) == TRACEBACK_LINES_MAX + 2
    assert lines[-2:] == ["  ... 301 more lines", "RecursionError: too deep"]
