"""What the document promises holds, whatever is sent: no 5xx, no status and no shape that is not in it.

Requests are made up from the document, sensible ones and others. They go to a control plane of their own.
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
from harness.control import Asker, ControlProcess

EXAMPLES = int(os.environ.get("ROOKERY_FUZZ_EXAMPLES", "1"))
ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "reference" / "control-openapi.json"
# What ends the session of this test; each has tests of its own.
LEFT_OUT = {
    "POST /logout",
    "PUT /profile/password",
    # Whoever needs a second factor may do nothing else before.
    "PUT /configuration/user-management",
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
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    process = ControlProcess(tmp_path_factory.mktemp("fuzzed") / "control")
    process.start()
    yield process
    process.kill()


@pytest.fixture(scope="module")
def token(process: ControlProcess) -> str:
    """Of an administrator, when organizations, projects and users are there."""
    return asyncio.run(_filled(process))


async def _filled(process: ControlProcess) -> str:
    async with aiohttp.ClientSession() as client:
        here = Asker(process.url, client)
        admin = await here.set_up()
        org = await here.make(admin, "/orgs", {"name": "Factory East"})
        await here.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
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
def test_what_the_document_promises_holds(case: Any, process: ControlProcess, token: str) -> None:
    if f"{case.method} {case.path}" in LEFT_OUT:
        pytest.skip("has tests of its own")
    case.call_and_validate(
        base_url=f"{process.url}/api",
        headers={"Authorization": f"Bearer {token}"},
        checks=CHECKS,
        timeout=DEADLINE_S,  # its own are 10 seconds, which a busy machine may take
    )
