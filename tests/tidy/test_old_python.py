"""Some modules are carried to machines with an older Python and nothing installed.

They are those that the cluster agent is made of: they use the standard library of
Python 3.9 and each other, nothing else.
"""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.interpreters import interpreter
from tidy.tree import Tree

OLD = "3.9"
CARRIED = (
    "__init__.py",
    "errors.py",
    "types.py",
    "clock.py",
    "contracts/agent_*.py",
    "agent/**/*.py",
)
PACKAGE = Path("python/rookery")


@pytest.fixture(scope="module")
def carried(tree: Tree) -> list[Path]:
    package = tree.root / PACKAGE
    return sorted(path for pattern in CARRIED for path in package.glob(pattern))


def module_name(tree: Tree, path: Path) -> str:
    parts = path.relative_to(tree.root / "python").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_at_once(source: str) -> Iterator[str]:
    """Yield what importing the module imports; an import inside a function waits."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a carried module names what it imports in full"
            yield node.module or ""
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def test_they_import_the_standard_library_and_each_other(tree: Tree, carried: list[Path]) -> None:
    ours = {module_name(tree, path) for path in carried}
    foreign = {
        f"{path.name}: {name}"
        for path in carried
        for name in imported_at_once(path.read_text())
        if name.split(".")[0] not in sys.stdlib_module_names and name not in ours
    }

    assert foreign == set()


def test_they_use_nothing_newer(carried: list[Path]) -> None:
    vermin = Path(sys.executable).with_name("vermin")
    command: list[str | Path] = [
        vermin,
        "--quiet",
        "--no-tips",
        "--violations",
        f"-t={OLD}-",
        *carried,
    ]

    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout


def test_that_python_imports_them(tree: Tree, carried: list[Path], tmp_path: Path) -> None:
    program = interpreter(OLD)
    if program is None:
        pytest.skip(f"no Python {OLD} on this machine")
    for path in carried:
        copy = tmp_path / path.relative_to(tree.root / "python")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
        (copy.parent / "__init__.py").touch()
    names = [module_name(tree, path) for path in carried]
    script = f"import importlib; [importlib.import_module(name) for name in {names!r}]"

    run = subprocess.run(
        [program, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {script}"],
        cwd=tmp_path,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
