"""Asks one operation and holds its answer against EMQX's document."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema_rs

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from harness.rest_node import PREFIX, Rest
from rookery.client.management import Content

# Where EMQX's document says something else than EMQX answers; its schema is not looked at.
WRONG_THERE: Mapping[str, str] = {
    "GET /api_key": "a list, described as one key",
    "GET /audit": "a page, described as a list of pages",
    "GET /subscriptions": "a page, described as a row",
    "GET /authentication": "settings by kind; those of backends overlap in the document",
    "GET /authentication/{id}": "settings by kind; those of backends overlap in the document",
    "POST /authentication": "settings by kind; those of backends overlap in the document",
    "GET /authentication/{id}/status": "lists with a row for each node, described as one row",
    "GET /clients/{clientid}/authorization/cache": "a list, described as one row",
    "GET /plugins/{name}/config": "an object, described as text",
    "GET /plugins/{name}/schema": "an object, described as text",
    "GET /listeners/{id}": "enable_authn is true or false, described as text",
    "POST /listeners": "enable_authn is true or false, described as text",
    "PUT /listeners/{id}": "enable_authn is true or false, described as text",
    "GET /listeners": "settings by kind; those of kinds overlap in the document",
}

# EMQX answers with 32 hexadecimal digits; its document describes numbers.
_HEXADECIMAL = tuple(f"data/{number}/msgid" for number in range(10))
WRONG_MEMBERS: Mapping[str, Sequence[str]] = {
    "GET /mqtt/delayed/messages": _HEXADECIMAL,
    "GET /mqtt/delayed/messages/{node}/{msgid}": ("msgid",),
}
# What EMQX answers where there is no value, or no bound, whatever its document says.
UNSAID = (None, "infinity")


class Asker:
    """A caller, and what became of each operation."""

    def __init__(self, document: dict[str, Any], rest: Rest, names: Mapping[str, str]) -> None:
        """``names`` are what parameters of paths mean unless something else is said."""
        self.rest = rest
        self.problems: dict[str, list[str]] = {}
        self._names = names
        self._components = document["components"]
        self._theirs = {
            f"{method.upper()} {plain(path)}": operation
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }

    def has(self, operation: str) -> bool:
        """Whether EMQX has it."""
        method, _, path = operation.partition(" ")
        return f"{method} {plain(path)}" in self._theirs

    def __call__(
        self,
        operation: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        /,
        **names: str,
    ) -> Any:
        """Ask; what the answer says."""
        method, _, path = operation.partition(" ")
        said = {**self._names, **names}
        filled = re.sub(r"\{([^}]+)\}", lambda found: quote(said[found[1]], safe=""), path)
        if query:
            filled += "?" + urlencode(query)
        headers = {"accept": "application/json"}
        if isinstance(body, Content):
            headers["content-type"], body = body.kind, body.content
        answer = self.rest.ask(method, PREFIX + filled, body, headers)
        is_json = "json" in answer.headers.get("content-type", "")
        told = answer.json if is_json else answer.body
        found = self.problems.setdefault(operation, [])
        found += self._problems(operation, answer.status, told, is_json=is_json)
        return told

    def _problems(self, operation: str, status: int, told: Any, *, is_json: bool) -> list[str]:
        if status >= 300:
            return [f"status {status}: {told}"[:300]]
        method, _, path = operation.partition(" ")
        responses = self._theirs[f"{method} {plain(path)}"]["responses"]
        if str(status) not in responses:
            return [f"status {status}, documented are {', '.join(sorted(responses))}"]
        content = responses[str(status)].get("content", {}).get("application/json", {})
        if "schema" not in content or not is_json or operation in WRONG_THERE:
            return []
        whole = overlapping({**content["schema"], "components": self._components})
        validator = jsonschema_rs.Draft4Validator(whole)
        wrong = WRONG_MEMBERS.get(operation, ())
        return [
            f"{place(error)}: {error.message[:160]}"
            for error in validator.iter_errors(told)
            if error.instance not in UNSAID and place(error) not in wrong
        ]


def plain(path: str) -> str:
    """The path whatever its parameters are called."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def overlapping(schema: Any) -> Any:
    """With the alternatives of EMQX's document as what they are there: they overlap."""
    if isinstance(schema, dict):
        return {
            "anyOf" if key == "oneOf" else key: overlapping(item) for key, item in schema.items()
        }
    return [overlapping(item) for item in schema] if isinstance(schema, list) else schema


def place(error: Any) -> str:
    return "/".join(str(part) for part in error.instance_path) or "the answer"
