"""The language in which somebody wants to read what the node says."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header

__all__ = ["LanguageQuery"]


def language_of(
    accept_language: Annotated[
        str | None,
        Header(
            description="The language of texts for people: `zh` is Chinese, anything else English.",
            examples=["zh-CN"],
        ),
    ] = None,
) -> str:
    """What stands first in the header decides."""
    return "zh" if (accept_language or "")[:2].lower() == "zh" else "en"


LanguageQuery = Annotated[str, Depends(language_of)]
"""Type of a parameter: ``async def alarms(language: LanguageQuery) -> …``."""
