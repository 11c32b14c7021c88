"""What the operations of the tenancy take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from rookery.control.rest.models import Given, Id, Shown, Time

Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
    Field(description="What people call it.", examples=["Plant 1"]),
]


class Named(Given):
    """A name."""

    name: Name


class OrgShown(Shown):
    """An organization."""

    id: Id
    name: str = Field(description="What people call it.", examples=["Factory East"])
    created_at: Time = Field(description="Since when.")
    project_count: int = Field(
        ge=0, description="How many projects of it the caller may see.", examples=[2]
    )


class ProjectShown(Shown):
    """A project."""

    id: Id
    name: str = Field(description="What people call it.", examples=["Plant 1"])
    org_id: Id
    org_name: str = Field(description="The organization it is part of.", examples=["Factory East"])
    created_at: Time = Field(description="Since when.")
    cluster_count: int = Field(ge=0, description="How many clusters are in it.", examples=[3])
