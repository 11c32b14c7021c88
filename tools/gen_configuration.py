"""Writes the configuration reference, in both languages, from the schema.

``--check`` writes nothing and fails when a page is not what the schema says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rookery.config.schema import ROOT, Field, Status, Struct
from rookery.config.schema.chinese import in_chinese
from rookery.config.schema.control import CONTROL
from rookery.config.schema.edge import EDGE
from rookery.config.schema.model import REQUIRED, UNSET, Forms, ListOf, MapOf, Type

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


@dataclass(frozen=True)
class Texts:
    """What the page says in one language."""

    file: str
    head: str
    columns: tuple[str, ...]
    required: str
    hot: str
    accepted: str
    absent: str
    refused: str


ENGLISH = Texts(
    file="configuration.md",
    head="""# Configuration reference

[中文](configuration.zh.md)

Every key, generated from the schema. The guide [Configuration](../guides/configuration.md) says how
values are written and where they come from. *While running* marks what can change without a restart;
what is below `listeners` restarts that listener at most. `authentication[…]` and
`authorization.sources[…]` name the kind of entry that a key belongs to.
""",
    columns=("key", "takes", "default", "meaning"),
    required="(required)",
    hot="While running.",
    accepted="""
## Accepted without effect

Keys of EMQX that tune something this broker does not have. One warning says so.
""",
    absent="""
## Not available in this version

Known keys of features that are not part of this version. Switched off, they are accepted.
""",
    refused="""
## Refused

Ignoring these would promise what does not hold.
""",
)

CHINESE = Texts(
    file="configuration.zh.md",
    head="""# 配置参考

[English](configuration.md)

全部配置项，由配置模式生成。值的写法和来源见[配置](../guides/configuration.zh.md)指南。
标有*运行时生效*的项无需重启即可修改；`listeners` 之下的项最多重启该监听器。`authentication[…]` 与
`authorization.sources[…]` 中的名称为该项所属的类型。
""",
    columns=("配置项", "取值", "默认值", "含义"),
    required="（必填）",
    hot="运行时生效。",
    accepted="""
## 接受但无作用

这些 EMQX 配置项所调节的内容在本 broker 中不存在；会给出一次警告。
""",
    absent="""
## 本版本不提供

已知、但其功能不属于本版本的配置项；处于关闭状态时可以接受。
""",
    refused="""
## 拒绝

忽略这些配置项会造成无法兑现的承诺。
""",
)


def walk(struct: Struct, path: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every key below ``struct`` with its path; structs themselves are left out."""
    for field in struct.fields:
        here = f"{path}{field.name}"
        inner = _inside(field.type)
        is_open = field.status is Status.HONOURED and inner
        if not is_open or any(struct.inherits for struct, _ in inner):
            yield here, field
            continue
        for below, step in inner:
            yield from walk(below, f"{here}{step}.")


def _inside(kind: Type) -> list[tuple[Struct, str]]:
    """The structs below a key, each with what stands between in a path."""
    if isinstance(kind, Struct):
        return [(kind, "")]
    if isinstance(kind, MapOf) and isinstance(kind.value, Struct):
        return [(kind.value, ".`*name*`")]
    if isinstance(kind, ListOf) and isinstance(kind.item, Struct):
        return [(kind.item, "[]")]
    if isinstance(kind, ListOf) and isinstance(kind.item, Forms):
        return [(form, f"[{name}]") for name, form in kind.item.forms.items()]
    if isinstance(kind, Forms):
        return [(form, f"({name})") for name, form in kind.forms.items()]
    return []


def cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def code(path: str) -> str:
    # A name that the user chooses stands out of the literal part of the path.
    return "".join(("`", cell(path), "`")).replace("``", "")


def default_of(value: Any, texts: Texts) -> str:
    if value is REQUIRED:
        return texts.required
    if value is UNSET:
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{cell(str(value))}`" if value != "" else '`""`'


def page(texts: Texts) -> str:
    is_english = texts is ENGLISH
    rows = [*walk(ROOT), *walk(CONTROL), *walk(EDGE)]
    lines = [texts.head]
    section = ""
    for path, field in rows:
        if field.status is not Status.HONOURED:
            continue
        root = path.partition(".")[0].partition("[")[0].partition("(")[0]
        if root != section:
            section = root
            top = ROOT.get(root) or CONTROL.get(root) or EDGE.get(root)
            about = (top.en if is_english else top.zh) if top is not None else ""
            lines += [f"\n## {root}\n", f"{about}\n", _row(texts.columns), "|---|---|---|---|"]
        meaning = field.en if is_english else field.zh
        hot = f" {texts.hot}" if field.hot and is_english else texts.hot if field.hot else ""
        takes = field.type.allowed
        allowed = cell(takes if is_english else in_chinese(takes))
        lines.append(
            _row((code(path), allowed, default_of(field.default, texts), cell(meaning) + hot))
        )
    for status, head in (
        (Status.REFUSED, texts.refused),
        (Status.NOT_AVAILABLE, texts.absent),
        (Status.ACCEPTED, texts.accepted),
    ):
        lines += [head, _row((texts.columns[0], texts.columns[3])), "|---|---|"]
        for path, field in rows:
            if field.status is status:
                meaning = field.en if is_english else field.zh
                why = field.instead if is_english else field.instead_zh
                lines.append(_row((code(path), cell(f"{meaning} ({why})" if why else meaning))))
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    stale = []
    for texts in (ENGLISH, CHINESE):
        path = FOLDER / texts.file
        text = page(texts)
        if is_check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(path.name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"not what the schema says: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
