"""Keeps bans in the data directory and the core informed of those that hold.

The core refuses and disconnects; it also knows when a ban ends. What has ended is taken out of the
file when it is next changed or listed.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from rookery.access.database import Database
from rookery.access.errors import AccessError, Words
from rookery.clock import Clock
from rookery.errors import ExceedsLimitError, NotFoundError
from rookery.native.config import Ban, BanKind

BAN_KINDS: tuple[BanKind, ...] = get_args(BanKind)

BANS_MAX = 100_000
REGEX_BANS_MAX = 1000
"""Every client that connects is compared with each of these."""

PAGE_MAX = 10_000
WHO_BYTES_MAX = 65_535
TEXT_LENGTH_MAX = 4096
FLAPPING = "flapping detector"
_YEARS_1000_MS = 31_556_952_000_000

_BAD_KIND = Words("as: must be one of {allowed}", "as：应为 {allowed} 之一")
_BAD_WHO = Words("who: {who} is not {allowed}", "who：{who} 不是{allowed}")
_ALLOWED = {
    "peerhost": Words("an address", "IP 地址"),
    "peerhost_net": Words("a network such as 10.0.0.0/8", "网段，例如 10.0.0.0/8"),
    "clientid_re": Words("a regular expression", "正则表达式"),
    "username_re": Words("a regular expression", "正则表达式"),
    "clientid": Words("a name", "名称"),
    "username": Words("a name", "名称"),
}
_PAST = Words("until: lies in the past", "until：早于当前时间")
_LONG = Words("reason and by have at most 4096 characters", "reason 与 by 不超过 4096 个字符")

_COLUMNS = "kind, who, by, reason, at_ms, until_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class BanEntry:
    """A ban as it is kept: EMQX's ``as``, ``who``, ``by``, ``reason``, ``at``, ``until``.

    ``until_ms`` is since 1970; none: for ever.
    """

    kind: BanKind
    who: str
    by: str = ""
    reason: str = ""
    at_ms: int = 0
    until_ms: int | None = None

    def for_core(self) -> Ban:
        return Ban(kind=self.kind, who=self.who, until_ms=self.until_ms, reason=self.reason)


class BanService:
    """Adds and lifts bans. ``apply`` is given the whole list after every change."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        apply: Callable[[Sequence[Ban]], None] = lambda _bans: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._apply = apply
        # One change at a time: of two the older list must not be applied last.
        self._changing = asyncio.Lock()

    async def active(self) -> list[BanEntry]:
        """Every ban that holds, in no order that means something."""
        now_ms = self._clock.now_ms()

        def query(connection: sqlite3.Connection) -> list[BanEntry]:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM bans WHERE until_ms IS NULL OR until_ms > ?",  # noqa: S608
                (now_ms,),
            )
            return [_entry(row) for row in rows]

        return await self._database.read(query)

    async def page(self, *, skip: int = 0, limit: int = 100, like: str = "") -> list[BanEntry]:
        """Bans that hold, the latest first."""
        now_ms = self._clock.now_ms()

        def query(connection: sqlite3.Connection) -> list[BanEntry]:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM bans WHERE (until_ms IS NULL OR until_ms > ?) "  # noqa: S608
                "AND instr(who, ?) > 0 ORDER BY at_ms DESC, kind, who LIMIT ? OFFSET ?",
                (now_ms, like, min(limit, PAGE_MAX), skip),
            )
            return [_entry(row) for row in rows]

        return await self._database.read(query)

    async def apply_all(self) -> None:
        """Give the core what the file holds; at the start of a node."""
        async with self._changing:
            self._apply([entry.for_core() for entry in await self.active()])

    async def put(self, entry: BanEntry) -> BanEntry:
        """Ban somebody, or change the ban; who is connected is disconnected by the core.

        Raises:
            AccessError: the entry makes no sense.
            ConfigError: the core refuses it.
            ExceedsLimitError: there are too many bans.
        """
        kept = self._checked(entry)
        async with self._changing:
            before = await self.active()
            others = [e for e in before if (e.kind, e.who) != (kept.kind, kept.who)]
            # The core first: it refuses regular expressions that it cannot search.
            self._apply([e.for_core() for e in (*others, kept)])
            try:
                await self._database.write(lambda connection: self._insert(connection, kept))
            except BaseException:
                self._apply([e.for_core() for e in before])
                raise
        return kept

    def _insert(self, connection: sqlite3.Connection, entry: BanEntry) -> None:
        connection.execute("DELETE FROM bans WHERE until_ms <= ?", (self._clock.now_ms(),))
        is_regex = entry.kind.endswith("_re")
        (total, regexes) = connection.execute(
            "SELECT count(*), coalesce(sum(kind LIKE '%\\_re' ESCAPE '\\'), 0) FROM bans "
            "WHERE NOT (kind = ? AND who = ?)",
            (entry.kind, entry.who),
        ).fetchone()
        if total >= BANS_MAX or (is_regex and regexes >= REGEX_BANS_MAX):
            most = REGEX_BANS_MAX if is_regex else BANS_MAX
            raise ExceedsLimitError(f"there are {most} bans of that kind already")
        connection.execute(
            "INSERT OR REPLACE INTO bans (kind, who, by, reason, at_ms, until_ms) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (entry.kind, entry.who, entry.by, entry.reason, entry.at_ms, entry.until_ms),
        )

    def _checked(self, entry: BanEntry) -> BanEntry:
        if entry.kind not in BAN_KINDS:
            raise AccessError(_BAD_KIND.format(allowed=", ".join(BAN_KINDS)))
        if max(len(entry.reason), len(entry.by)) > TEXT_LENGTH_MAX:
            raise AccessError(_LONG)
        now_ms = self._clock.now_ms()
        until_ms = entry.until_ms
        if until_ms is not None and until_ms <= now_ms:
            raise AccessError(_PAST)
        if until_ms is not None and until_ms > now_ms + _YEARS_1000_MS:
            until_ms = None
        return BanEntry(
            kind=entry.kind,
            who=_checked_who(entry.kind, entry.who),
            by=entry.by,
            reason=entry.reason,
            at_ms=entry.at_ms or now_ms,
            until_ms=until_ms,
        )

    async def delete(self, kind: BanKind, who: str) -> None:
        """Lift a ban.

        Raises:
            NotFoundError: there is none.
        """

        def change(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "DELETE FROM bans WHERE kind = ? AND who = ?", (kind, who)
            ).rowcount

        async with self._changing:
            if not await self._database.write(change):
                raise NotFoundError(f"{kind} {who!r} is not banned")
            self._apply([active.for_core() for active in await self.active()])

    async def clear(self) -> None:
        """Lift every ban."""
        async with self._changing:
            await self._database.write(
                lambda connection: connection.execute("DELETE FROM bans").rowcount
            )
            self._apply([])

    async def on_flapping(self, client_id: str, *, ban_ms: int, peer: str = "") -> BanEntry:
        """Ban a client that came and went too often.

        Raises:
            ExceedsLimitError: there are too many bans.
        """
        now_ms = self._clock.now_ms()
        reason = "connects and disconnects too often"
        return await self.put(
            BanEntry(
                kind="clientid",
                who=client_id,
                by=FLAPPING,
                reason=f"{reason}, last from {peer}" if peer else reason,
                at_ms=now_ms,
                until_ms=now_ms + ban_ms,
            )
        )


def _checked_who(kind: BanKind, who: str) -> str:
    try:
        match kind:
            case "peerhost":
                return str(ipaddress.ip_address(who))
            case "peerhost_net":
                return str(ipaddress.ip_network(who, strict=False))
            case "clientid_re" | "username_re":
                re.compile(who)
    except (ValueError, re.error):
        raise _bad_who(kind, who) from None
    if not 0 < len(who.encode("utf-8", "replace")) <= WHO_BYTES_MAX or "\0" in who:
        raise _bad_who(kind, who)
    return who


def _bad_who(kind: BanKind, who: str) -> AccessError:
    allowed = _ALLOWED[kind]
    shown = repr(who[:60])
    return AccessError(
        Words(
            _BAD_WHO.en.format(who=shown, allowed=allowed.en),
            _BAD_WHO.zh.format(who=shown, allowed=allowed.zh),
        )
    )


def _entry(row: tuple[Any, ...]) -> BanEntry:
    kind, who, by, reason, at_ms, until_ms = row
    return BanEntry(kind=kind, who=who, by=by, reason=reason, at_ms=at_ms, until_ms=until_ms)
