"""The document of the REST interface is made once, and tried again with a pause."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from rookery.clock import ManualClock
from rookery.errors import UnavailableError
from rookery.web.reference import RETRY_S, Reference


async def test_what_failed_is_tried_again_after_a_pause() -> None:
    tries = 0
    is_broken = True

    def make() -> dict[str, Any]:
        nonlocal tries
        tries += 1
        if is_broken:
            raise RuntimeError("broken on purpose")
        return {"info": {"title": "A", "description": "What it is."}, "paths": {}}

    clock = ManualClock()
    shown = Reference(make, "/api", clock)
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
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

    is_broken = False
    clock.advance(RETRY_S)
    assert b'"title":"A"' in (await shown.document(request)).body
    assert b"<title>A REST</title>" in (await shown.page(request)).body
    assert tries == 3
