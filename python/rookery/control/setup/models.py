"""What the wizard's operations take and give."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from rookery.control.accounts.words import Email, Language, NewPassword, PersonName
from rookery.control.rest.models import Given, Shown
from rookery.control.settings.words import Url

Code = Annotated[
    str | None,
    Field(
        max_length=64,
        description="What was printed at the start; not asked for on the machine itself.",
        examples=["0123456789abcdef0123"],
    ),
]


class SetupState(Shown):
    """Whether anything is left to set up."""

    is_finished: bool = Field(description="There is an administrator.", examples=[False])
    needs_code: bool = Field(
        description="The set-up code has to be given by whoever asks this.", examples=[True]
    )


class SetupGiven(Given):
    """What the wizard sends in the end."""

    code: Code = None
    email: Email
    password: NewPassword
    name: PersonName = ""
    access_address: Url
    language: Language = "en"


class AddressTestGiven(Given):
    """An access address to be tried."""

    code: Code = None
    access_address: Url
