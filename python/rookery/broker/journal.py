"""What a node in the foreground prints: one line for every connect, disconnect and error, and for
what rules print.

    09:15:02.123 connected     sensor-1 from 10.0.0.7:50312 on tcp:default, MQTT 5.0
    09:15:09.456 refused       sensor-2 from 10.0.0.8:40112 on tcp:default: not_authorized; …

It follows ``log.console``: nothing where that is off, a JSON object for each line where its form is
``json``. Clients that come, go and are refused are told to the log too, under a name of their own.

Text that a client chose is printed so that it can neither forge a line nor control a terminal.
"""

from __future__ import annotations

import logging
from typing import NamedTuple, Protocol

from rookery.clock import Clock
from rookery.config.snapshot import LogHandlerConfig
from rookery.native.rows import EventRow
from rookery.observability.logs import CLIENTS, JsonFormatter, timestamp
from rookery.observability.visible import json_line, visible

_clients_log = logging.getLogger(CLIENTS)

_PROTOCOLS = {3: "MQTT 3.1", 4: "MQTT 3.1.1", 5: "MQTT 5.0"}
# Of a time such as 2026-01-02T09:15:02.123+01:00.
_TIME_OF_DAY = slice(11, 23)
_SHOWN_MAX = 120
_LOG_SHOWN_MAX = 1000
_COMINGS_AND_GOINGS = frozenset({"connected", "disconnected"})
_WARNINGS = frozenset({"not listening", "damaged"})
_CONSOLE = "rule.console: "
"""What the core's log says of rules with the output ``console``; it has no other way here."""
_CONSOLE_LINES_MAX = 100
"""Most lines of rules in a second: a rule of every message must not fill the disk."""


class Lines(Protocol):
    """Where lines are printed: a terminal, a file."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class Journal:
    """Prints events; the rest of the node does not depend on it."""

    def __init__(
        self, out: Lines, clock: Clock, console: LogHandlerConfig, *, is_dated: bool = False
    ) -> None:
        """``is_dated`` puts date and time zone before each line, for what is read days later."""
        self._is_dated = is_dated
        self._out = out
        self._clock = clock
        self._is_broken = False
        self._rules_second = 0
        self._rules_shown = 0
        self._rules_left_out = 0
        self.use(console)

    def use(self, console: LogHandlerConfig) -> None:
        """Print as ``log.console`` says."""
        self.is_shown = console.enable
        self._json: JsonFormatter | None = None
        if console.formatter == "json":
            self._json = JsonFormatter(console.time_offset, is_epoch=console.is_epoch)

    def note(self, kind: str, text: str) -> None:
        """Print one line about the node itself."""
        self._print([(kind, text)])

    def watch(self, rows: list[EventRow]) -> None:
        """Print those events that a person wants to see; the core's log is shown by the console's."""
        if not self.is_shown:
            return
        lines = [self._line_of_rule(row[2]) if _is_console(row) else _line_of(row) for row in rows]
        self._print([line for line in lines if line is not None])

    def _line_of_rule(self, text: str) -> tuple[str, str] | None:
        second = self._clock.now_ms() // 1000
        if second != self._rules_second:
            self._rules_second, self._rules_shown = second, 0
        if self._rules_shown >= _CONSOLE_LINES_MAX:
            self._rules_left_out += 1
            return None
        self._rules_shown += 1
        more = f" ({self._rules_left_out} lines left out before)" if self._rules_left_out else ""
        self._rules_left_out = 0
        return "console", shortened(text.removeprefix(_CONSOLE), _LOG_SHOWN_MAX) + more

    def _print(self, lines: list[tuple[str, str]]) -> None:
        if self._is_broken or not self.is_shown or not lines:
            return
        seconds = self._clock.now_ms() / 1000
        try:
            self._out.write("".join(self._formed(seconds, lines)))
            self._out.flush()
        except (OSError, ValueError):
            # Nobody reads any more (`rookery node start | head`): that must not stop a broker.
            self._is_broken = True

    def _formed(self, seconds: float, lines: list[tuple[str, str]]) -> list[str]:
        if self._json is None:
            stamp = timestamp(seconds)
            if not self._is_dated:
                stamp = stamp[_TIME_OF_DAY]
            return [f"{stamp} {kind:<13} {visible(text)}\n" for kind, text in lines]
        formed = []
        for kind, text in lines:
            level = "warning" if kind in _WARNINGS else "info"
            entry = self._json.entry(seconds, level, _logger_of(kind), f"{kind}: {text}")
            formed.append(json_line(entry) + "\n")
        return formed


class _Said(NamedTuple):
    """An event that becomes words only where a line of the log is written."""

    row: EventRow

    def __str__(self) -> str:
        kind, text = _line_of(self.row) or ("", "")
        return f"{kind}: {text}"


def logs_comings_and_goings() -> bool:
    """Whether the log is to have them: the core tells them only where somebody looks."""
    return _clients_log.isEnabledFor(logging.DEBUG)


def log_clients(rows: list[EventRow]) -> None:
    """Tell the log who came and went, and who was refused; what is not written costs no words."""
    if not _clients_log.isEnabledFor(logging.INFO):
        return
    for row in rows:
        if row[0] == "refused":
            # A stranger chose the words: lines are counted together by the reason alone.
            kind = f"refused on {row[2]}: {row[4]}"
            _clients_log.info("%s", _Said(row), extra={"kind": kind})
        elif row[0] in _COMINGS_AND_GOINGS:
            _clients_log.debug("%s", _Said(row))


def _logger_of(kind: str) -> str:
    if kind == "refused" or kind in _COMINGS_AND_GOINGS:
        return CLIENTS
    return "rookery.rules" if kind == "console" else "rookery.node"


def _is_console(row: EventRow) -> bool:
    """Whether a rule printed it; at the usual level the log itself leaves it out."""
    return row[0] == "log" and row[1] == "info" and str(row[2]).startswith(_CONSOLE)


def _line_of(row: EventRow) -> tuple[str, str] | None:
    match row[0]:
        case "connected":
            client = row[1]
            protocol = _PROTOCOLS.get(client[5], "MQTT")
            name = f" as {shortened(client[1])}" if client[1] else ""
            where = f"from {client[3]} on {client[4]}"
            return "connected", f"{shortened(client[0])}{name} {where}, {protocol}"
        case "disconnected":
            client, reason = row[1], row[2]
            where = f" from {client[3]}" if client[3] else ""
            return "disconnected", f"{shortened(client[0])}{where}: {reason}"
        case "refused":
            _, peer, listener, client_id, reason, advice = row
            who = shortened(client_id) if client_id else "(no client id)"
            hint = f"; {advice}" if advice and advice != reason else ""
            return "refused", f"{who} from {peer} on {listener}: {reason}{hint}"
        case _:
            return None


def shortened(text: str, shown_max: int = _SHOWN_MAX) -> str:
    """As much of a long text as is shown."""
    return text if len(text) <= shown_max else f"{text[:shown_max]}…"
