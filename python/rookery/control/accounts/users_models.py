"""What the operations of users take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rookery.control.accounts.words import Email, Language, NewPassword, PersonName
from rookery.control.rest.models import Given, Id, Shown, Time

CurrentPassword = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class UserShown(Shown):
    """A user."""

    id: Id
    email: str = Field(description="The e-mail address.", examples=["ada@example.com"])
    name: str = Field(description="What people call that one.", examples=["Ada"])
    is_admin: bool = Field(description="Administrator of the whole system.", examples=[False])
    is_enabled: bool = Field(description="May sign in.", examples=[True])
    proven_at: Time | None = Field(
        description="Since when the address is known to be that one's. Null: it counts where the account was made."
    )
    language: Language
    created_at: Time = Field(description="Since when.")
    last_login_at: Time | None = Field(description="Null: never.")


class UserPlace(Shown):
    """Where a user belongs to."""

    org_id: Id
    org_name: str = Field(description="The organization.", examples=["Factory East"])
    project_id: Id | None = Field(description="Null: the organization itself.")
    project_name: str | None = Field(description="The project.", examples=["Plant 1"])
    role: Literal["admin", "viewer"] = Field(description="As what.", examples=["viewer"])


class UserListed(UserShown):
    """A user, with what only the table of users shows."""

    has_second_factor: bool = Field(
        description="A code of an authenticator is asked for at the sign-in.", examples=[False]
    )


class UserDetail(UserListed):
    """A user with everything that one belongs to."""

    must_do: Literal["", "changePassword", "enrolSecondFactor"] = Field(
        default="",
        description="Of the caller: what has to be done before anything else.",
        examples=[""],
    )

    places: list[UserPlace] = Field(description="Organizations and projects.")


class UserGiven(Given):
    """Somebody to be."""

    email: Email
    password: NewPassword
    name: PersonName = ""
    is_admin: bool = Field(
        default=False, description="Administrator of the whole system.", examples=[False]
    )
    language: Language = "en"
    must_change_password: bool = Field(
        default=False,
        description="The user has to choose another at the first sign-in.",
        examples=[True],
    )


class UserChangeGiven(Given):
    """What is to be another; what is left out stays."""

    name: PersonName | None = None
    is_admin: bool | None = Field(
        default=None, description="Administrator of the whole system.", examples=[False]
    )
    is_enabled: bool | None = Field(
        default=None, description="Who is disabled is signed out at once.", examples=[True]
    )
    language: Language | None = None


class ConfirmGiven(Given):
    """The password that goes with a confirmed address."""

    password: NewPassword
    must_change: bool = Field(
        default=True,
        description="The user has to choose another at the next sign-in.",
        examples=[True],
    )


class PasswordGiven(Given):
    """Another password."""

    password: NewPassword
    must_change: bool = Field(
        default=False,
        description="The user has to choose another at the next sign-in.",
        examples=[True],
    )


class ProfileGiven(Given):
    """What everybody may change about himself; what is left out stays."""

    name: PersonName | None = None
    language: Language | None = None


class OwnPasswordGiven(Given):
    """Another password, by who knows the one before."""

    old_password: CurrentPassword = Field(description="As it is.", examples=["Correct-horse-9"])
    new_password: NewPassword
