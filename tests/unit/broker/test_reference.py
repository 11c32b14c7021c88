"""The document of the REST interface is made once, and tried again with a pause."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from starlette.requests import Request

from rookery.broker.rest import reference
from rookery.broker.rest.deferred import RETRY_S
from rookery.clock import ManualClock
from rookery.errors import UnavailableError


async def test_what_failed_is_tried_again_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0

    def fails() -> Any:
        nonlocal tries
        tries += 1
        raise RuntimeError("broken on purpose")

    clock = ManualClock()
    shown = reference.Reference(lambda: MagicMock(swagger_support=True), clock)
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    monkeypatch.setattr(reference, "_made", fails)
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await shown.document(request)
        with pytest.raises(UnavailableError):
            await shown.page(request)
    assert tries == 1

    clock.advance(RETRY_S)
    with pytest.raises(UnavailableError):
        await shown.document(request)
    assert tries == 2

    monkeypatch.setattr(reference, "_made", lambda: (b"{}", "<p>"))
    clock.advance(RETRY_S)
    assert (await shown.document(request)).body == b"{}"
    assert (await shown.page(request)).body == b"<p>"
