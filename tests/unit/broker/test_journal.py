"""The foreground shows one line for each connect, disconnect and error."""

from __future__ import annotations

import io
import json
import logging

import pytest

from rookery.broker.journal import Journal, log_clients, logs_comings_and_goings, shortened
from rookery.clock import ManualClock
from rookery.config.snapshot import LogHandlerConfig
from rookery.native.rows import EventRow
from rookery.observability.logs import JsonFormatter, TextFormatter, timestamp

CLIENT = ("c1", "u1", True, "10.0.0.7:50312", "tcp:default", 5)
NAMELESS = ("c1", None, False, None, "tcp:default", 4)


TEXT = LogHandlerConfig(True, "warning", "text", None, 0, 0, "utc", is_epoch=False)
JSON = TEXT._replace(formatter="json")
OFF = TEXT._replace(enable=False)
REFUSED = ("refused", "10.0.0.8:1", "tcp:default", "c2", "not_authorized", "")


def printed(*rows: EventRow) -> list[str]:
    out = io.StringIO()
    Journal(out, ManualClock(), TEXT).watch(list(rows))
    return [line.split(maxsplit=1)[1] for line in out.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (
            ("connected", CLIENT),
            "connected     c1 as u1 from 10.0.0.7:50312 on tcp:default, MQTT 5.0",
        ),
        (("disconnected", CLIENT, "kicked"), "disconnected  c1 from 10.0.0.7:50312: kicked"),
        (("disconnected", NAMELESS, "normal"), "disconnected  c1: normal"),
        (
            ("refused", "10.0.0.8:1", "tcp:default", "", "not_authorized", "start with --lan"),
            (
                "refused       (no client id) from 10.0.0.8:1 on tcp:default: "
                "not_authorized; start with --lan"
            ),
        ),
    ],
)
def test_a_line_says_who_where_and_why(row: EventRow, line: str) -> None:
    assert printed(row) == [line]


@pytest.mark.parametrize(
    "row",
    [
        ("log", "info", "x"),
        ("log", "error", "the console shows it"),
        ("subscribed", "c1", ("a", 0, False, False, 0)),
    ],
)
def test_the_rest_is_not_shown(row: EventRow) -> None:
    assert printed(row) == []


def test_with_json_every_line_is_an_object() -> None:
    out = io.StringIO()
    journal = Journal(out, ManualClock(1_700_000_000_123), JSON)
    journal.note("listening", "on 127.0.0.1:1883")
    journal.note("damaged", "a page of the store")
    journal.watch([("connected", CLIENT), REFUSED, ("log", "info", "rule.console: hot")])
    entries = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(entry["level"], entry["logger"], entry["msg"]) for entry in entries] == [
        ("info", "rookery.node", "listening: on 127.0.0.1:1883"),
        ("warning", "rookery.node", "damaged: a page of the store"),
        (
            "info",
            "rookery.clients",
            "connected: c1 as u1 from 10.0.0.7:50312 on tcp:default, MQTT 5.0",
        ),
        ("info", "rookery.clients", "refused: c2 from 10.0.0.8:1 on tcp:default: not_authorized"),
        ("info", "rookery.rules", "console: hot"),
    ]
    assert {entry["time"] for entry in entries} == {"2023-11-14T22:13:20.123+00:00"}


def test_a_console_that_is_off_prints_nothing_until_it_is_on() -> None:
    out = io.StringIO()
    journal = Journal(out, ManualClock(), OFF)
    journal.note("listening", "on 127.0.0.1:1883")
    journal.watch([("connected", CLIENT), REFUSED])
    assert out.getvalue() == ""
    journal.use(TEXT)
    journal.watch([REFUSED])
    assert " refused " in out.getvalue()


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (logging.DEBUG, ["connected", "refused", "disconnected"]),
        (logging.INFO, ["refused"]),
        (logging.WARNING, []),
    ],
)
def test_the_log_is_told_by_its_level(
    caplog: pytest.LogCaptureFixture, level: int, words: list[str]
) -> None:
    with caplog.at_level(level, "rookery.clients"):
        assert logs_comings_and_goings() == (level == logging.DEBUG)
        log_clients([("connected", CLIENT), REFUSED, ("disconnected", CLIENT, "kicked")])
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == words


def test_a_client_cannot_forge_a_line() -> None:
    [line] = printed(
        ("disconnected", ("a\n12:00:00.000 connected b\x1b[2J", *CLIENT[1:]), "normal")
    )

    assert "\\n" in line
    assert "\x1b" not in line


def test_a_long_name_is_shortened() -> None:
    assert len(shortened("x" * 1000)) == 121


ODD = "naïve-中文\u3000👩\u200d🔧\n\x9b\u202e\u2028\ud800"


def test_letters_stay_beside_what_is_escaped() -> None:
    [line] = printed(("disconnected", (ODD, *CLIENT[1:]), "normal"))
    assert "naïve-中文\u3000👩\u200d🔧\\n\\x9b\\u202e\\u2028\\ud800 from" in line


def test_json_has_the_value_itself() -> None:
    out = io.StringIO()
    Journal(out, ManualClock(), JSON).watch([("disconnected", (ODD, *CLIENT[1:]), "normal")])
    [line] = out.getvalue().removesuffix("\n").splitlines()
    assert not set("\x9b\u202e\u2028\ud800") & set(line)
    assert "naïve-中文" in line
    assert json.loads(line)["msg"] == f"disconnected: {ODD} from 10.0.0.7:50312: normal"


def test_the_log_holds_the_value_itself(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "rookery.clients"):
        log_clients([("refused", "10.0.0.8:1", "tcp:default", ODD, "banned", "banned")])
    [record] = caplog.records
    text, entry = TextFormatter().format(record), json.loads(JsonFormatter().format(record))
    assert text.endswith("\\n\\x9b\\u202e\\u2028\\ud800 from 10.0.0.8:1 on tcp:default: banned")
    assert "naïve-中文" in text
    assert entry["msg"] == f"refused: {ODD} from 10.0.0.8:1 on tcp:default: banned"


def test_a_reader_that_went_away_does_not_end_the_node() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    journal = Journal(Closed(), ManualClock(), TEXT)

    journal.note("listening", "on 127.0.0.1:1883")
    journal.note("stopped", "")


def test_the_time_stands_in_front() -> None:
    out = io.StringIO()
    Journal(out, ManualClock(1_700_000_000_123), TEXT).note("listening", "on 127.0.0.1:1883")

    assert out.getvalue().split()[0].endswith(".123")
    assert out.getvalue().endswith(" listening     on 127.0.0.1:1883\n")


def test_a_dated_line_has_the_timestamp_of_the_log() -> None:
    out = io.StringIO()
    clock = ManualClock(1_700_000_000_123)
    Journal(out, clock, TEXT, is_dated=True).note("listening", "on 127.0.0.1:1883")

    assert out.getvalue().split()[0] == timestamp(1_700_000_000.123)


def test_what_a_rule_prints_is_shown() -> None:
    row = ("log", "info", 'rule.console: rule "hot": {"temp":91}')
    assert printed(row) == ['console       rule "hot": {"temp":91}']


def test_a_rule_of_every_message_does_not_flood_the_terminal() -> None:
    out = io.StringIO()
    clock = ManualClock()
    journal = Journal(out, clock, TEXT)
    row = ("log", "info", 'rule.console: rule "all": {}')
    journal.watch([row] * 500)
    clock.advance(1.0)
    journal.watch([row])
    lines = out.getvalue().splitlines()
    assert len(lines) == 101
    assert lines[-1].endswith('rule "all": {} (400 lines left out before)')
