"""Keeps bans in the data directory and the core informed of those that hold.

The core refuses and disconnects; it also knows when a ban ends. What has ended is taken out of the
file when it is next changed or listed.
"""

from __future__ import annotations

import ipaddress
import re
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_values
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from rookery.access.database import Database, read_at_start
from rookery.access.errors import AccessError, Words
from rookery.clock import Clock
from rookery.errors import ConflictError, ExceedsLimitError, NotFoundError
from rookery.native.config import Ban, BanKind

Apply: TypeAlias = Callable[[Sequence[Ban]], None]

BanOrder: TypeAlias = Literal["as", "who", "by", "reason", "at", "until"]
"""EMQX's names of what a ban has."""

BAN_KINDS: tuple[BanKind, ...] = get_args(BanKind)

BANS_MAX = 100_000
REGEX_BANS_MAX = 1000
"""Every client that connects is compared with each of these."""

WHO_BYTES_MAX = 65_535
TEXT_LENGTH_MAX = 4096
FLAPPING = "flapping detector"
_YEARS_1000_MS = 31_556_952_000_000

_SELECT = "SELECT kind, who, by, reason, at_ms, until_ms FROM bans"
_HOLDS = "WHERE (until_ms IS NULL OR until_ms > ?)"
_LATEST_FIRST = "at_ms DESC, kind, who"
# By what a list can be ordered; whoever is kept out for ever is kept out longest.
_ORDERS: Mapping[BanOrder, str] = {
    "as": "kind",
    "who": "who",
    "by": "by",
    "reason": "reason",
    "at": "at_ms",
    "until": "coalesce(until_ms, 9223372036854775807)",
}

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

    def to_native(self) -> Ban:
        return Ban(kind=self.kind, who=self.who, until_ms=self.until_ms, reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedBans:
    """Which bans, and which part of their list. A ban has to fit all that is asked for.

    Attributes:
        exact: Who, by kind.
        like: What who holds, by kind.
        start: How many to pass over.
        limit: Most of them.
        order: By what; the latest first without it.
        is_descending: Whether the greatest comes first, where there is an order.
    """

    exact: Mapping[BanKind, str] = field(default_factory=dict)
    like: Mapping[BanKind, str] = field(default_factory=dict)
    start: int = 0
    limit: int = 100
    order: BanOrder | None = None
    is_descending: bool = False

    def read(self, connection: sqlite3.Connection, now_ms: int) -> tuple[list[BanEntry], int]:
        """Those of a page, and how many fit in all."""
        where = _HOLDS
        given: list[Any] = [now_ms]
        for test, wanted in (("who = ?", self.exact), ("instr(who, ?) > 0", self.like)):
            for kind, text in wanted.items():
                where += f" AND kind = ? AND {test}"
                given += [kind, text]
        count = connection.execute(f"SELECT count(*) FROM bans {where}", given)  # noqa: S608
        rows = connection.execute(
            f"{_SELECT} {where} ORDER BY {self._ordered()} LIMIT ? OFFSET ?",
            (*given, self.limit, self.start),
        )
        return [_entry(row) for row in rows], int(count.fetchone()[0])

    def _ordered(self) -> str:
        if self.order is None:
            return _LATEST_FIRST
        return f"{_ORDERS[self.order]} {'DESC' if self.is_descending else 'ASC'}, {_LATEST_FIRST}"


class BanService:
    """Adds and lifts bans. :meth:`open` names who is told the complete list after every change."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._apply: Apply = lambda _bans: None

    def open(self, apply: Apply) -> None:
        """``apply`` is called on the thread that writes, within the change: what it refuses by
        raising is not kept, and of two changes the older is never told last.
        """
        self._apply = apply

    async def all(self) -> list[BanEntry]:
        """Every ban that holds, the latest first."""
        now_ms = self._clock.now_ms()
        return await self._database.read(lambda connection: _read(connection, now_ms))

    async def find(self, wanted: WantedBans) -> tuple[list[BanEntry], int]:
        """A page of the bans that hold, the latest first, and how many there are on all pages."""
        now_ms = self._clock.now_ms()
        return await self._database.read(lambda connection: wanted.read(connection, now_ms))

    async def create(
        self,
        kind: str,
        who: str,
        *,
        by: str = "",
        reason: str = "",
        at_ms: int | None = None,
        until_ms: int | None = None,
        replace: bool = True,
    ) -> BanEntry:
        """Keep somebody out; whoever it fits is disconnected.

        Raises:
            AccessError: it makes no sense.
            ConfigError: the core refuses it.
            ConflictError: there is such a ban and ``replace`` is false.
            ExceedsLimitError: there are too many bans.
        """
        now_ms = self._clock.now_ms()
        entry = _checked(
            BanEntry(
                kind=checked_kind(kind),
                who=who,
                by=by,
                reason=reason,
                at_ms=now_ms if at_ms is None else at_ms,
                until_ms=until_ms,
            ),
            now_ms,
        )

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM bans WHERE until_ms <= ?", (now_ms,))
            _check_room(connection, entry)
            if not replace and _is_there(connection, entry):
                raise ConflictError(f"{entry.kind} {entry.who!r} is banned already")
            _put(connection, entry)
            self._tell(connection, now_ms)

        await self._database.write(change)
        return entry

    async def delete(self, kind: str, who: str) -> BanEntry:
        """Lift a ban; how it was.

        Raises:
            NotFoundError: there is none.
        """
        now_ms = self._clock.now_ms()

        def change(connection: sqlite3.Connection) -> BanEntry | None:
            found = connection.execute(f"{_SELECT} WHERE kind = ? AND who = ?", (kind, who))
            row = found.fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM bans WHERE kind = ? AND who = ?", (kind, who))
            self._tell(connection, now_ms)
            return _entry(row)

        entry = await self._database.write(change)
        if entry is None:
            raise NotFoundError(f"{kind} {who!r} is not banned")
        return entry

    async def put_many(self, entries: Sequence[BanEntry]) -> None:
        """Add or replace bans, all in one change; those that have ended are left out.

        Raises:
            AccessError: one of them makes no sense.
            ConfigError: the core refuses one.
            ExceedsLimitError: there would be too many.
        """
        now_ms = self._clock.now_ms()
        holding = [
            _checked(entry, now_ms)
            for entry in entries
            if entry.until_ms is None or entry.until_ms > now_ms
        ]

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM bans WHERE until_ms <= ?", (now_ms,))
            for entry in holding:
                _put(connection, entry)
            # Of the whole: one that would be too many takes all of them back.
            for kind in ("clientid", "clientid_re"):
                _check_room(connection, BanEntry(kind=checked_kind(kind), who=""), room=0)
            self._tell(connection, now_ms)

        await self._database.write(change)

    async def clear(self) -> int:
        """Lift every ban; how many there were."""

        def change(connection: sqlite3.Connection) -> int:
            count = connection.execute("DELETE FROM bans").rowcount
            self._apply([])
            return count

        return await self._database.write(change)

    async def tell(self) -> None:
        """Tell all of them again: another node changed some, or a change was taken back."""
        now_ms = self._clock.now_ms()
        await self._database.write(
            lambda connection: self._tell(connection, now_ms), is_settled=True
        )

    def _tell(self, connection: sqlite3.Connection, now_ms: int) -> None:
        self._apply([entry.to_native() for entry in _read(connection, now_ms)])

    async def on_flapping(self, client_id: str, *, ban_ms: int, peer: str = "") -> BanEntry:
        """Ban a client that came and went too often.

        Raises:
            ExceedsLimitError: there are too many bans.
        """
        reason = "connects and disconnects too often"
        return await self.create(
            "clientid",
            client_id,
            by=FLAPPING,
            reason=f"{reason}, last from {peer}" if peer else reason,
            until_ms=self._clock.now_ms() + ban_ms,
        )


def read_bans(path: Path, now_ms: int) -> tuple[Ban, ...]:
    """The bans of the file at ``path`` before an event loop runs; none without the file.

    Raises:
        StartError: it cannot be read.
    """

    def query(connection: sqlite3.Connection) -> tuple[Ban, ...]:
        return tuple(entry.to_native() for entry in _read(connection, now_ms))

    return read_at_start(path, query)


def _read(connection: sqlite3.Connection, now_ms: int) -> list[BanEntry]:
    rows = connection.execute(f"{_SELECT} {_HOLDS} ORDER BY {_LATEST_FIRST}", (now_ms,))
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> BanEntry:
    kind, who, by, reason, at_ms, until_ms = row
    return BanEntry(kind=kind, who=who, by=by, reason=reason, at_ms=at_ms, until_ms=until_ms)


def _put(connection: sqlite3.Connection, entry: BanEntry) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO bans (kind, who, by, reason, at_ms, until_ms) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (entry.kind, entry.who, entry.by, entry.reason, entry.at_ms, entry.until_ms),
    )


def _check_room(connection: sqlite3.Connection, entry: BanEntry, *, room: int = 1) -> None:
    """Whether there is room for so many beside ``entry``, if that is there."""
    is_regex = entry.kind.endswith("_re")
    (total, regexes) = connection.execute(
        "SELECT count(*), coalesce(sum(kind IN ('clientid_re', 'username_re')), 0) FROM bans "
        "WHERE NOT (kind = ? AND who = ?)",
        (entry.kind, entry.who),
    ).fetchone()
    if total + room > BANS_MAX or (is_regex and regexes + room > REGEX_BANS_MAX):
        most = REGEX_BANS_MAX if is_regex else BANS_MAX
        raise ExceedsLimitError(f"there are {most} bans of that kind already")


def _is_there(connection: sqlite3.Connection, entry: BanEntry) -> bool:
    query = "SELECT 1 FROM bans WHERE kind = ? AND who = ?"
    return connection.execute(query, (entry.kind, entry.who)).fetchone() is not None


def _checked(entry: BanEntry, now_ms: int) -> BanEntry:
    if max(len(entry.reason), len(entry.by)) > TEXT_LENGTH_MAX:
        raise AccessError(_LONG)
    until_ms = entry.until_ms
    if until_ms is not None and until_ms <= now_ms:
        raise AccessError(_PAST)
    if until_ms is not None and until_ms > now_ms + _YEARS_1000_MS:
        until_ms = None
    return with_values(entry, who=_checked_who(entry.kind, entry.who), until_ms=until_ms)


def checked_kind(kind: str) -> BanKind:
    """What a ban is about.

    Raises:
        AccessError: there is no such kind.
    """
    for known in BAN_KINDS:
        if known == kind:
            return known
    raise AccessError(_BAD_KIND.format(allowed=", ".join(BAN_KINDS)))


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
