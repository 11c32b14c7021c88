"""What streams of events have in common."""

from __future__ import annotations

from starlette.requests import Request

from rookery.edge.context import EdgeContext
from rookery.edge.rest.guard import caller_of, check
from rookery.errors import RookeryError

LIFE_S = 15 * 60.0
"""A stream ends after so long, whoever reads it; the page comes back."""
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


def may_still_look(edge: EdgeContext, request: Request) -> bool:
    """Whether who asked for a stream still may have it: signed out, removed, a token that is over."""
    try:
        check("viewer", caller_of(edge, request))
    except RookeryError:
        return False
    return True
