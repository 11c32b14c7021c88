"""What the operations of invitations take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rookery.control.accounts.invitations import AT_ONCE_MAX, Roles
from rookery.control.accounts.words import Email, Language, NewPassword, PersonName
from rookery.control.rest.models import Given, Id, Shown, Time

RoleWord = Literal["admin", "viewer"]
LinkToken = Annotated[
    str,
    StringConstraints(min_length=1, max_length=128),
    Field(
        description="What the link holds.", examples=["kP4hFqJ8wLr3ZtCe7UamQ6dV0TnB2sYxkP4hFqJ8wLr"]
    ),
]
Emails = Annotated[
    list[Email],
    Field(
        min_length=1, max_length=AT_ONCE_MAX, description="Whom.", examples=[["bea@example.com"]]
    ),
]
ProjectId = Annotated[
    Id | None, Field(description="Null: to no project.", examples=["4f0c9a1b2d3e5f60"])
]
OptionalRole = Annotated[
    RoleWord | None, Field(description="Null: none there.", examples=["viewer"])
]


class OrgInvitationGiven(Given):
    """Whom an organization invites, and as what."""

    emails: Emails
    language: Language = "en"
    role: RoleWord = Field(
        default="viewer", description="In the organization.", examples=["viewer"]
    )
    project_id: ProjectId = None
    project_role: OptionalRole = None

    def roles(self, org_id: str) -> Roles:
        """What they are to be."""
        return Roles(
            org_id=org_id,
            org_role=self.role,
            project_id=self.project_id,
            project_role=self.project_role,
        )


class InvitationGiven(Given):
    """Whom the system invites, and as what."""

    emails: Emails
    language: Language = "en"
    is_admin: bool = Field(
        default=False, description="Administrator of the whole system.", examples=[False]
    )
    org_id: Annotated[
        Id | None, Field(description="Null: to no organization.", examples=["4f0c9a1b2d3e5f60"])
    ] = None
    role: OptionalRole = None
    project_id: ProjectId = None
    project_role: OptionalRole = None

    def roles(self) -> Roles:
        """What they are to be."""
        return Roles(
            is_admin=self.is_admin,
            org_id=self.org_id,
            org_role=self.role,
            project_id=self.project_id,
            project_role=self.project_role,
        )


class InvitationShown(Shown):
    """Somebody who is invited."""

    id: Id
    email: str = Field(description="Whom.", examples=["bea@example.com"])
    is_admin: bool = Field(description="Administrator of the whole system.", examples=[False])
    org_id: Id | None = Field(description="Null: to no organization.")
    org_name: str | None = Field(description="The organization.", examples=["Factory East"])
    org_role: str | None = Field(description="As what.", examples=["viewer"])
    project_id: Id | None = Field(description="Null: to no project.")
    project_name: str | None = Field(description="The project.", examples=["Plant 1"])
    project_role: str | None = Field(description="As what.", examples=["viewer"])
    inviter_name: str = Field(description="Who invited.", examples=["ada@example.com"])
    is_mailed: bool = Field(description="The link went by mail.", examples=[True])
    created_at: Time = Field(description="When.")
    expires_at: Time = Field(description="Until when the link works.")


class InvitationMade(Shown):
    """An invitation, with its link where no mail took it."""

    id: Id
    email: str = Field(description="Whom.", examples=["bea@example.com"])
    expires_at: Time = Field(description="Until when the link works.")
    link: str | None = Field(
        description="To be handed over; null: it went by mail. Shown once.",
        examples=["https://control.example.com:8082/#/invitation?token=kP4hFqJ8wLr3ZtCe7Uam"],
    )


class LinkGiven(Given):
    """What a link holds; it goes in a body, so that no log has it."""

    token: LinkToken


class OpenedShown(Shown):
    """What an invitation is for."""

    email: str = Field(description="Who is invited.", examples=["bea@example.com"])
    language: Language
    inviter: str = Field(description="By whom.", examples=["ada@example.com"])
    org_name: str = Field(description="To which organization.", examples=["Factory East"])
    project_name: str = Field(description="To which project.", examples=["Plant 1"])
    is_known: bool = Field(
        description="Somebody made an account for the address: accepting makes it that one's.",
        examples=[False],
    )
    expires_at: Time = Field(description="Until when the link works.")


class AcceptGiven(LinkGiven):
    """Who somebody wants to be."""

    name: PersonName = ""
    password: NewPassword
    language: Language = "en"
