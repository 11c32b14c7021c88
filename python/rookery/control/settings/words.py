"""Types of members that several operations share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

Url = Annotated[
    str,
    StringConstraints(max_length=2048, pattern=r"^https?://[^\s/?#@]+/?$"),
    Field(
        description="Scheme, host and port under which browsers and agents reach this control plane.",
        examples=["https://control.example.com:8082"],
    ),
]
