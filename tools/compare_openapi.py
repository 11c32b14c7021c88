"""Lists how the REST interface differs from EMQX's, by the OpenAPI document of either.

    python tools/compare_openapi.py             what nobody has explained
    python tools/compare_openapi.py --all       everything
    python tools/compare_openapi.py --check     the same, and whether the pages are old
    python tools/compare_openapi.py --write     docs/reference/emqx-differences*.md

EMQX's document is known by its extract, see tools/extract_emqx.py. Explanations are in
docs/reference/emqx-differences.toml; one that fits nothing is reported too. How answers of a node
differ is the matter of tests/integration/rest/test_emqx_answers.py; those explanations are on the
same pages.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from extract_emqx import EXTRACT, extract  # noqa: E402
from harness.emqx_reasons import REASONS, Difference, read_reasons, several, unexplained  # noqa: E402

FOLDER = ROOT / "docs" / "reference"
OURS = FOLDER / "openapi.json"
DEPTH_MAX = 4
# Every operation of ours documents these; EMQX leaves them out of its document and answers them.
EVERYWHERE = frozenset({"400", "401", "403", "413", "415"})


class Document:
    """The extract of an OpenAPI document."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.operations: dict[str, Any] = content["operations"]
        self.names = {*content["operations"], *content["only_there"]}
        self._named = content["named"]

    def members(self, value: Any) -> dict[str, str]:
        """Types by the path of each member of a request or an answer."""
        return {} if value is None else dict(self._walk(value, "", 0))

    def _resolve(self, value: Any) -> Any:
        while isinstance(value, str) and value.startswith("@"):
            value = self._named[value[1:]]
        return value

    def _walk(self, value: Any, at: str, depth: int) -> Iterator[tuple[str, str]]:
        value = self._resolve(value)
        if depth > DEPTH_MAX:
            return
        if isinstance(value, list):
            # EMQX's document calls many a list an object.
            yield from self._walk(value[0], at, depth)
        elif isinstance(value, dict) and "|" in value:
            for part in value["|"]:
                yield from self._walk(part, at, depth)
        elif isinstance(value, dict) and "=" not in value:
            for name, member in value.items():
                path = f"{at}.{name.removesuffix('*')}".lstrip(".")
                yield path, "/".join(sorted(self._types(member) or {"any"}))
                yield from self._walk(member, path, depth + 1)

    def _types(self, value: Any) -> set[str]:
        value = self._resolve(value)
        if isinstance(value, list):
            return set()
        if isinstance(value, str):
            return {value} - {"null"}
        if "|" in value:
            return set().union(*(self._types(part) for part in value["|"])) - {"null"}
        if "=" in value:
            return {"string"} if any(isinstance(item, str) for item in value["="]) else {"any"}
        return {"object"}


def differences(ours: Document, theirs: Document) -> Iterator[Difference]:
    """``-`` is what only EMQX has, ``+`` what only we have."""
    for where in sorted(ours.names | theirs.names):
        if where not in ours.names:
            yield Difference(where, "- operation")
        elif where not in theirs.names:
            yield Difference(where, "+ operation")
        else:
            for what in _of_operation(ours, theirs, where):
                yield Difference(where, what)


def _of_operation(ours: Document, theirs: Document, where: str) -> Iterator[str]:
    mine, other = ours.operations[where], theirs.operations[where]
    yield from _of_names("parameter", mine["parameters"], other["parameters"])
    statuses = {*mine["answers"], *mine["refusals"]}
    other_statuses = {*other["answers"], *other["refusals"]}
    yield from (f"- status {status}" for status in sorted(other_statuses - statuses))
    yield from (f"+ status {status}" for status in sorted(statuses - other_statuses - EVERYWHERE))
    mine_all, other_all = ours.members(mine["request"]), theirs.members(other["request"])
    for status in sorted(mine["answers"].keys() & other["answers"].keys()):
        mine_all |= ours.members(mine["answers"][status])
        other_all |= theirs.members(other["answers"][status])
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


def compare(*, is_all: bool) -> int:
    """Print what is not explained; 1 if there is any."""
    ours = json.loads(OURS.read_text(encoding="utf-8"))
    kept = json.loads(EXTRACT.read_text(encoding="utf-8"))
    found = list(differences(Document(extract(ours)), Document(kept)))
    lines = unexplained(found, read_reasons())
    for line in [str(item) for item in found] if is_all else lines:
        print(line)
    print(f"{len(found)} differences, {len(lines)} lines to mend")
    return 1 if lines else 0


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
ANSWERS_EN = """\
## What a node answers

A node with clients, subscriptions, messages, rules and the rest is asked every operation that EMQX has
too; status, body and the codes of refusals are held against EMQX's document. `a[].b` is the member `b`
of each entry of `a`. Members that EMQX's document does not know are above.
"""
ANSWERS_ZH = """\
## 节点的实际响应

测试向带有客户端、订阅、消息、规则等数据的节点逐一请求 EMQX 同样具有的操作，并按 EMQX 文档校验状态码、响应体与拒绝时的错误码。
`a[].b` 表示列表 `a` 每一项的字段 `b`。EMQX 文档没有的字段见上文。
"""
HEADS = {
    "en": (HEAD_EN, ANSWERS_EN, ("Operation", "Difference", "Why")),
    "zh": (HEAD_ZH, ANSWERS_ZH, ("操作", "差异", "原因")),
}


def pages() -> dict[Path, str]:
    """The pages for people, by their file."""
    content = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    found = {}
    for language, name in (("en", "emqx-differences.md"), ("zh", "emqx-differences.zh.md")):
        head, answers, columns = HEADS[language]
        lines = [head]
        for group in content["group"]:
            of_group = [item for item in content["difference"] if item["group"] == group["name"]]
            about = [group[f"about_{language}"] + "\n"] if f"about_{language}" in group else []
            lines += [f"## {group[language]}\n", *about, *_table(columns, of_group, language), ""]
        lines += [answers, *_table(columns, content["answer"], language)]
        found[FOLDER / name] = "\n".join(lines).rstrip() + "\n"
    return found


def _table(columns: tuple[str, ...], items: list[dict[str, Any]], language: str) -> Iterator[str]:
    yield _row(columns)
    yield _row(("---",) * len(columns))
    for item in items:
        where = "<br>".join(f"`{text}`" for text in several(item["where"]))
        what = "<br>".join(f"`{text}`" for text in several(item["what"]))
        yield _row((where, what, item[language]))


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
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
    return compare(is_all=arguments.all)


if __name__ == "__main__":
    sys.exit(main())
