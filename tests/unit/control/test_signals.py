"""What processes tell each other fits into what PostgreSQL carries."""

from __future__ import annotations

import json

from rookery.control.processes.signals import notices
from rookery.storage.notices import NOTICE_BYTES_MAX


def test_much_is_told_in_few_notices_that_fit() -> None:
    items = [f"{number:016x} {number:016x}" for number in range(1000)]
    pending = dict.fromkeys([("clusters", item) for item in items] + [("agents", "a")])
    told = list(notices("me", pending))
    assert all(len(notice.encode()) <= NOTICE_BYTES_MAX for notice in told)
    assert len(told) < 10
    said = [json.loads(notice) for notice in told]
    assert [item for one in said if one["topic"] == "clusters" for item in one["items"]] == items
    assert [one["items"] for one in said if one["topic"] == "agents"] == [["a"]]
    assert {one["from"] for one in said} == {"me"}
