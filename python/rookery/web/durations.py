"""Durations as EMQX writes them."""

from __future__ import annotations


def duration_text(duration_ms: int) -> str:
    """``500ms``, ``300s``: whole seconds where that is exact."""
    seconds, rest = divmod(duration_ms, 1000)
    return f"{duration_ms}ms" if rest or not seconds else f"{seconds}s"
