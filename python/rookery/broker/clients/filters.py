"""The query parameters of the lists of clients."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from fastapi import Depends, Query

from rookery.broker.clients.models import FIELDS
from rookery.broker.rest.parameters import InvalidParameterError, OnNode, time_ms
from rookery.native.lists import ClientQuery, ClientSort

NAMES_MAX = 1000
"""Most client identifiers or user names in one query."""

_State = Literal["connected", "idle", "disconnected"]
_Version = Annotated[str | None, Query(description="Protocol level: 3, 4 or 5.")]
_Names = Annotated[
    list[str], Query(max_length=NAMES_MAX, description="Exactly so; several are any of them.")
]


class ClientFilters:
    """Which clients are wanted, and which fields of them."""

    def __init__(
        self,
        node: OnNode = None,
        clientid: _Names = [],  # noqa: B006  -- FastAPI copies it
        username: _Names = [],  # noqa: B006
        ip_address: Annotated[str | None, Query(description="Address of the client.")] = None,
        conn_state: Annotated[
            _State | None,
            Query(description="`connected`, or `disconnected` with a session that lives on."),
        ] = None,
        clean_start: Annotated[bool | None, Query(description="Clean Start.")] = None,
        proto_ver: _Version = None,
        like_clientid: Annotated[
            str | None, Query(description="A part of the client identifier.")
        ] = None,
        like_username: Annotated[str | None, Query(description="A part of the user name.")] = None,
        gte_created_at: Annotated[
            str | None, Query(description="Session made then or later: ms since 1970, RFC 3339.")
        ] = None,
        lte_created_at: Annotated[
            str | None, Query(description="Session made then or earlier.")
        ] = None,
        gte_connected_at: Annotated[
            str | None, Query(description="Connected then or later.")
        ] = None,
        lte_connected_at: Annotated[
            str | None, Query(description="Connected then or earlier.")
        ] = None,
        fields: Annotated[
            str, Query(description="`all`, or names of fields with commas between them.")
        ] = "all",
    ) -> None:
        self.node = node
        # Nobody in the list of clients is idle: that is a connection before its CONNECT.
        self.is_impossible = conn_state == "idle"
        self.fields = _fields(fields)
        self.query = ClientQuery(
            client_ids=tuple(clientid),
            usernames=tuple(username),
            like_client_id=like_clientid,
            like_username=like_username,
            ip=_address(ip_address),
            is_connected=None if conn_state is None else conn_state == "connected",
            clean_start=clean_start,
            protocol_version=_version(proto_ver),
            created_ms=(
                time_ms("gte_created_at", gte_created_at),
                time_ms("lte_created_at", lte_created_at),
            ),
            connected_ms=(
                time_ms("gte_connected_at", gte_connected_at),
                time_ms("lte_connected_at", lte_connected_at),
            ),
        )


class ClientOrder:
    """In which order clients come."""

    def __init__(
        self,
        sort: Annotated[
            ClientSort | None,
            Query(description="Sort by this field; without it the order is arbitrary, but stable."),
        ] = None,
        order: Annotated[Literal["asc", "desc"], Query(description="Which way.")] = "asc",
    ) -> None:
        self.sort = sort
        self.is_descending = order == "desc"


Filters = Annotated[ClientFilters, Depends()]
Order = Annotated[ClientOrder, Depends()]


def _fields(text: str) -> tuple[str, ...] | None:
    if text == "all":
        return None
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    unknown = sorted(set(names) - FIELDS)
    if unknown:
        raise InvalidParameterError(f"clients have no field {', '.join(unknown)[:200]}")
    return names


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise InvalidParameterError("ip_address is an IPv4 or IPv6 address") from None


def _version(text: str | None) -> int | None:
    if text is None:
        return None
    if text not in ("3", "4", "5"):
        raise InvalidParameterError("proto_ver is 3, 4 or 5")
    return int(text)
