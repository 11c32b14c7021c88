"""A node that the commands of a file ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.ctl import Ctl
from harness.rest_node import RestNode, rest_node


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    """Shared by the tests of a file: use names of your own."""
    with rest_node(tmp_path_factory.mktemp("node"), {"slow_subs.enable": "true"}) as running:
        yield running


@pytest.fixture
def ctl(rest: RestNode) -> Ctl:
    """Commands to it over its own socket."""
    return Ctl(rest.node.data_dir)
