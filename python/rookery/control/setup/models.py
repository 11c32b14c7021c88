"""What the wizard's operations take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from rookery.control.rest.models import Given, Shown

Password = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Field(
        description="8 to 64 characters: letters, digits and others.", examples=["Correct-horse-9"]
    ),
]
Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254),
    Field(description="An e-mail address.", examples=["ada@example.com"]),
]
Url = Annotated[
    str,
    StringConstraints(max_length=2048, pattern=r"^https?://[^\s/?#]+/?$"),
    Field(
        description="Scheme, host and port under which browsers and agents reach this control plane.",
        examples=["https://control.example.com:8082"],
    ),
]
Code = Annotated[
    str | None,
    Field(
        max_length=64,
        description="What was printed at the start; not asked for on the machine itself.",
        examples=["0123456789abcdef0123"],
    ),
]
Language = Annotated[
    Literal["en", "zh"], Field(description="In which the console shows itself.", examples=["zh"])
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
    password: Password
    name: Annotated[
        str,
        StringConstraints(max_length=100, strip_whitespace=True),
        Field(description="What the administrator is called.", examples=["Ada"]),
    ] = ""
    access_address: Url
    language: Language = "en"
