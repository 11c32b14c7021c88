"""The language in which somebody wants to read what the node says."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header

from rookery.web.accept_language import language_asked

__all__ = ["LanguageQuery"]


def language_of(
    accept_language: Annotated[
        str | None,
        Header(
            description="The language of texts for people, with weights: Chinese or English.",
            examples=["zh-CN,zh;q=0.9,en;q=0.8"],
        ),
    ] = None,
) -> str:
    """The language with the greatest weight decides."""
    return language_asked(accept_language)


LanguageQuery = Annotated[str, Depends(language_of)]
"""Type of a parameter: ``async def alarms(language: LanguageQuery) -> …``."""
