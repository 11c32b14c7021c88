"""What the document promises holds, whatever is sent: no 5xx, no status and no shape that is not in it.
And whatever is sent, no answer and no line of the log holds a secret.

Requests are made up from the document, sensible ones and others. They go to a control plane of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from harness.client import DEADLINE_S
from harness.control import PASSWORD, Asker, ControlProcess
from harness.promised import each_kind_of_request, operations, validated

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "reference" / "control-openapi.json"
# What ends the session of this test; each has tests of its own.
LEFT_OUT = {
    "POST /logout",
    "PUT /profile/password",
    # Whoever needs a second factor may do nothing else before.
    "PUT /configuration/user-management",
}


MAIL = {
    "host": "127.0.0.1",
    "port": 9,
    "security": "none",
    "username": "rookery",
    "password": "the-secret-of-mail",
    "sender": "rookery@example.com",
    "caCertificate": "",
}
PROVIDER = {
    "name": "Company",
    "issuer": "https://127.0.0.1:9/",
    "clientId": "rookery",
    "clientSecret": "the-secret-of-openid",
}
SECRETS = (PASSWORD, "the-secret-of-", "$argon2", "PRIVATE KEY")
"""What people typed, and what is made of it; the document's own examples have the first one."""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    process = ControlProcess(tmp_path_factory.mktemp("fuzzed") / "control")
    process.start()
    yield process
    process.kill()
    assert secrets_in("\n".join(process.log)) == []


GIVES_OUT = {
    # The certificates of an edge service are of use with its key only. That the key of the CA is
    # not among them: test_relay_tls.py.
    "POST /configuration/agent-relay/certificates": frozenset({"PRIVATE KEY"}),
}


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


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
        for name, given in (("mail", MAIL), ("oidc", PROVIDER)):
            answer = await here.ask("PUT", f"/configuration/{name}", given, token=admin)
            assert answer.status == 204, answer.text
        return admin


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation", [name for name in operations(DOCUMENT) if name not in LEFT_OUT]
)
def test_what_the_document_promises_holds(
    operation: str, process: ControlProcess, token: str
) -> None:
    def send(case: Any) -> None:
        answer = validated(
            case,
            base_url=f"{process.url}/api",
            headers={"Authorization": f"Bearer {token}"},
            timeout=DEADLINE_S,  # its own are 10 seconds, which a busy machine may take
        )
        # Some answers are archives.
        text = answer.content.decode("utf-8", "replace")
        assert set(secrets_in(text)) <= GIVES_OUT.get(operation, frozenset())
        assert token not in text

    each_kind_of_request(DOCUMENT, operation, send)
