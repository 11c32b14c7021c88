"""Pages lead somewhere, exist in both languages and show code that is code."""

from __future__ import annotations

import ast
import re
import urllib.parse
from pathlib import Path

import pytest

from tidy.tree import Tree

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
# Pages written by a program, and pages for those who change the program.
ENGLISH_ONLY = ("docs/reference", "docs/internals", "docs/adr")
TWINS = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md")


def pages(tree: Tree) -> list[Path]:
    return [path for path in tree.with_suffix(".md") if path.parts[0] in {"docs", path.name}]


def anchors(text: str) -> set[str]:
    """The names that a heading gets on a rendered page."""
    found = set()
    for match in HEADING.finditer(FENCE.sub("", text)):
        plain = re.sub(r"[`*_]|\[([^\]]*)\]\([^)]*\)", r"\1", match[2]).lower()
        found.add(re.sub(r"[^\w\- ]", "", plain).replace(" ", "-"))
    return found


def test_links_lead_somewhere(tree: Tree) -> None:
    broken = []
    for page in pages(tree):
        for target in LINK.findall(FENCE.sub("", tree.text(page))):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = urllib.parse.unquote(target).partition("#")
            place = (tree.root / page.parent / name).resolve() if name else tree.root / page
            if not place.exists():
                broken.append(f"{page}: {target}")
            elif anchor and place.suffix == ".md" and anchor not in anchors(place.read_text()):
                broken.append(f"{page}: {target} (no such heading)")

    assert broken == []


def english_pages(tree: Tree) -> list[Path]:
    return [
        path
        for path in pages(tree)
        if not path.name.endswith(".zh.md")
        and not str(path).startswith(ENGLISH_ONLY)
        and (path.parts[0] == "docs" or path.name in TWINS)
    ]


def test_every_page_has_its_chinese_twin(tree: Tree) -> None:
    lone = [page for page in english_pages(tree) if page.with_suffix(".zh.md") not in tree.files]

    assert lone == []


def test_twins_have_the_same_shape(tree: Tree) -> None:
    def shape(page: Path) -> tuple[list[int], list[str]]:
        text = tree.text(page)
        headings = [len(match[1]) for match in HEADING.finditer(FENCE.sub("", text))]
        return headings, [match[1] for match in FENCE.finditer(text)]

    differing = [
        page
        for page in english_pages(tree)
        if (twin := page.with_suffix(".zh.md")) in tree.files and shape(page) != shape(twin)
    ]

    assert differing == []


def test_python_examples_compile(tree: Tree) -> None:
    for page in pages(tree):
        for language, code in FENCE.findall(tree.text(page)):
            if language == "python":
                compile(code, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("## First steps", "first-steps"), ("## `make run`", "make-run"), ("# 安装", "安装")],
)
def test_anchors_are_those_of_a_rendered_page(heading: str, anchor: str) -> None:
    assert anchors(heading) == {anchor}
