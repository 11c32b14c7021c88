"""Holds the answers of a running node against the schemas of EMQX's OpenAPI document.

    python tools/check_answers.py --with emqx.json --url http://127.0.0.1:18083 --api-key KEY:SECRET

Every operation that only looks and needs no name in its path is asked. EMQX's document is not part
of this project, see tools/compare_openapi.py.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema_rs

PREFIX = "/api/v5"
# Where EMQX's document says something else than EMQX answers.
WRONG_THERE = {
    "/api_key": "a list, described as one key",
    "/audit": "a page, described as a list of pages",
    "/subscriptions": "a page, described as a row",
    "/authentication": "settings by kind; those of backends overlap in the document",
    "/listeners": "settings by kind; those of kinds overlap in the document",
}

# What EMQX answers where there is no value, or no bound, whatever its document says.
UNSAID = (None, "infinity")


class Checked(NamedTuple):
    """What became of one operation."""

    path: str
    problems: list[str]


def check(document: dict[str, Any], url: str, key: str) -> Iterator[Checked]:
    """Ask everything that can be asked without a name."""
    for path, operations in sorted(document["paths"].items()):
        if "{" in path or "get" not in operations or path in WRONG_THERE:
            continue
        schema = schema_of(operations["get"])
        if schema is None or (answer := ask(url + PREFIX + path, key)) is None:
            continue
        whole = _any({**schema, "components": document["components"]})
        validator = jsonschema_rs.Draft4Validator(whole)
        found = [
            f"{_place(error)}: {error.message[:160]}" for error in validator.iter_errors(answer)
        ]
        yield Checked(path, found)


def schema_of(operation: dict[str, Any]) -> dict[str, Any] | None:
    """What a good answer looks like, if that is JSON."""
    content = operation["responses"].get("200", {}).get("content", {})
    schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
    return schema


def ask(url: str, key: str) -> Any:
    """The answer; none for an operation that is not there or answers something else."""
    pair = base64.b64encode(key.encode()).decode()
    headers = {"authorization": f"Basic {pair}", "accept": "application/json"}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())
    except (urllib.error.HTTPError, ValueError):
        return None


def _any(schema: Any) -> Any:
    """With the alternatives of EMQX's document as what they are there: they overlap."""
    if isinstance(schema, dict):
        return {"anyOf" if key == "oneOf" else key: _any(item) for key, item in schema.items()}
    return [_any(item) for item in schema] if isinstance(schema, list) else schema


def _place(error: Any) -> str:
    return "/".join(str(part) for part in error.instance_path) or "the answer"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--with", dest="file", type=Path, required=True)
    parser.add_argument("--url", required=True)
    parser.add_argument("--api-key", required=True)
    arguments = parser.parse_args()
    document = json.loads(arguments.file.read_text(encoding="utf-8"))
    asked = wrong = 0
    for checked in check(document, arguments.url.rstrip("/"), arguments.api_key):
        asked += 1
        wrong += bool(checked.problems)
        print("wrong" if checked.problems else "fits ", checked.path)
        for problem in checked.problems:
            print("      ", problem)
    print(f"{asked} operations answered, {wrong} do not fit")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
