"""A node with an operator, and its REST interface."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.operator import Operator, operated
from harness.rest import RestSocket


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    """A node with nothing configured."""
    with operated(tmp_path) as running:
        yield running


@pytest.fixture
def rest(operator: Operator) -> RestSocket:
    """The REST interface of that node."""
    return RestSocket(operator.node.data_dir)
