"""Bans in the store, and the complete list of them in the core after every change.

**Bound.** At most :data:`BANS_MAX`. Those that are over leave the store when the list is read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from rookery.access.bans.models import KINDS, BanEntry
from rookery.access.database import Database
from rookery.access.errors import AccessError, Words
from rookery.clock import Clock
from rookery.errors import ExceedsLimitError, NotFoundError, StartError
from rookery.native.config import Ban, BanKind

BANS_MAX = 100_000
WHO_LENGTH_MAX = 65_535
PATTERN_LENGTH_MAX = 4096
REASON_LENGTH_MAX = 1024

_COLUMNS = 'kind, who, "by", reason, at_ms, until_ms'
_BAD_KIND = Words("as is one of {kinds}", "as 应为以下之一：{kinds}")
_BAD_WHO = Words("who has 1 to {longest} characters", "who 应为 1 到 {longest} 个字符")
_BAD_ADDRESS = Words("{who} is no address", "{who} 不是地址")
_BAD_NETWORK = Words("{who} is no network such as 10.0.0.0/8", "{who} 不是网段，如 10.0.0.0/8")
_BAD_REGEX = Words("{who} is no regular expression: {reason}", "{who} 不是正则表达式：{reason}")
_PAST = Words("until is in the past", "until 已过期")
_BAD_REASON = Words("reason has at most 1024 characters", "reason 最多 1024 个字符")

Apply = Callable[[Sequence[Ban]], None]


class BanService:
    """What can be done about bans. :meth:`open` names who is told the list."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._apply: Apply | None = None
        # Of two interleaved changes the older list could be applied last.
        self._changing = asyncio.Lock()

    def open(self, apply: Apply) -> None:
        """``apply`` gets the complete list after every change, on a thread."""
        self._apply = apply

    async def list(self) -> list[BanEntry]:
        """Every ban that holds, the latest first."""
        now_ms = self._clock.now_ms()
        return await self._database.read(lambda connection: _read(connection, now_ms))

    async def create(
        self,
        kind: str,
        who: str,
        *,
        by: str = "",
        reason: str = "",
        until_ms: int | None = None,
    ) -> BanEntry:
        """Keep somebody out; whoever it fits is disconnected. A ban that is there is replaced.

        Raises:
            AccessError: it makes no sense.
            ExceedsLimitError: there are too many.
            ConfigError: the core cannot use it.
        """
        now_ms = self._clock.now_ms()
        checked_kind = _kind(kind)
        entry = BanEntry(
            kind=checked_kind,
            who=_who(checked_kind, who),
            by=by[:REASON_LENGTH_MAX],
            reason=reason,
            at_ms=now_ms,
            until_ms=until_ms,
        )
        if len(reason) > REASON_LENGTH_MAX:
            raise AccessError(_BAD_REASON)
        if until_ms is not None and until_ms <= now_ms:
            raise AccessError(_PAST)

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM bans WHERE until_ms <= ?", (now_ms,))
            (count,) = connection.execute("SELECT count(*) FROM bans").fetchone()
            if count >= BANS_MAX:
                raise ExceedsLimitError(f"at most {BANS_MAX} bans")
            connection.execute(
                f"INSERT OR REPLACE INTO bans ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608
                (entry.kind, entry.who, entry.by, entry.reason, entry.at_ms, entry.until_ms),
            )
            # Inside the transaction: what the core refuses is not kept.
            self._push(_read(connection, now_ms))

        async with self._changing:
            await self._database.write(change)
        return entry

    async def delete(self, kind: str, who: str) -> None:
        """Lift a ban.

        Raises:
            NotFoundError: there is none.
        """
        now_ms = self._clock.now_ms()

        def change(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "DELETE FROM bans WHERE kind = ? AND who = ?", (kind, who)
            )
            self._push(_read(connection, now_ms))
            return cursor.rowcount > 0

        async with self._changing:
            if not await self._database.write(change):
                raise NotFoundError(f"{kind} {who!r} is not banned")

    async def clear(self) -> int:
        """Lift every ban; how many there were."""

        def change(connection: sqlite3.Connection) -> int:
            count = connection.execute("DELETE FROM bans").rowcount
            self._push([])
            return count

        async with self._changing:
            return await self._database.write(change)

    def _push(self, entries: Sequence[BanEntry]) -> None:
        if self._apply is not None:
            self._apply([entry.to_native() for entry in entries])


def read_bans(path: Path, now_ms: int) -> tuple[Ban, ...]:
    """The bans of the file at ``path`` before an event loop runs; none without the file.

    Raises:
        StartError: it cannot be read.
    """
    if not path.exists():
        return ()
    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return tuple(entry.to_native() for entry in _read(connection, now_ms))
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StartError(f"{path}: {error}") from error


def _read(connection: sqlite3.Connection, now_ms: int) -> list[BanEntry]:
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM bans WHERE until_ms IS NULL OR until_ms > ?"  # noqa: S608
        " ORDER BY at_ms DESC, kind, who",
        (now_ms,),
    )
    return [
        BanEntry(kind=kind, who=who, by=by, reason=reason, at_ms=at_ms, until_ms=until_ms)
        for kind, who, by, reason, at_ms, until_ms in rows
    ]


def _kind(kind: str) -> BanKind:
    for known in KINDS:
        if known == kind:
            return known
    raise AccessError(_BAD_KIND.format(kinds=", ".join(KINDS)))


def _who(kind: BanKind, who: str) -> str:
    longest = PATTERN_LENGTH_MAX if kind.endswith("_re") else WHO_LENGTH_MAX
    if not 0 < len(who) <= longest or "\0" in who:
        raise AccessError(_BAD_WHO.format(longest=longest))
    if kind == "peerhost":
        try:
            return str(ipaddress.ip_address(who))
        except ValueError:
            raise AccessError(_BAD_ADDRESS.format(who=who)) from None
    if kind == "peerhost_net":
        try:
            return str(ipaddress.ip_network(who, strict=False))
        except ValueError:
            raise AccessError(_BAD_NETWORK.format(who=who)) from None
    if kind.endswith("_re"):
        try:
            re.compile(who)
        except re.error as error:
            raise AccessError(_BAD_REGEX.format(who=who, reason=error)) from None
    return who
