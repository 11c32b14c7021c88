"""What the operations of members take and give."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from rookery.control.accounts.words import Email, Language, NewPassword, PersonName
from rookery.control.rest.models import Given, Id, Shown, Time

MemberRole: TypeAlias = Literal["admin", "viewer"]
RoleMember = Annotated[
    MemberRole, Field(description="What that one may do there.", examples=["viewer"])
]


class MemberShown(Shown):
    """Somebody who belongs to an organization or a project."""

    user_id: Id
    email: str = Field(description="The e-mail address.", examples=["grace@example.com"])
    name: str = Field(description="What people call that one.", examples=["Grace"])
    is_enabled: bool = Field(description="May sign in.", examples=[True])
    is_proven: bool = Field(
        description="The address is known to be that one's. Otherwise the account counts where it was made.",
        examples=[True],
    )
    role: RoleMember
    created_at: Time = Field(description="Since when.")


class CandidateShown(Shown):
    """Somebody of the organization who may be added to a project of it."""

    user_id: Id
    email: str = Field(description="The e-mail address.", examples=["grace@example.com"])
    name: str = Field(description="What people call that one.", examples=["Grace"])


class OrgMemberGiven(Given):
    """Who is to belong to an organization. With a password a user is made who is not there yet."""

    email: Email
    role: RoleMember = "viewer"
    password: NewPassword | None = None
    name: PersonName = ""
    language: Language = "en"


class ProjectMemberGiven(Given):
    """Who of the organization is to belong to a project."""

    user_id: Id
    role: RoleMember = "viewer"


class RoleGiven(Given):
    """Another role."""

    role: RoleMember


class MemberMade(Shown):
    """Who belongs to it from now on."""

    user_id: Id


UserPath = Annotated[str, StringConstraints(max_length=64)]
