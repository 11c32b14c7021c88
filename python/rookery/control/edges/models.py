"""What is said about edge services inside the control plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rookery.contracts.agent_edge import EDGE_PREFIX
from rookery.control.edges.store import EdgeAgentRow, EdgeServiceRow

RESOURCE = "edgeServices"
AGENT_RESOURCE = "edgeAgents"
SHORT_ID_LENGTH = 8


def short_id(agent_id: str) -> str:
    """As pages show it."""
    return agent_id.removeprefix(EDGE_PREFIX)[:SHORT_ID_LENGTH]


@dataclass(frozen=True, slots=True)
class DialedIn:
    """An agent with what it was adopted as.

    Attributes:
        presence: ``unknown``, ``online`` or ``offline``, by its connection and its reports.
        now_ms: When this was read.
    """

    row: EdgeAgentRow
    presence: str
    service: EdgeServiceRow | None
    org_name: str
    project_name: str
    now_ms: int


@dataclass(frozen=True, slots=True)
class Adopted:
    """An edge service with everything that is shown of it."""

    row: EdgeServiceRow
    agent: EdgeAgentRow | None
    state: str
    presence: str
    labels: Sequence[str]
    now_ms: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of a list, and in which order."""

    search: str = ""
    states: Sequence[str] = ()
    presences: Sequence[str] = ()
    labels: Sequence[str] = ()
    sort: str = "name"
