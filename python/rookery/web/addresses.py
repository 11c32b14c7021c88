"""Takes addresses apart that somebody else wrote."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_NONE = SplitResult("", "", "", "", "")


def parts_of(url: str) -> SplitResult:
    """As :func:`urllib.parse.urlsplit`; nothing at all of what is no address, such as ``http://[``."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return _NONE
    return parts
