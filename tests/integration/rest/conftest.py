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


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """A node for all tests of a file, which leave it as they found it."""
    with operated(tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture
def asks(shared: Operator) -> RestSocket:
    """The REST interface of that node."""
    return RestSocket(shared.node.data_dir)
