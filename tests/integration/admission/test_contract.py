"""What the document promises holds, whatever is sent: no 5xx, no status and no shape that is not in it.

Requests are made up from the document, sensible ones and others. They go to a node of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S
from harness.promised import each_kind_of_request, operations, validated
from harness.rest_node import PASSWORD, PREFIX, Rest, RestNode, rest_node

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "reference" / "openapi.json"
ACCOUNTS = ("/users", "/api_key", "/logout")
# What ends the node, its listener or the credentials of this test; each has tests of its own.
LEFT_OUT = {"POST /logout"}


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    """A node on which the examples of the document exist."""
    with rest_node(tmp_path_factory.mktemp("fuzzed")) as node:
        sensor = node.node.connect("sensor-1", level=5)
        sensor.subscribe("plant/1/#", qos=1)
        with node.node.connect(level=5) as other:
            other.publish("plant/1/state", b"21.5", qos=1, retain=True)
        post = node.local.post
        post(PREFIX + "/users", {"username": "alice", "password": PASSWORD, "role": "viewer"})
        post(PREFIX + "/api_key", {"name": "monitoring", "role": "viewer"})
        post(PREFIX + "/banned", {"as": "clientid", "who": "nobody"})
        post(PREFIX + "/mqtt/topic_metrics", {"topic": "plant/1/state"})
        yield node
        sensor.drop()


@pytest.fixture(scope="module")
def callers(fuzzed: RestNode) -> dict[str, Rest]:
    return {"key": fuzzed.key("administrator"), "user": fuzzed.user("administrator")}


@pytest.mark.slow
@pytest.mark.parametrize(
    "operation", [name for name in operations(DOCUMENT) if name not in LEFT_OUT]
)
def test_what_the_document_promises_holds(operation: str, callers: dict[str, Rest]) -> None:
    is_account = operation.partition(" ")[2].startswith(ACCOUNTS)
    caller = callers["user" if is_account else "key"]

    def send(case: Any) -> None:
        validated(
            case,
            base_url=f"http://127.0.0.1:{caller.port}{PREFIX}",
            headers={"Authorization": caller.authorization},
            timeout=DEADLINE_S,  # its own are 10 seconds, which a busy machine may take
        )

    each_kind_of_request(DOCUMENT, operation, send)
