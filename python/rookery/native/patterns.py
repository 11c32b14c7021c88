"""Regular expressions as the core searches them: in time that grows with the text alone."""

from __future__ import annotations

from rookery import _native


def why_no_regex(text: str) -> str | None:
    """Why ``text`` is no regular expression of rules and bans; none when it is one."""
    return _native.check_regex(text)
