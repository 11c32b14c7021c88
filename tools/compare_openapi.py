"""Lists how the REST interface differs from EMQX's, by the OpenAPI document of either.

    python tools/compare_openapi.py --with emqx.json          what nobody has explained
    python tools/compare_openapi.py --with emqx.json --all    everything
    python tools/compare_openapi.py --write                   docs/reference/emqx-differences*.md

EMQX's document is not part of this project: a node of EMQX 5 serves it at ``/api-docs/swagger.json``.
Explanations are in docs/reference/emqx-differences.toml; one that fits nothing is reported too.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
OURS = FOLDER / "openapi.json"
REASONS = FOLDER / "emqx-differences.toml"
METHODS = ("get", "post", "put", "delete", "patch", "head")
DEPTH_MAX = 4
# Every operation of ours documents these; EMQX leaves them out of its document and answers them.
EVERYWHERE = frozenset({"400", "401", "403", "413", "415"})


class Difference(NamedTuple):
    """``where`` is ``METHOD /path``, ``what`` such as ``- parameter node``."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Document:
    """An OpenAPI document of either version."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._content = content

    def operations(self) -> dict[str, dict[str, Any]]:
        """By ``METHOD /path`` with the names of parameters left out: those may differ."""
        return {
            f"{method.upper()} {_plain(path)}": operation
            for path, methods in self._content["paths"].items()
            for method, operation in methods.items()
            if method in METHODS
        }

    def resolve(self, item: Any) -> Any:
        """What a reference points to."""
        while isinstance(item, dict) and "$ref" in item:
            place: Any = self._content
            for key in item["$ref"].removeprefix("#/").split("/"):
                place = place[key.replace("~1", "/")]
            item = place
        return item

    def parameters(self, operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
        found = [self.resolve(item) for item in operation.get("parameters", ())]
        return {item["name"]: item for item in found if item["in"] == "query"}

    def body(self, operation: dict[str, Any]) -> dict[str, str]:
        """Types by the path of each member of the request."""
        return self._members(self.resolve(operation.get("requestBody")))

    def answer(self, operation: dict[str, Any], status: str) -> dict[str, str]:
        """Types by the path of each member of an answer."""
        return self._members(self.resolve(operation["responses"].get(status)))

    def _members(self, holder: Any) -> dict[str, str]:
        contents = (holder or {}).get("content", {})
        schema = contents.get("application/json", {}).get("schema")
        return dict(self._walk(schema, "", 0)) if schema else {}

    def _walk(self, schema: Any, at: str, depth: int) -> Iterator[tuple[str, str]]:
        schema = self.resolve(schema)
        if not isinstance(schema, dict) or depth > DEPTH_MAX:
            return
        several = [*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())]
        for part in several:
            yield from self._walk(part, at, depth)
        if "items" in schema:
            # EMQX's document calls many a list an object.
            yield from self._walk(schema["items"], at, depth)
        for name, member in schema.get("properties", {}).items():
            path = f"{at}.{name}".lstrip(".")
            yield path, "/".join(sorted(self._types(member) - {"array"} or {"any"}))
            yield from self._walk(member, path, depth + 1)

    def _types(self, schema: Any) -> set[str]:
        schema = self.resolve(schema)
        if not isinstance(schema, dict):
            return {"any"}
        several = [*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())]
        if several:
            return set().union(*(self._types(part) for part in several)) - {"null"}
        kind = schema.get("type")
        if kind is None:
            values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
            return {"string"} if any(isinstance(value, str) for value in values) else {"any"}
        return set(kind) - {"null"} if isinstance(kind, list) else {kind}


def differences(ours: Document, theirs: Document) -> Iterator[Difference]:
    """``-`` is what only EMQX has, ``+`` what only we have."""
    mine, others = ours.operations(), theirs.operations()
    for where in sorted({*mine, *others}):
        if where not in mine:
            yield Difference(where, "- operation")
        elif where not in others:
            yield Difference(where, "+ operation")
        else:
            for what in _of_operation(ours, mine[where], theirs, others[where]):
                yield Difference(where, what)


def _of_operation(
    ours: Document, mine: dict[str, Any], theirs: Document, other: dict[str, Any]
) -> Iterator[str]:
    yield from _of_names("parameter", ours.parameters(mine), theirs.parameters(other))
    statuses, other_statuses = set(mine["responses"]), set(other["responses"])
    yield from (f"- status {status}" for status in sorted(other_statuses - statuses))
    yield from (f"+ status {status}" for status in sorted(statuses - other_statuses - EVERYWHERE))
    mine_all, other_all = ours.body(mine), theirs.body(other)
    for status in sorted(statuses & other_statuses):
        if status.startswith("2"):
            mine_all |= ours.answer(mine, status)
            other_all |= theirs.answer(other, status)
    yield from _of_members(mine_all, other_all)


def _of_names(kind: str, mine: Any, others: Any) -> Iterator[str]:
    yield from (f"- {kind} {name}" for name in others if name not in mine)
    yield from (f"+ {kind} {name}" for name in mine if name not in others)


def _of_members(mine: dict[str, str], others: dict[str, str]) -> Iterator[str]:
    """Members of the request and of the answer; what is inside an absent one is not told."""
    yield from (f"- member {name}" for name in others if _is_first_absent(name, mine))
    yield from (f"+ member {name}" for name in mine if _is_first_absent(name, others))
    for name in sorted(mine.keys() & others.keys()):
        said, wanted = set(mine[name].split("/")), set(others[name].split("/"))
        if "number" in wanted:
            wanted.add("integer")
        if "any" not in said | wanted and not said <= wanted:
            yield f"type {name}: {mine[name]}, EMQX {others[name]}"


def _is_first_absent(name: str, members: dict[str, str]) -> bool:
    parent = name.rpartition(".")[0]
    return name not in members and (not parent or parent in members)


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


class Reason(NamedTuple):
    """Why some differences are there.

    Attributes:
        is_of_later: Whether a later EMQX than the one compared with has them.
    """

    where: list[str]
    what: list[str]
    is_of_later: bool = False

    def fits(self, difference: Difference) -> bool:
        return any(_fits(difference.where, pattern) for pattern in self.where) and any(
            _fits(difference.what, pattern) for pattern in self.what
        )


def _fits(text: str, pattern: str) -> bool:
    # Brackets stand for themselves: paths and lists have them.
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def read_reasons() -> list[Reason]:
    """Explanations, in their order."""
    content = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    return [
        Reason(_several(item["where"]), _several(item["what"]), "since" in item)
        for item in content["difference"]
    ]


def _several(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def compare(file: Path, *, is_all: bool) -> int:
    """Print what is not explained; 1 if there is any."""
    found = list(
        differences(
            Document(json.loads(OURS.read_text(encoding="utf-8"))),
            Document(json.loads(file.read_text(encoding="utf-8"))),
        )
    )
    reasons = read_reasons()
    unexplained = [item for item in found if not any(reason.fits(item) for reason in reasons)]
    for item in found if is_all else unexplained:
        print(item)
    unused = [
        reason
        for reason in reasons
        if not reason.is_of_later and not any(reason.fits(item) for item in found)
    ]
    for reason in unused:
        print(f"fits nothing: {', '.join(reason.where)}: {', '.join(reason.what)}")
    print(f"{len(found)} differences, {len(unexplained)} of them not explained")
    return 1 if unexplained or unused else 0


HEAD_EN = """\
# How the REST interface differs from EMQX's

