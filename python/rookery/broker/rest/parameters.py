"""What the lists of clients, subscriptions and messages have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query

from rookery.broker.management.context import NodeContext
from rookery.errors import BadRequestError, NotFoundError

MillisOrTime = str
"""Milliseconds since 1970, or RFC 3339."""

LikeTopic = Annotated[str | None, Query(description="What the topic holds.")]
LikePublisher = Annotated[
    str | None, Query(description="What the identifier of the client that published it holds.")
]
OfQos = Annotated[int | None, Query(ge=0, le=2, description="Published with this QoS.")]
OnNode = Annotated[str | None, Query(description="Rows of this node only.")]


class InvalidParameterError(BadRequestError):
    """A parameter of a query makes no sense."""

    code = "INVALID_PARAMETER"


class ClientIdNotFoundError(NotFoundError):
    """No client of this identifier is connected or has a session."""

    code = "CLIENTID_NOT_FOUND"

    def __init__(self, client_id: str) -> None:
        super().__init__(f"no client {client_id!r}")


def check_node(node: NodeContext, wanted: str | None) -> None:
    """Refuse a node that is no member.

    Raises:
        InvalidParameterError: it is none.
    """
    if wanted is not None and wanted not in node.services.nodes.names():
        raise InvalidParameterError(f"no node {wanted!r}")


def time_ms(name: str, text: str | None) -> int | None:
    """A time as milliseconds since 1970.

    Raises:
        InvalidParameterError: it is none.
    """
    if text is None:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= 15:
        return int(text)
    try:
        # In a query "+" is a blank: an offset such as +02:00 often arrives with one.
        when = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else "")
        return max(0, int(when.timestamp() * 1000))
    except (ValueError, OverflowError):
        raise InvalidParameterError(
            f"{name} is milliseconds since 1970 or a time such as 2026-01-31T12:00:00Z"
        ) from None


def message_id(number: int) -> str:
    """A message's identity as EMQX writes it: 32 hexadecimal digits."""
    return f"{number:032X}"
