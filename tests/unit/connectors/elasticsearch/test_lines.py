"""What is sent for a result of a rule."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.sending import item
from rookery.connectors.elasticsearch.lines import Lines, NoLinesError
from rookery.connectors.elasticsearch.settings import Operation
from rookery.native.action_fields import UNDEFINED, FieldValue, JsonText, Row, Text, Value


def lines(**parameters: Any) -> Lines:
    return Lines(TypeAdapter(Operation).validate_python({"index": "i", **parameters}))


def sent(made: Lines, *fields: FieldValue) -> list[Any]:
    entry = made.entry(item(*fields))
    assert entry.lines.endswith(b"\n")
    return [json.loads(line) for line in entry.lines.splitlines()]


def test_the_whole_result_is_the_document_unless_told() -> None:
    made = lines(action="create", index="${topic}", id="${payload.id}")
    assert made.fields == (Value("${topic}"), Value("${payload.id}"), Row())
    assert sent(made, "t", 7, JsonText('{"a":1}')) == [
        {"index": {"_index": "t", "_id": "7"}},
        {"a": 1},
    ]


def test_templates_of_the_document() -> None:
    made = lines(action="create", doc='{"x": ${payload}}', index="m-${topic}", routing="${c}")
    assert made.fields == (Text("m-${topic}"), Value("${c}"), Text('{"x": ${payload}}'))
    meta, document = sent(made, "m-t", UNDEFINED, '{"x":\r\n 123456789012345678901.50}')
    assert "routing" not in meta["create"]
    assert document == {"x": 123456789012345678901.50}
    assert (
        b"123456789012345678901.50"
        in made.entry(item("m", "r", '{"x": 123456789012345678901.50}')).lines
    )


def test_a_document_without_an_id_gets_one_that_stays() -> None:
    made = lines(action="create")
    first, second = item("i", "{}"), item("i", "{}")
    assert made.entry(first) == made.entry(first)
    assert made.entry(first).target != made.entry(second).target
    assert made.entry(first).is_own_id
    given = lines(action="create", id="${id}")
    assert given.entry(item("i", UNDEFINED, "{}")).is_own_id
    assert not given.entry(item("i", "x", "{}")).is_own_id


def test_operations() -> None:
    keeps = lines(action="create", id="a", overwrite=False, require_alias=True)
    assert sent(keeps, "i", "a", "{}")[0] == {
        "create": {"_index": "i", "_id": "a", "require_alias": True}
    }
    changes = lines(action="update", id="a", routing="${r}", doc_as_upsert=True)
    assert sent(changes, "i", "a", "r1", '{"b": 2}') == [
        {"update": {"_index": "i", "_id": "a", "routing": "r1"}},
        {"doc": {"b": 2}, "doc_as_upsert": True},
    ]
    assert sent(lines(action="update", id="a"), "i", "a", "{}")[1] == {"doc": {}}
    deletes = lines(action="delete", id="${id}")
    assert deletes.fields == (Text("i"), Value("${id}"))
    assert sent(deletes, "i", True) == [{"delete": {"_index": "i", "_id": "true"}}]


@pytest.mark.parametrize(
    "document",
    [
        "",
        "5",
        "[1]",
        "{",
        "undefined",
        '{"a":NaN}',
        '{"a":1}\n{"delete":{}}',
        b"\xff",
        "[" * 100_000,
    ],
    ids=str,
)
def test_what_is_no_object_is_refused_before_it_is_sent(document: str | bytes) -> None:
    with pytest.raises(NoLinesError):
        lines(action="create", doc="${payload}").entry(item("i", document))


def test_an_operation_needs_an_index_and_an_id() -> None:
    with pytest.raises(NoLinesError, match="index"):
        lines(action="create", index="${i}").entry(item(UNDEFINED, "{}"))
    with pytest.raises(NoLinesError, match="id"):
        lines(action="delete", id="${i}").entry(item("i", None))
    with pytest.raises(NoLinesError, match="UTF-8"):
        lines(action="delete", id="${i}").entry(item("i", b"\xff"))


@pytest.mark.parametrize(
    "parameters",
    [
        {"action": "update"},
        {"action": "delete"},
        {"action": "create", "index": ""},
        {"action": "index"},
        {"action": "delete", "id": "a", "doc": "{}"},
    ],
)
def test_what_an_operation_lacks_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        lines(**parameters)
