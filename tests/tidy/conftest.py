"""Gives the tidy tests the files of this checkout."""

from pathlib import Path

import pytest

from tidy.tree import Tree


@pytest.fixture(scope="session")
def tree() -> Tree:
    return Tree.of_checkout(Path(__file__).resolve().parents[2])
