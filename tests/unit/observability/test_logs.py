"""Log records reach the console and files, one line each."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from rookery.observability.logs import (
    JsonFormatter,
    Logging,
    TextFormatter,
    console_handler,
    file_handler,
)


def record(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("rookery.x", logging.WARNING, "x.py", 1, message, arguments, None)


def test_a_text_line_says_when_how_bad_and_where_from() -> None:
    line = TextFormatter().format(record("%s is full", "disk"))

    when, level, rest = line.split(" ", 2)
    assert "T" in when
    assert (level, rest) == ("[warning]", "rookery.x: disk is full")


def test_a_message_cannot_forge_a_line() -> None:
    line = TextFormatter().format(record("a\r\nb"))

    assert line.endswith("a\\r\\nb")


def test_a_json_line_is_json() -> None:
    entry = json.loads(JsonFormatter().format(record("gerät\n1")))

    assert (entry["level"], entry["logger"], entry["msg"]) == ("warning", "rookery.x", "gerät\n1")


def test_an_error_brings_its_traceback() -> None:
    failed = record("failed")
    try:
        raise ValueError("why")
    except ValueError as error:
        failed.exc_info = (type(error), error, error.__traceback__)

    assert "ValueError: why" in TextFormatter().format(failed)
    assert "ValueError: why" in json.loads(JsonFormatter().format(failed))["error"]


def test_files_are_rotated(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "rookery.log"
    handler = file_handler(path, "info", "text", rotation_bytes=200, rotation_count=2)
    logging_ = Logging([handler])
    logging_.open()

    for number in range(20):
        logging.getLogger("rookery.x").info("line %d", number)
    logging_.close()

    assert sorted(item.name for item in path.parent.iterdir()) == [
        "rookery.log",
        "rookery.log.1",
        "rookery.log.2",
    ]


def test_closing_takes_everything_away(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    logging_ = Logging([console_handler("error", "text")])

    logging_.open()
    logging.getLogger("rookery.x").warning("quiet")
    logging.getLogger("rookery.x").error("loud")
    logging_.close()

    assert (root.level, list(root.handlers)) == before
    shown = capsys.readouterr().err
    assert "loud" in shown
    assert "quiet" not in shown
