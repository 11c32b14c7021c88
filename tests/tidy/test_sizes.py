"""Files have one purpose and functions fit on a screen; exceptions.toml names the others."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tidy.functions import Function, python_functions, rust_functions
from tidy.tree import Tree

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
FILE_BYTES_MAX = 1 << 20
SOURCE = (".rs", ".py", ".pyi", ".sh", ".ts", ".tsx", ".js")
FUNCTIONS_OF: dict[str, Callable[[str], Iterator[Function]]] = {
    ".py": python_functions,
    ".rs": rust_functions,
}


@pytest.fixture(scope="module")
def exceptions() -> dict[str, dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / "exceptions.toml").read_text())


def test_files_are_small(tree: Tree, exceptions: dict[str, dict[str, str]]) -> None:
    large = {
        str(path): lines
        for path in tree.with_suffix(*SOURCE)
        if (lines := tree.text(path).count("\n")) > FILE_LINES_MAX
    }

    assert_only_named(large, exceptions["files"])


def test_functions_are_short(tree: Tree, exceptions: dict[str, dict[str, str]]) -> None:
    long = {
        f"{path}::{function.name}": function.line_count
        for path in tree.with_suffix(*FUNCTIONS_OF)
        for function in FUNCTIONS_OF[path.suffix](tree.text(path))
        if function.line_count > FUNCTION_LINES_MAX
    }

    assert_only_named(long, exceptions["functions"])


def test_no_file_is_a_binary_blob(tree: Tree) -> None:
    blobs = [path for path in tree.files if (tree.root / path).stat().st_size > FILE_BYTES_MAX]

    assert blobs == []


def assert_only_named(found: dict[str, int], named: dict[str, str]) -> None:
    unnamed = {name: lines for name, lines in found.items() if name not in named}
    assert unnamed == {}, "too long; split it, or name it in exceptions.toml with the reason"
    assert named.keys() - found.keys() == set(), "exceptions.toml: no longer needed"
    assert all(named.values()), "exceptions.toml: an exception needs a reason"


def test_the_scanner_finds_the_ends_of_rust_functions() -> None:
    source = (
        "trait T { fn declared(&self, x: [u8; 2]) -> u8; }\n"
        "fn outer<'a>(x: &'a str) -> [u8; 4] {\n"
        '    let s = "}"; let c = \'}\'; let r = r#""}"#; // }\n'
        "    fn inner() { /* } */ }\n"
        "    [b'{', 0, 0, 0]\n"
        "}\n"
    )

    found = {f.name: (f.first, f.last) for f in rust_functions(source)}

    assert found == {"inner": (4, 4), "outer": (2, 6)}
