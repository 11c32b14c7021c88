"""The document of the REST interface tells people what they need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rookery.web.codes import ERROR_CODES

FILE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "openapi.json"
DOCUMENT: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, holder in (
        ("request", operation.get("requestBody", {})),
        *operation["responses"].items(),
    ):
        for kind, content in holder.get("content", {}).items():
            yield f"{name} {kind}", content


def examples(content: dict[str, Any]) -> list[Any]:
    named = [item["value"] for item in content.get("examples", {}).values()]
    return [*named, *([content["example"]] if "example" in content else [])]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_says_what_it_is_for(name: str) -> None:
    operation = OPERATIONS[name]

    assert operation["summary"]
    assert operation["description"].strip()
    assert len(operation["tags"]) == 1
    for parameter in operation.get("parameters", ()):
        is_named = "{" + parameter["name"] + "}" in name
        assert parameter.get("description") or is_named, parameter["name"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_has_examples_that_fit(name: str) -> None:
    for place, content in contents(OPERATIONS[name]):
        if "json" not in place:
            continue
        assert examples(content), place
        schema = {**content.get("schema", {}), "components": DOCUMENT["components"]}
        validator = jsonschema_rs.Draft202012Validator(schema)
        for value in examples(content):
            problems = [error.message for error in validator.iter_errors(value)]
            assert problems == [], (place, value)


def test_names_of_operations_are_unique() -> None:
    names = [operation["operationId"] for operation in OPERATIONS.values()]

    assert len(set(names)) == len(names)


def test_every_documented_code_is_known() -> None:
    for name, operation in OPERATIONS.items():
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                continue
            for value in (
                response.get("content", {}).get("application/json", {}).get("examples", ())
            ):
                assert value in ERROR_CODES, (name, status)
