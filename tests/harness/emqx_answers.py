"""Asks a node what EMQX has too, and holds each answer against what EMQX's document says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from harness.rest_node import PREFIX, Answer, Rest
from rookery.client.management import Content

EXTRACT = Path(__file__).resolve().parents[1] / "contract" / "emqx-5.8.1.json"
SHOWN_MAX = 40
KINDS: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "null": type(None),
}


class Emqx:
    """The extract of EMQX's document, in the notation of tools/extract_emqx.py."""

    def __init__(self) -> None:
        content = json.loads(EXTRACT.read_text(encoding="utf-8"))
        self.operations: dict[str, Any] = content["operations"]
        self._named = content["named"]

    def differences(self, value: Any, wanted: Any, at: str = "") -> Iterator[str]:
        """How a value differs; members that EMQX does not know are none."""
        while isinstance(wanted, str) and wanted.startswith("@"):
            wanted = self._named[wanted[1:]]
        if wanted in ("any", None):
            return
        if isinstance(wanted, str):
            if not _is_a(value, wanted):
                yield f"type {at or 'answer'}: {_kind(value)}, EMQX {wanted}"
        elif isinstance(wanted, list):
            yield from self._of_list(value, wanted[0], at)
        elif "=" in wanted:
            if value not in wanted["="]:
                yield f"value {at or 'answer'}: {json.dumps(value)[:SHOWN_MAX]}"
        elif "|" in wanted:
            yield from self._nearest(value, wanted["|"], at)
        else:
            yield from self._of_object(value, wanted, at)

    def _of_list(self, value: Any, wanted: Any, at: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"type {at or 'answer'}: {_kind(value)}, EMQX list"
            if isinstance(value, dict):
                # A page where the document has rows, or pages.
                as_rows = list(self._of_list(value.get("data", []), wanted, "data"))
                yield from min(as_rows, list(self.differences(value, wanted, at)), key=len)
            return
        for item in value:
            yield from self.differences(item, wanted, f"{at}[]")

    def _of_object(self, value: Any, wanted: Mapping[str, Any], at: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"type {at or 'answer'}: {_kind(value)}, EMQX object"
            # Rows where the document has one.
            for item in value if isinstance(value, list) else ():
                yield from self.differences(item, wanted, f"{at}[]")
            return
        for member, inner in wanted.items():
            name = member.removesuffix("*")
            place = f"{at}.{name}".lstrip(".")
            if name in value:
                yield from self.differences(value[name], inner, place)
            elif member.endswith("*"):
                yield f"- member {place}"

    def _nearest(self, value: Any, alternatives: list[Any], at: str) -> list[str]:
        """Of the alternative that fits best: they overlap in EMQX's document."""
        found = (list(self.differences(value, one, at)) for one in alternatives)
        # Of another kind of thing a word is wrong that names the kind.
        return min(found, key=lambda lines: (sum(map(_names_kind, lines)), len(lines)))


class Asker:
    """A caller, and what was different by operation."""

    def __init__(self, emqx: Emqx, rest: Rest, names: Mapping[str, str]) -> None:
        """``names`` are what parameters of paths mean unless something else is said."""
        self.rest = rest
        self.asked: set[str] = set()
        self.found: set[tuple[str, str]] = set()
        self._emqx = emqx
        self.names = names

    def __call__(
        self,
        operation: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        /,
        **names: str,
    ) -> Any:
        """Ask; what the answer says."""
        answer = self.answer(operation, body, query, names)
        assert answer.status < 300, (operation, answer)
        self.asked.add(plain(operation))
        is_json = "json" in answer.headers.get("content-type", "")
        told = answer.json if is_json else answer.body
        for what in self._problems(plain(operation), answer.status, told, is_json=is_json):
            self.found.add((plain(operation), what))
        return told

    def refused(self, operation: str, names: Mapping[str, str]) -> None:
        """Ask for what is not there: the code has to be one that EMQX answers with."""
        answer = self.answer(operation, None, None, names)
        where = plain(operation)
        if answer.status < 300:
            return
        refusals = self._emqx.operations[where]["refusals"]
        codes = refusals.get(str(answer.status))
        assert answer.json["message"], (operation, answer)
        if codes is None:
            self.found.add((where, f"status {answer.status}"))
        elif codes and answer.code not in codes:
            self.found.add((where, f"code {answer.code}, EMQX {'/'.join(codes)}"))

    def answer(
        self, operation: str, body: Any, query: Mapping[str, str] | None, names: Mapping[str, str]
    ) -> Answer:
        method, _, path = operation.partition(" ")
        said = {**self.names, **names}
        filled = re.sub(r"\{([^}]+)\}", lambda found: quote(said[found[1]], safe=""), path)
        if query:
            filled += "?" + urlencode(query)
        headers = {"accept": "application/json"}
        if isinstance(body, Content):
            headers["content-type"], body = body.kind, body.content
        return self.rest.ask(method, PREFIX + filled, body, headers)

    def _problems(self, where: str, status: int, told: Any, *, is_json: bool) -> Iterator[str]:
        answers = self._emqx.operations[where]["answers"]
        if str(status) not in answers:
            yield f"status {status}, EMQX {'/'.join(answers)}"
        elif is_json:
            yield from self._emqx.differences(told, answers[str(status)])


def _names_kind(difference: str) -> bool:
    place = difference.partition(":")[0].rpartition(".")[2]
    return difference.startswith("value") and place.split()[-1] in ("type", "mechanism", "backend")


def plain(operation: str) -> str:
    """Whatever its parameters are called."""
    return re.sub(r"\{[^}]*\}", "{}", operation)


def _is_a(value: Any, kind: str) -> bool:
    return isinstance(value, KINDS[kind]) and (isinstance(value, bool) == (kind == "boolean"))


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, list):
        return "list"
    return next(kind for kind, types in KINDS.items() if isinstance(value, types))
