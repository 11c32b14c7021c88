"""News about a service, not one line for every client."""

from __future__ import annotations

import logging

import pytest

from rookery.access.seldom import SeldomLog
from rookery.clock import ManualClock


def test_lines_are_spaced_and_counted(clock: ManualClock, caplog: pytest.LogCaptureFixture) -> None:
    log = SeldomLog(logging.getLogger("x"), clock)

    for number in range(500):
        log.warning("no answer to %d", number)
    clock.advance(10)
    log.warning("no answer to %d", 500)
    clock.advance(10)
    log.warning("no answer to %d", 501)

    assert caplog.messages == [
        "no answer to 0",
        "no answer to 500 (and 499 times more since the last such line)",
        "no answer to 501",
    ]
