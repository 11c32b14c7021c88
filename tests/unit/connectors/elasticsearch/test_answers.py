"""What Elasticsearch answers, and what it means for each document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.sending import reasons
from rookery.connectors.base import Recoverable
from rookery.connectors.elasticsearch.answers import of_entries, of_request, said_of
from rookery.connectors.elasticsearch.lines import Entry


def entries(*targets: str, **more: Any) -> list[Entry]:
    flags = {"is_own_id": False, "is_delete": False} | more
    return [Entry(n, ("i", target), b"", **flags) for n, target in enumerate(targets)]


def answer(*statuses: int, kind: str = "some_exception") -> bytes:
    items = [
        {"index": {"status": status} | ({"error": {"type": kind}} if status >= 400 else {})}
        for status in statuses
    ]
    return json.dumps({"errors": True, "items": items}).encode()


def test_what_passes_is_sent_again_and_what_is_refused_is_not() -> None:
    failures = of_entries(entries(*"abcd"), answer(201, 429, 400, 503))
    assert {failure.number: failure.is_recoverable for failure in failures} == {
        1: True,
        2: False,
        3: True,
    }
    blocked = of_entries(entries("a"), answer(403, kind="cluster_block_exception"))
    assert [failure.is_recoverable for failure in blocked] == [True]
    assert of_entries(entries("a"), b'{"errors":false}') == []


def test_operations_on_one_document_stay_in_order() -> None:
    failures = of_entries(entries("a", "b", "a"), answer(429, 200, 200))
    assert reasons(failures).keys() == {0, 2}
    assert all(failure.is_recoverable for failure in failures)


def test_what_was_done_before_is_well() -> None:
    assert of_entries(entries("a", is_own_id=True), answer(409)) == []
    assert reasons(of_entries(entries("a"), answer(409))).keys() == {0}
    gone = b'{"errors":true,"items":[{"delete":{"status":404,"result":"not_found"}}]}'
    assert of_entries(entries("a", is_delete=True), gone) == []
    assert reasons(of_entries(entries("a", is_delete=True), answer(404))).keys() == {0}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"errors":true,"items":[]}', b"[]"])
def test_an_answer_that_is_none_is_asked_for_again(body: bytes) -> None:
    with pytest.raises(Recoverable, match="no Elasticsearch"):
        of_entries(entries("a"), body)


def test_a_request_that_was_not_taken() -> None:
    assert not of_request(429, b"").is_connection
    assert "username or password" in str(of_request(401, b'{"error":"x"}'))
    assert "502" in str(of_request(502, b"<html>Bad  gateway</html>"))


def test_reasons_are_short() -> None:
    body = {"error": {"reason": "x " * 9999, "caused_by": {"reason": "y"}}}
    assert len(said_of(json.dumps(body).encode())) == 300
    assert said_of(b'{"error":"plain"}') == "plain"
    assert said_of(b"") == "nothing"
