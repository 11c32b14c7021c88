"""Types of members that several operations share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

Email = Annotated[
    str,
    StringConstraints(min_length=3, max_length=254),
    Field(description="An e-mail address; the case does not matter.", examples=["ada@example.com"]),
]
NewPassword = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Field(
        description="8 to 64 characters: letters, digits and others.", examples=["Correct-horse-9"]
    ),
]
PersonName = Annotated[
    str,
    StringConstraints(max_length=100, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]*$"),
    Field(description="What people call that one.", examples=["Ada"]),
]
Language = Annotated[
    Literal["en", "zh"], Field(description="In which the console shows itself.", examples=["zh"])
]
