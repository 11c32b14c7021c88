"""The documents of the REST interfaces tell people what they need."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from rookery.web.codes import ERROR_CODES

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
NAMES = ("openapi", "control-openapi", "edge-openapi")
DOCUMENTS: dict[str, dict[str, Any]] = {
    name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES
}
OPERATIONS = {
    (name, f"{method.upper()} {path}"): operation
    for name, document in DOCUMENTS.items()
    for path, methods in document["paths"].items()
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


@cache
def validator_of(document: str, schema: str) -> jsonschema_rs.Draft202012Validator:
    """Most operations have the errors in common, and few have schemas of their own."""
    components = DOCUMENTS[document]["components"]
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": components})


@pytest.mark.parametrize(("document", "name"), OPERATIONS)
def test_an_operation_says_what_it_is_for(document: str, name: str) -> None:
    operation = OPERATIONS[document, name]

    assert operation["summary"]
    assert operation["description"].strip()
    assert len(operation["tags"]) == 1
    for parameter in operation.get("parameters", ()):
        is_named = "{" + parameter["name"] + "}" in name
        assert parameter.get("description") or is_named, parameter["name"]


@pytest.mark.parametrize(("document", "name"), OPERATIONS)
def test_an_operation_has_examples_that_fit(document: str, name: str) -> None:
    for place, content in contents(OPERATIONS[document, name]):
        if "json" not in place and not (document == "openapi" and " text/plain" not in place):
            continue
        assert examples(content), place
        if "json" not in place:
            continue
        validator = validator_of(document, json.dumps(content.get("schema", {}), sort_keys=True))
        for value in examples(content):
            problems = [error.message for error in validator.iter_errors(value)]
            assert problems == [], (place, value)


@pytest.mark.parametrize("document", NAMES)
def test_names_of_operations_are_unique(document: str) -> None:
    names = [found["operationId"] for (of, _), found in OPERATIONS.items() if of == document]

    assert len(set(names)) == len(names)


def test_every_documented_code_is_known() -> None:
    for (_, name), operation in OPERATIONS.items():
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                continue
            for value in (
                response.get("content", {}).get("application/json", {}).get("examples", ())
            ):
                assert value in ERROR_CODES, (name, status)
