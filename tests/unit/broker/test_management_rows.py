"""How moments are written."""

from __future__ import annotations

import pytest

from rookery.broker.management.rows import rfc3339
from rookery.clock import LATEST_MS


@pytest.mark.parametrize(
    ("ms", "written"),
    [
        (LATEST_MS, "9999-12-31T23:59:59.999+00:00"),
        (LATEST_MS + 1, "9999-12-31T23:59:59.999+00:00"),
        (999_999_999_999_000, "9999-12-31T23:59:59.999+00:00"),
        (1 << 64, "9999-12-31T23:59:59.999+00:00"),
        (-(1 << 64), "0001-01-01T00:00:00.000+00:00"),
    ],
)
def test_a_moment_behind_every_calendar_breaks_no_list(ms: int, written: str) -> None:
    assert rfc3339(ms) == written
