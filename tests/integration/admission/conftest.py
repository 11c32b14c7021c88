"""A node that all tests of the REST interface share, and nodes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.node import Settings
from harness.rest_node import RestNode, rest_node

Start = Callable[..., RestNode]


@pytest.fixture(scope="session")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    """Shared by all tests, with an administrator: use names of your own."""
    with rest_node(tmp_path_factory.mktemp("rest")) as node:
        yield node


@pytest.fixture
def start_rest(tmp_path: Path) -> Iterator[Start]:
    """Starts nodes on the test's folder; a second one has to wait until the first is stopped."""
    with ExitStack() as started:

        def start(settings: Settings | None = None, *, has_admin: bool = True) -> RestNode:
            return started.enter_context(rest_node(tmp_path, settings, has_admin=has_admin))

        yield start