Paths, members, error codes and paging are EMQX 5.8's. This page lists what is different and why,
compared operation by operation with `tools/compare_openapi.py` against the OpenAPI document of EMQX
5.8.1. `-` is what EMQX alone has, `+` what Rookery alone has, `*` stands for any text, `{}` for a
parameter in a path.
"""
HEAD_ZH = """\
# REST 接口与 EMQX 的差异

路径、字段、错误码与分页均与 EMQX 5.8 一致。本页列出差异及原因，由 `tools/compare_openapi.py` 对照 EMQX 5.8.1 的
OpenAPI 文档逐项比较得出。`-` 表示仅 EMQX 有，`+` 表示仅 Rookery 有，`*` 代表任意文本，`{}` 代表路径参数。
"""
HEADS = {
    "en": (HEAD_EN, ("Operation", "Difference", "Why")),
    "zh": (HEAD_ZH, ("操作", "差异", "原因")),
}


def pages() -> dict[Path, str]:
    """The pages for people, by their file."""
    content = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    found = {}
    for language, name in (("en", "emqx-differences.md"), ("zh", "emqx-differences.zh.md")):
        head, columns = HEADS[language]
        lines = [head]
        for group in content["group"]:
            lines += [f"## {group[language]}\n", _row(columns), _row(("---",) * 3)]
            for item in content["difference"]:
                if item["group"] == group["name"]:
                    where = "<br>".join(f"`{text}`" for text in _several(item["where"]))
                    what = "<br>".join(f"`{text}`" for text in _several(item["what"]))
                    lines.append(_row((where, what, item[language])))
            lines.append("")
        found[FOLDER / name] = "\n".join(lines).rstrip() + "\n"
    return found


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--with", dest="file", type=Path, help="OpenAPI document of EMQX 5")
    parser.add_argument("--all", action="store_true", help="print what is explained as well")
    parser.add_argument("--write", action="store_true", help="write the pages for people")
    parser.add_argument("--check", action="store_true", help="fail when the pages are old")
    arguments = parser.parse_args()
    for file, text in pages().items() if arguments.write or arguments.check else ():
        if arguments.write:
            file.write_text(text, encoding="utf-8")
        elif not file.exists() or file.read_text(encoding="utf-8") != text:
            print(f"{file.name} is not what emqx-differences.toml says: compare_openapi.py --write")
            return 1
    return compare(arguments.file, is_all=arguments.all) if arguments.file else 0


if __name__ == "__main__":
    sys.exit(main())
