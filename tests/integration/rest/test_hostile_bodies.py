"""Whatever stands in a body, every operation answers: no 5xx, and words in the language that was asked for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.rest import RestSocket
from harness.rest_node import rest_node

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = json.loads((ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8"))
# They end the node's part in a cluster, or move its clients.
ELSEWHERE = ("/cluster", "/load_rebalance")
OPERATIONS = [
    (method.upper(), path)
    for path, methods in DOCUMENT["paths"].items()
    for method in methods
    if method in ("post", "put") and not path.startswith(ELSEWHERE)
]
WHOLE = (
    b"", b"null", b"[]", b'"x"', b"1e999", b"NaN", b"{", b'"\xff"', b'{"\\ud800": 1}',
    b"[" * 100_000, b'{"a":' * 100_000, b"[" + b"1" * 5_000 + b"]",
)  # fmt: skip
MEMBERS: tuple[Any, ...] = (
    10**400, -1, 1e308, "", "a\0b", "\ud800", "\u202e", "é" * 70_000, [], [[None]], {"a": 1}, None,
)  # fmt: skip
CHINESE = re.compile(r"[\u4e00-\u9fff]")
# Words of the inside, that tell nobody what to do.
INSIDE = re.compile(r"Traceback|NoneType|object at 0x|has no attribute|_native|codec can't")


@pytest.fixture(scope="module")
def asks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestSocket]:
    with rest_node(tmp_path_factory.mktemp("hostile")) as running:
        yield RestSocket(running.node.data_dir)


def bodies(operation: dict[str, Any]) -> Iterator[bytes]:
    yield from WHOLE
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    named = [item["value"] for item in content.get("examples", {}).values()]
    example = content.get("example", named[0] if named else None)
    body = example[0] if isinstance(example, list) and example else example
    if not isinstance(body, dict):
        return
    for at, name in enumerate(body):
        # Each member gets a few of them, and all of them are somewhere.
        for value in MEMBERS[at % 4 :: 4]:
            changed = {**body, name: value}
            yield json.dumps([changed] if isinstance(example, list) else changed).encode()


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_body_breaks_an_operation(asks: RestSocket, method: str, path: str) -> None:
    filled = re.sub(r"\{[^}]*\}", "nobody-has-this", path)
    for number, body in enumerate(bodies(DOCUMENT["paths"][path][method.lower()])):
        language = ("en", "zh")[number % 2]
        headers = {"content-type": "application/json", "accept-language": language}
        answer = asks.ask(method, filled, body, headers)
        told = f"{body[:200]!r}: {answer.status} {answer.text[:300]}"
        assert answer.status < 500, told
        if answer.status < 400:
            continue
        message = json.dumps(answer.json["message"], ensure_ascii=False)
        assert not INSIDE.search(message), told
        if language == "zh" and "reason_code" not in answer.json:
            assert CHINESE.search(message), told


def test_a_body_beyond_the_limit_is_refused(asks: RestSocket) -> None:
    body = b'{"sql": "' + b"x" * (10 << 20) + b'"}'
    answer = asks.ask("POST", "/rule_test", body, {"content-type": "application/json"})
    assert answer.problem == (413, "EXCEED_LIMIT")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"sql": "\\ud800"}', "sql "),
        (b'{"sql": "", "context": {"a": ["x", "\\udfff\\ud800"]}}', "context.a[1] "),
        (b'{"\\ud800": 1}', "the body "),
    ],
)
def test_half_a_character_is_named(asks: RestSocket, body: bytes, where: str) -> None:
    answer = asks.ask("POST", "/rule_test", body, {"content-type": "application/json"})
    assert answer.problem == (400, "BAD_REQUEST")
    assert answer.json["message"].startswith(where + "has half of a surrogate pair")


def test_a_whole_character_may_be_written_as_a_pair(asks: RestSocket) -> None:
    body = b'{"sql": "SELECT payload AS p FROM \\"#\\"", "context": {"payload": "\\ud83d\\ude00"}}'
    answer = asks.ask("POST", "/rule_test", body, {"content-type": "application/json"})
    assert answer.json == [{"p": "\U0001f600"}]
