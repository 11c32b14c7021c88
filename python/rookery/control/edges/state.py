"""How an edge service stands, for the database to filter and sort by."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Case, ColumnElement, and_, case, or_

from rookery.control.clusters.state import report_age_max_ms
from rookery.control.edges.store import EdgeAgentRow


class AgentState(StrEnum):
    """What the control plane decided about who dialed in."""

    PENDING = "pending"
    MANAGED = "managed"
    REJECTED = "rejected"
    REMOVED = "removed"
    """Kept until it heard so."""


class ServiceState(StrEnum):
    """How an adopted one is."""

    WAITING = "waiting"
    """Connected, and has not reported yet."""
    RUNNING = "running"
    ABNORMAL = "abnormal"
    """A driver or an application that shall run is not connected."""
    OFFLINE = "offline"
    LEFT = "left"
    """It was told to leave, at the edge."""


def heard_since(now_ms: int, interval_ms: int) -> int:
    """Who has not given a sign since then is offline, whatever its connection says."""
    return now_ms - report_age_max_ms(interval_ms)


def is_online(since_ms: int) -> ColumnElement[bool]:
    """Connected, and heard since."""
    return and_(
        EdgeAgentRow.presence == "online",
        or_(EdgeAgentRow.reported_at > since_ms, EdgeAgentRow.presence_at > since_ms),
    )


def is_abnormal() -> ColumnElement[bool]:
    """Has a node that is not well."""
    return EdgeAgentRow.drivers_abnormal + EdgeAgentRow.apps_abnormal > 0


def presence(since_ms: int) -> Case[Any]:
    """``unknown``, ``online`` or ``offline``."""
    return case(
        (is_online(since_ms), "online"),
        (EdgeAgentRow.presence == "unknown", "unknown"),
        else_="offline",
    )


def service_state(since_ms: int) -> Case[Any]:
    """A word of :class:`ServiceState`."""
    return case(
        (EdgeAgentRow.left_at.is_not(None), str(ServiceState.LEFT)),
        (is_online(since_ms) & EdgeAgentRow.reported_at.is_(None), str(ServiceState.WAITING)),
        (is_online(since_ms) & is_abnormal(), str(ServiceState.ABNORMAL)),
        (is_online(since_ms), str(ServiceState.RUNNING)),
        else_=str(ServiceState.OFFLINE),
    )
