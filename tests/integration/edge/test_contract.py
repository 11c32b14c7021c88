"""What the document of an edge service promises holds, whatever is sent: no 5xx, no status and no shape that is
not in it.

Requests are made up from the document, sensible ones and others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from harness.client import DEADLINE_S
from harness.edge import EdgeAsker, EdgeProcess
from harness.promised import each_kind_of_request, operations, validated

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "reference" / "edge-openapi.json"
LEFT_OUT = {
    # They end the session of this test, or never end themselves; each has tests of its own.
    *("POST /logout", "POST /password"),
    *("GET /neuron/node/stream", "GET /neuron/read/stream", "GET /logs/stream"),
}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeProcess]:
    process = EdgeProcess(tmp_path_factory.mktemp("fuzzed") / "edge")
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def token(process: EdgeProcess) -> str:
    """Of the administrator, when there is a device with the names that examples have."""
    return asyncio.run(_filled(process))


async def _filled(process: EdgeProcess) -> str:
    async with aiohttp.ClientSession() as client:
        here = EdgeAsker(process.url, client)
        admin = await here.first_visit()
        node = {"name": "plc", "plugin": "Simulator", "params": {}}
        await here.did(admin, "POST", "/neuron/node", node)
        group = {"node": "plc", "group": "line-1", "interval": 1000}
        await here.did(admin, "POST", "/neuron/group", group)
        return admin


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation", [name for name in operations(DOCUMENT) if name not in LEFT_OUT]
)
def test_what_the_document_promises_holds(operation: str, process: EdgeProcess, token: str) -> None:
    def send(case: Any) -> None:
        validated(
            case,
            base_url=f"{process.url}/api",
            headers={"Authorization": f"Bearer {token}"},
            timeout=DEADLINE_S,  # its own are 10 seconds, which a busy machine may take
        )

    each_kind_of_request(DOCUMENT, operation, send)
