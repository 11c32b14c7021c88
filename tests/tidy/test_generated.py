"""Pages that a program writes are what it would write today."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from tidy.tree import Tree


@pytest.mark.parametrize(
    "generator",
    [
        "gen_configuration",
        "gen_metrics",
        "gen_commands",
        "gen_conformance",
        "gen_hookpoints",
        "gen_rule_functions",
        "gen_openapi",
        "compare_openapi",
    ],
)
def test_generated_pages_are_fresh(
    tree: Tree,
    generator: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.syspath_prepend(tree.root / "tools")
    monkeypatch.setattr(sys, "argv", [generator, "--check"])
    # One of them chooses the language in which the command line says what it is.
    monkeypatch.setenv("ROOKERY_LANG", "en")

    stale = import_module(generator).main()

    assert stale == 0, "".join(capsys.readouterr())
