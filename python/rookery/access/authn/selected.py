"""A password that a database of the operator has selected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.access import profile
from rookery.access.errors import SettingError
from rookery.access.passwords.algorithms import Credential, HashSettings, check
from rookery.access.passwords.verifier import Verifier
from rookery.access.seldom import SeldomLog
from rookery.access.verdict import Admit, Opinion, Refuse


class SelectedPasswords:
    """Verifies passwords that a database has.

    Args:
        settings: How their hashes were made.
        verifier: The node's one verifier.
    """

    def __init__(self, settings: HashSettings, verifier: Verifier) -> None:
        self._settings = settings
        self._verifier = verifier

    async def opinion_of(
        self, provider: str, record: Mapping[str, Any], password: bytes | None, log: SeldomLog
    ) -> Opinion:
        """Whether the password is the one that ``password_hash`` (or ``password``) was made of.

        Raises:
            BusyError: too many slow hashes are under way.
        """
        stored = _text(record.get("password_hash")) or _text(record.get("password"))
        if not stored:
            return Refuse(reason="nothing to compare the password with")
        if password is None:
            return Refuse(reason="no password")
        credential = Credential(
            settings=self._settings, password_hash=stored, salt=_text(record.get("salt")) or ""
        )
        try:
            check(credential)
        except SettingError as error:
            # What is wrong is in the database; the client is not to be let in for it.
            log.warning("%s: %s", provider, error)
            return Refuse(reason=str(error))
        if not await self._verifier.verify(credential, password):
            return Refuse(reason="wrong password")
        return Admit(is_superuser=profile.is_superuser(record), reason="the password is right")


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)
