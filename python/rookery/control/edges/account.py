"""The account that edge services make themselves known with, and whether anybody may.

A fresh control plane takes in whoever knows the default account of the documents; pages warn until its password
was changed or enrolment closed. Who has a name already needs neither.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from rookery.clock import Clock
from rookery.contracts.agent_edge import DEFAULT_PASSWORD, DEFAULT_USERNAME
from rookery.control.audit.service import AuditTrail
from rookery.control.caller import Access
from rookery.control.edges import texts
from rookery.control.errors import InvalidError
from rookery.control.settings import store
from rookery.control.settings.names import EDGE_ENROLMENT
from rookery.control.tenancy.permissions import Resource
from rookery.control.vault import Vault
from rookery.storage.database import Database

PURPOSE = "edge enrolment"
LENGTH_MAX = 256


@dataclass(frozen=True, slots=True)
class Account:
    """As it is set.

    Attributes:
        is_open: Whether somebody new may come.
    """

    is_open: bool = True
    username: str = DEFAULT_USERNAME
    password: str = field(default=DEFAULT_PASSWORD, repr=False)

    @property
    def is_default(self) -> bool:
        """Whether everybody knows the password."""
        return self.password == DEFAULT_PASSWORD

    def is_right(self, username: str, password: bytes) -> bool:
        """Whether that is the account; takes as long either way."""
        is_name = hmac.compare_digest(username.encode(), self.username.encode())
        return hmac.compare_digest(password, self.password.encode()) and is_name


class Accounts:
    """Reads and changes it."""

    def __init__(self, database: Database, clock: Clock, audit: AuditTrail, vault: Vault) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._vault = vault

    async def get(self) -> Account:
        """As it is now.

        Raises:
            OutOfReachError: this process cannot read secrets.
        """
        async with self._database.read() as session:
            return await self._read(session)

    async def change(
        self, access: Access, *, is_open: bool, username: str, password: str | None
    ) -> None:
        """Set it; without a password that one stays. Edge services that have a name keep it.

        Raises:
            InvalidError: it cannot be so.
        """
        for text in (username, username if password is None else password):
            if not 1 <= len(text) <= LENGTH_MAX or not text.isprintable():
                raise InvalidError(texts.BAD_ACCOUNT, most=LENGTH_MAX)
        async with self._database.write() as session:
            before = await self._read(session)
            after = Account(is_open, username, before.password if password is None else password)
            kept: dict[str, Any] = {"isOpen": is_open, "username": username}
            if not after.is_default:
                kept["sealed"] = self._vault.seal(after.password, PURPOSE)
            await store.put(session, EDGE_ENROLMENT, kept, self._clock.now_ms())
            self._audit.record(
                session,
                access,
                Resource.SETTINGS,
                "update",
                object_id=EDGE_ENROLMENT,
                object_name=EDGE_ENROLMENT,
                before=_told(before),
                after=_told(after) | {"isAnotherWord": after.password != before.password},
            )

    async def _read(self, session: AsyncSession) -> Account:
        kept = await store.value_of(session, EDGE_ENROLMENT)
        if kept is None:
            return Account()
        sealed = kept.get("sealed")
        password = DEFAULT_PASSWORD if sealed is None else self._vault.unseal(sealed, PURPOSE)
        return Account(bool(kept["isOpen"]), str(kept["username"]), password)


def _told(account: Account) -> dict[str, Any]:
    # By no name that hides a value: whether everybody knows it is what an auditor asks.
    return {
        "isOpen": account.is_open,
        "username": account.username,
        "isDefault": account.is_default,
    }
