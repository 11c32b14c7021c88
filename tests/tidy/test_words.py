"""Words that may not stand in the tree: unfinished work, vague names, private places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidy.tree import Tree

SOURCE = (".rs", ".py", ".pyi", ".sh", ".ts", ".tsx", ".js", ".toml", ".md", ".json", "")
# This folder names what it looks for.
THIS_FOLDER = Path("tests/tidy")

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\b(todo|unimplemented)!\(")
VAGUE_TYPE = re.compile(r"\b(?:class|struct|enum|trait)\s+(\w*(?:Manager|Helper|Utils?))\b")
VAGUE_FILE = re.compile(r"^(utils?|common|helpers?|misc)\.(py|rs|ts|tsx)$")
# Where one machine keeps its things is of no use on another.
MACHINE_PATH = re.compile(r"(?:^|[\s\"'`=(:])/(?:work|farm|root)/", re.MULTILINE)
# Packages are named, never the server they come from: people use mirrors.
REGISTRY = re.compile(
    r"https?://[^\s\"')]*(?:" + "|".join(("pypi", "pythonhosted", "npmjs", "deb\\.debian")) + ")"
)


def places(tree: Tree, pattern: re.Pattern[str], *suffixes: str) -> Iterator[str]:
    for path in tree.with_suffix(*suffixes):
        if path.is_relative_to(THIS_FOLDER) or path.name in {"Cargo.lock", "LICENSE"}:
            continue
        text = tree.text(path)
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{path}:{line}: {match[0].strip()}"


@pytest.mark.parametrize(
    ("pattern", "suffixes"),
    [
        (UNFINISHED, SOURCE),
        (VAGUE_TYPE, (".rs", ".py", ".ts", ".tsx")),
        (MACHINE_PATH, SOURCE),
        (REGISTRY, SOURCE),
    ],
    ids=["unfinished", "vague type", "machine path", "registry host"],
)
def test_nowhere_in_the_tree(
    tree: Tree, pattern: re.Pattern[str], suffixes: tuple[str, ...]
) -> None:
    assert list(places(tree, pattern, *suffixes)) == []


def test_no_file_is_named_after_nothing(tree: Tree) -> None:
    assert [path for path in tree.files if VAGUE_FILE.match(path.name)] == []
