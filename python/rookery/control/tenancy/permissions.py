"""Who may do what: one table, and how it is read.

A role in a project says something about its organization too, seen from below: never more than that
it may be looked at. To add a resource, add it to :class:`Resource` and one row to :data:`MATRIX`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum, StrEnum


class Resource(StrEnum):
    """What operations are about."""

    ORGANIZATIONS = "organizations"
    PROJECTS = "projects"
    USERS = "users"
    AUDIT = "audit"
    SETTINGS = "settings"
    CLUSTERS = "clusters"
    EDGE_SERVICES = "edgeServices"
    ALARMS = "alarms"
    LOGS = "logs"


class Level(IntEnum):
    """How much; a higher one holds what is below."""

    NONE = 0
    VIEW = 1
    EDIT = 2


class Role(StrEnum):
    """What somebody is in a place; each is a strict part of the one above."""

    SYSTEM_ADMIN = "systemAdmin"
    ORG_ADMIN = "orgAdmin"
    PROJECT_ADMIN = "projectAdmin"
    USER = "user"


_NONE, _VIEW, _EDIT = Level.NONE, Level.VIEW, Level.EDIT
_ROLES = (Role.SYSTEM_ADMIN, Role.ORG_ADMIN, Role.PROJECT_ADMIN, Role.USER)

_ROWS: Mapping[Resource, tuple[Level, Level, Level, Level]] = {
    Resource.ORGANIZATIONS: (_EDIT, _EDIT, _VIEW, _NONE),
    Resource.PROJECTS: (_EDIT, _EDIT, _EDIT, _NONE),
    Resource.USERS: (_EDIT, _EDIT, _EDIT, _NONE),
    Resource.AUDIT: (_EDIT, _VIEW, _VIEW, _NONE),
    Resource.SETTINGS: (_EDIT, _NONE, _NONE, _NONE),
    Resource.CLUSTERS: (_EDIT, _EDIT, _EDIT, _VIEW),
    Resource.EDGE_SERVICES: (_EDIT, _EDIT, _EDIT, _VIEW),
    Resource.ALARMS: (_EDIT, _EDIT, _EDIT, _VIEW),
    Resource.LOGS: (_VIEW, _VIEW, _VIEW, _VIEW),
}

MATRIX: Mapping[Resource, Mapping[Role, Level]] = {
    resource: dict(zip(_ROLES, levels, strict=True)) for resource, levels in _ROWS.items()
}
"""What each role may do with each resource, where it holds that role."""


def level_of(resource: Resource, role: Role, *, from_below: bool = False) -> Level:
    """What a role allows; ``from_below`` where it is held in a part of the place alone."""
    level = MATRIX[resource][role]
    return min(level, Level.VIEW) if from_below else level
