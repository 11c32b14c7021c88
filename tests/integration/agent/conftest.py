"""A real node, a control plane that stands in, and the agent's own commands between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.agent_command import AgentCommand
from harness.rest_node import RestNode, rest_node
from harness.stand_in_control import StandInControl


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    """A node for all tests of a file."""
    with rest_node(tmp_path_factory.mktemp("node")) as running:
        yield running


@pytest.fixture
def control() -> Iterator[StandInControl]:
    made = StandInControl()
    made.open()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[AgentCommand]:
    command = AgentCommand(tmp_path / "agent")
    try:
        yield command
    finally:
        command("stop")
