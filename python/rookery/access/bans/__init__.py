"""Who is kept out: by client identifier, user name, address, network or regular expression."""

from __future__ import annotations

from rookery.access.bans.service import (
    BAN_KINDS,
    BanEntry,
    BanOrder,
    BanService,
    WantedBans,
    checked_kind,
    read_bans,
)

__all__ = [
    "BAN_KINDS",
    "BanEntry",
    "BanOrder",
    "BanService",
    "WantedBans",
    "checked_kind",
    "read_bans",
]
