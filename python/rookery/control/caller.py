"""Who asks, and what that one is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rookery.control.tenancy.grants import Grants

Must: TypeAlias = Literal["", "changePassword", "enrolSecondFactor"]
Via: TypeAlias = Literal["session", "token", "machine", "agent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks.

    Attributes:
        id: The user; of nobody's doing, such as that of an agent, its own.
        name: The e-mail address, or what else people call it.
        via: How it was told: signed in, by an API token, on the machine itself, by an agent.
        address: From where; empty on the machine itself.
        grants: What the caller is where.
        session_id: The session, when signed in.
        must: What the caller has to do before anything else; empty: nothing.
    """

    id: str
    name: str
    via: Via
    address: str = ""
    grants: Grants = field(default_factory=Grants)
    session_id: str = ""
    must: Must = ""


def machine(user: str) -> Caller:
    """Somebody with the rights of the process, on its machine."""
    return Caller(id="", name=user, via="machine", grants=Grants(is_admin=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A caller who may do what was asked, and where.

    Attributes:
        org_id: None for what belongs to the whole system.
        project_id: None for what belongs to the whole organization.
    """

    caller: Caller
    org_id: str | None = None
    org_name: str = ""
    project_id: str | None = None
    project_name: str = ""

    @property
    def org(self) -> str:
        """The organization, in an operation whose path names one."""
        assert self.org_id is not None
        return self.org_id

    @property
    def project(self) -> str:
        """The project, in an operation whose path names one."""
        assert self.project_id is not None
        return self.project_id
