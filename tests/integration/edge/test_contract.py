"""What the document of an edge service promises holds, whatever is sent: no 5xx, no status and no shape that is not in it.

Requests are made up from the document, sensible ones and others.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks

from harness.client import DEADLINE_S
from harness.edge import EdgeAsker, EdgeProcess

EXAMPLES = int(os.environ.get("ROOKERY_FUZZ_EXAMPLES", "1"))
ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "reference" / "edge-openapi.json"
LEFT_OUT = {
    # They end the session of this test, or never end themselves; each has tests of its own.
    *("POST /logout", "POST /password"),
    *("GET /neuron/node/stream", "GET /neuron/read/stream", "GET /logs/stream"),
}
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]

schema = schemathesis.openapi.from_path(str(DOCUMENT))


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
@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
def test_what_the_document_promises_holds(case: Any, process: EdgeProcess, token: str) -> None:
    if f"{case.method} {case.path}" in LEFT_OUT:
        pytest.skip("has tests of its own")
    case.call_and_validate(
        base_url=f"{process.url}/api",
        headers={"Authorization": f"Bearer {token}"},
        checks=CHECKS,
        timeout=DEADLINE_S,
    )
