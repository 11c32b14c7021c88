"""No source file lies in the tree without being part of the program."""

from __future__ import annotations

import re
from pathlib import Path

from tidy.tree import Tree


def parents_of(path: Path) -> list[Path]:
    """The files one of which must declare the Rust module in ``path``."""
    folder = path.parent.parent if path.name == "mod.rs" else path.parent
    candidates = [folder / "lib.rs", folder / "main.rs", folder / "mod.rs"]
    return [*candidates, folder.parent / f"{folder.name}.rs"]


def test_every_rust_file_belongs_to_its_crate(tree: Tree) -> None:
    orphans = []
    for path in tree.with_suffix(".rs"):
        inside = path.parts[3:] if path.parts[0] == "crates" and path.parts[2] == "src" else ()
        if not inside or path.name in {"lib.rs", "main.rs"} or inside[0] == "bin":
            continue
        name = path.parent.name if path.name == "mod.rs" else path.stem
        declared = re.compile(rf"^\s*(?:pub(?:\([\w: ]+\))?\s+)?mod\s+{name}\s*;", re.MULTILINE)
        by_path = re.compile(rf'#\[path\s*=\s*"[^"]*{re.escape(path.name)}"\]')
        sources = [tree.text(parent) for parent in parents_of(path) if parent in tree.files]
        if not any(declared.search(source) or by_path.search(source) for source in sources):
            orphans.append(str(path))

    assert orphans == []


def test_every_python_folder_is_a_package(tree: Tree) -> None:
    folders = {path.parent for path in tree.with_suffix(".py") if path.parts[0] == "python"}

    assert [folder for folder in folders if not (tree.root / folder / "__init__.py").exists()] == []
