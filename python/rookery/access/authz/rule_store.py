"""``type = built_in_database``: rules of users, of clients and of everybody, kept in the data directory.

They are given to the core as one source: a client's own rules come first, then those of its user,
then everybody's.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from rookery.access.database import Database, read_at_start
from rookery.access.errors import AccessError, ImportFileError, Words
from rookery.access.rules_json import rule_from_json, rule_to_json
from rookery.errors import ConflictError, NotFoundError
from rookery.native.config import AclRule, AclSource, AclWho

OwnerKind: TypeAlias = Literal["clientid", "username", "all"]

SOURCE_NAME = "built_in_database"
RULES_OF_ONE_MAX = 100
OWNERS_MAX = 1_000_000
_ORDER: tuple[OwnerKind, ...] = ("clientid", "username", "all")

_TOO_MANY = Words("more than {most} rules of one owner", "单个对象超过 {most} 条规则")
_NO_OWNER = Words("a name is missing", "缺少名称")
_RULE = Words("rule {number}: {reason}", "第 {number} 条规则：{reason}")


@dataclass(frozen=True, slots=True)
class RuleOwner:
    """Whose rules they are; ``name`` is empty for ``all``."""

    kind: OwnerKind
    name: str = ""


class RuleStore:
    """The rules, by their owners."""

    def __init__(self, database: Database, *, rules_max: int = RULES_OF_ONE_MAX) -> None:
        self._database = database
        self.rules_max = rules_max

    async def get(self, owner: RuleOwner) -> list[dict[str, Any]]:
        """The rules of one.

        Raises:
            NotFoundError: there are none.
        """

        def query(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "SELECT rules FROM acl_rules WHERE kind = ? AND who = ?", (owner.kind, owner.name)
            ).fetchone()
            return None if row is None else str(row[0])

        text = await self._database.read(query)
        if text is None:
            raise NotFoundError(f"there are no rules of {owner.kind} {owner.name!r}")
        rules: list[dict[str, Any]] = json.loads(text)
        return rules

    async def put(self, owner: RuleOwner, rules: Sequence[object]) -> None:
        """Replace the rules of one.

        Raises:
            AccessError: one of them is none, or they are too many.
        """
        await self.put_many([(owner, rules)])

    async def put_many(
        self, owned: Sequence[tuple[RuleOwner, Sequence[object]]], *, replace: bool = True
    ) -> None:
        """Give many their rules, all in one change.

        Raises:
            AccessError: one of them is none, or they are too many of one owner.
            ConflictError: somebody has rules already and ``replace`` is false.
        """
        rows = [(owner.kind, owner.name, self._text(owner, rules)) for owner, rules in owned]
        verb = "INSERT OR REPLACE" if replace else "INSERT"

        def change(connection: sqlite3.Connection) -> None:
            for row in rows:
                try:
                    connection.execute(
                        f"{verb} INTO acl_rules (kind, who, rules) VALUES (?, ?, ?)", row
                    )
                except sqlite3.IntegrityError:
                    raise ConflictError(f"there are rules of {row[0]} {row[1]!r}") from None

        await self._database.write(change)

    def _text(self, owner: RuleOwner, rules: Sequence[object]) -> str:
        if (owner.kind == "all") == bool(owner.name):
            raise AccessError(_NO_OWNER)
        if len(rules) > self.rules_max:
            raise AccessError(_TOO_MANY.format(most=self.rules_max))
        records = []
        for number, rule in enumerate(rules, start=1):
            try:
                records.append(rule_to_json(rule_from_json(rule)))
            except AccessError as error:
                words = error.words
                raise ImportFileError(
                    Words(
                        _RULE.en.format(number=number, reason=words.en),
                        _RULE.zh.format(number=number, reason=words.zh),
                    )
                ) from None
        return json.dumps(records, ensure_ascii=False, separators=(",", ":"))

    async def delete(self, owner: RuleOwner) -> None:
        """Remove the rules of one.

        Raises:
            NotFoundError: there are none.
        """

        def change(connection: sqlite3.Connection) -> int:
            return connection.execute(
                "DELETE FROM acl_rules WHERE kind = ? AND who = ?", (owner.kind, owner.name)
            ).rowcount

        if not await self._database.write(change):
            raise NotFoundError(f"there are no rules of {owner.kind} {owner.name!r}")

    async def clear(self) -> int:
        """Remove all; how many owners there were."""
        return await self._database.write(
            lambda connection: connection.execute("DELETE FROM acl_rules").rowcount
        )

    async def find(
        self,
        kind: OwnerKind,
        *,
        like: str = "",
        start: int = 0,
        limit: int = 100,
        is_descending: bool = False,
    ) -> tuple[list[tuple[RuleOwner, list[dict[str, Any]]]], int]:
        """A page of owners whose name holds ``like``, and how many there are on all pages."""
        direction = "DESC" if is_descending else "ASC"

        def query(
            connection: sqlite3.Connection,
        ) -> tuple[list[tuple[RuleOwner, list[dict[str, Any]]]], int]:
            (count,) = connection.execute(
                "SELECT count(*) FROM acl_rules WHERE kind = ? AND instr(who, ?) > 0", (kind, like)
            ).fetchone()
            rows = connection.execute(
                "SELECT who, rules FROM acl_rules WHERE kind = ? AND instr(who, ?) > 0 "  # noqa: S608
                f"ORDER BY who {direction} LIMIT ? OFFSET ?",
                (kind, like, limit, start),
            )
            return [(RuleOwner(kind, who), json.loads(rules)) for who, rules in rows], int(count)

        return await self._database.read(query)

    async def source(self, name: str = SOURCE_NAME) -> AclSource:
        """All rules in the order in which they are looked at, for the core."""
        return AclSource(name=name, rules=await self._database.read(_read))


def read_rules(path: Path) -> tuple[AclRule, ...]:
    """The rules of the file at ``path`` before an event loop runs; none without the file.

    Raises:
        StartError: it cannot be read.
    """
    return read_at_start(path, _read)


def _read(connection: sqlite3.Connection) -> tuple[AclRule, ...]:
    rules: list[AclRule] = []
    for kind in _ORDER:
        for who, text in connection.execute(
            "SELECT who, rules FROM acl_rules WHERE kind = ? ORDER BY who", (kind,)
        ):
            for record in json.loads(text):
                rules.append(_owned(rule_from_json(record), kind, who))
    return tuple(
        dataclasses.replace(rule, line=number) for number, rule in enumerate(rules, start=1)
    )


def _owned(rule: AclRule, kind: OwnerKind, name: str) -> AclRule:
    if kind == "all":
        return rule
    owner = AclWho(kind="clientid" if kind == "clientid" else "username", values=(name,))
    if rule.who == AclWho():
        return dataclasses.replace(rule, who=owner)
    return dataclasses.replace(rule, who=AclWho(kind="and", members=(owner, rule.who)))
