"""What somebody is, in which organization and project. Pure; knows no database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rookery.control.tenancy.permissions import Level, Resource, Role, level_of

ADMIN = "admin"
VIEWER = "viewer"


class Standing(NamedTuple):
    """A role, and whether it is held in a part of the place alone."""

    role: Role
    from_below: bool = False


class Membership(NamedTuple):
    """A row of the table: of an organization, or of one of its projects."""

    org_id: str
    project_id: str | None
    role: str


@dataclass(frozen=True, slots=True)
class OrgGrant:
    """What somebody is in one organization.

    Attributes:
        role: ``admin`` or ``viewer``; none where a token reaches some of its projects alone.
        projects: The same by project.
    """

    role: str | None = None
    projects: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grants:
    """Everything that one caller is."""

    is_admin: bool = False
    orgs: Mapping[str, OrgGrant] = field(default_factory=dict)
    level_max: Level = Level.EDIT
    """A token that may only read has less than its owner."""

    def in_system(self) -> Standing | None:
        return Standing(Role.SYSTEM_ADMIN) if self.is_admin else None

    def in_org(self, org_id: str) -> Standing | None:
        """None: the caller does not get to know that it exists."""
        if self.is_admin:
            return Standing(Role.SYSTEM_ADMIN)
        grant = self.orgs.get(org_id)
        if grant is None:
            return None
        if grant.role == ADMIN:
            return Standing(Role.ORG_ADMIN)
        if ADMIN in grant.projects.values():
            return Standing(Role.PROJECT_ADMIN, from_below=True)
        return Standing(Role.USER, from_below=True)

    def in_project(self, org_id: str, project_id: str) -> Standing | None:
        """None: the caller does not get to know that it exists."""
        if self.is_admin:
            return Standing(Role.SYSTEM_ADMIN)
        grant = self.orgs.get(org_id)
        if grant is None:
            return None
        if grant.role == ADMIN:
            return Standing(Role.ORG_ADMIN)
        role = grant.projects.get(project_id)
        if role is None:
            return None
        return Standing(Role.PROJECT_ADMIN if role == ADMIN else Role.USER)

    def allows(self, standing: Standing | None, resource: Resource, level: Level) -> bool:
        """Whether a standing is enough."""
        if standing is None or level > self.level_max:
            return False
        return level_of(resource, standing.role, from_below=standing.from_below) >= level

    def allows_anywhere(self, resource: Resource, level: Level) -> bool:
        """Whether there is a place where the caller may do that."""
        if self.is_admin:
            return self.allows(self.in_system(), resource, level)
        return any(
            self.allows(self.in_org(org_id), resource, level)
            or any(
                self.allows(self.in_project(org_id, project_id), resource, level)
                for project_id in grant.projects
            )
            for org_id, grant in self.orgs.items()
        )

    def reach(self, resource: Resource, level: Level) -> Reach:
        """Where the caller may do that, for lists that a database filters."""
        if self.is_admin:
            return Reach(everywhere=self.allows(self.in_system(), resource, level))
        orgs: set[str] = set()
        projects: set[str] = set()
        for org_id, grant in self.orgs.items():
            standing = self.in_org(org_id)
            if standing is not None and not standing.from_below:
                if self.allows(standing, resource, level):
                    orgs.add(org_id)
                continue
            projects.update(
                project_id
                for project_id in grant.projects
                if self.allows(self.in_project(org_id, project_id), resource, level)
            )
        return Reach(orgs=frozenset(orgs), projects=frozenset(projects))

    def narrowed(self, org_id: str | None, project_id: str | None, *, read_only: bool) -> Grants:
        """What is left of it for a token that reaches one place alone."""
        level_max = Level.VIEW if read_only else self.level_max
        if org_id is None:
            return Grants(self.is_admin, self.orgs, level_max)
        mine = self.orgs.get(org_id, OrgGrant())
        is_org_admin = self.is_admin or mine.role == ADMIN
        if project_id is None:
            there = OrgGrant(ADMIN) if is_org_admin else mine
            is_there = is_org_admin or org_id in self.orgs
        else:
            role = ADMIN if is_org_admin else mine.projects.get(project_id)
            there = OrgGrant(None, {} if role is None else {project_id: role})
            is_there = role is not None
        return Grants(False, {org_id: there} if is_there else {}, level_max)


@dataclass(frozen=True, slots=True)
class Reach:
    """Rows of these organizations and of these projects, or all."""

    everywhere: bool = False
    orgs: frozenset[str] = frozenset()
    projects: frozenset[str] = frozenset()


def grants_of(memberships: Iterable[Membership], *, is_admin: bool) -> Grants:
    """Put together what the table says."""
    roles: dict[str, str] = {}
    projects: dict[str, dict[str, str]] = {}
    for member in memberships:
        projects.setdefault(member.org_id, {})
        if member.project_id is None:
            roles[member.org_id] = member.role
        else:
            projects[member.org_id][member.project_id] = member.role
    orgs = {org_id: OrgGrant(roles.get(org_id), below) for org_id, below in projects.items()}
    return Grants(is_admin, orgs)
