"""API keys: made, changed, verified. A secret is shown once, when it is made.

Secrets are generated with 192 random bits, so that one salted SHA-256 is as good as a slow hash.
Those of a bootstrap file are the operator's: one that is shorter than
:data:`BOOTSTRAP_SECRET_MIN` is refused.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from rookery.access.passwords.algorithms import new_secret, store_secret, verify
from rookery.broker.admins.bootstrap import BOOTSTRAP_SECRET_MIN, KEY_PATTERN, read_keys
from rookery.broker.admins.models import ApiKey, KeyRole
from rookery.broker.admins.store import AdminStore
from rookery.broker.audit import AuditLog
from rookery.clock import Clock
from rookery.errors import BadRequestError, ExceedsLimitError, NotFoundError
from rookery.types import Secret

_log = logging.getLogger("rookery.admins")

KEYS_MAX = 1000
KEY_BYTES = 8
BOOTSTRAPPED = "from_bootstrap_file_"


class Made(NamedTuple):
    """A key, and its secret this once."""

    key: ApiKey
    secret: Secret


class ApiKeys:
    """All keys of the node, in memory and in the store."""

    def __init__(
        self, store: AdminStore, clock: Clock, audit: AuditLog, ended: Callable[[str], None]
    ) -> None:
        """``ended`` is called with the name of a key that does not work any more."""
        self._store = store
        self._clock = clock
        self._audit = audit
        self._ended = ended
        self._by_name: dict[str, ApiKey] = {}
        self._by_key: dict[str, ApiKey] = {}
        self._nobody = store_secret(new_secret())
        self._changing = asyncio.Lock()

    async def open(self, bootstrap_file: Path | None) -> None:
        """Read them; those of the bootstrap file win over what is stored."""
        for key in await self._store.api_keys():
            self._keep(key)
        if bootstrap_file is None:
            return
        for line in await asyncio.to_thread(read_keys, bootstrap_file):
            await self._put_bootstrapped(line.key, line.secret, line.role)

    def all(self) -> list[ApiKey]:
        """By name."""
        return sorted(self._by_name.values(), key=lambda key: key.name)

    def get(self, name: str) -> ApiKey:
        """One of them.

        Raises:
            NotFoundError: there is none of that name.
        """
        if name not in self._by_name:
            raise NotFoundError(f"no API key {name}")
        return self._by_name[name]

    def usable(self, name: str) -> ApiKey | None:
        """The key of that name, if it works now."""
        key = self._by_name.get(name)
        return key if key is not None and self._works(key) else None

    def verify(self, key: str, secret: str) -> ApiKey | None:
        """The key that these are, if it works now. Takes microseconds."""
        found = self._by_key.get(key)
        # A key that does not exist takes as long to refuse as one that does.
        credential = found.credential if found is not None else self._nobody
        is_right = verify(credential, secret.encode("utf-8", "surrogatepass"))
        return found if found is not None and is_right and self._works(found) else None

    def of_key(self, key: str) -> ApiKey | None:
        """The one whose key that is, whether it works or not."""
        return self._by_key.get(key)

    async def create(
        self,
        name: str,
        *,
        key: str = "",
        secret: Secret | None = None,
        role: KeyRole = "administrator",
        description: str = "",
        enable: bool = True,
        expired_at_ms: int | None = None,
    ) -> Made:
        """Make a key with a secret; what is not chosen is made up.

        Raises:
            BadRequestError: there is one of that name, or what was chosen will not do.
            ExceedsLimitError: there are too many.
        """
        if key and not KEY_PATTERN.fullmatch(key):
            raise BadRequestError("a key is 1 to 256 printable characters without blank and colon")
        if secret is not None and len(secret.reveal()) < BOOTSTRAP_SECRET_MIN:
            raise BadRequestError(f"a secret has at least {BOOTSTRAP_SECRET_MIN} characters")
        secret = secret if secret is not None else new_secret()
        async with self._changing:
            if name in self._by_name:
                raise BadRequestError(f"the API key {name} exists already", code="ALREADY_EXISTS")
            if key in self._by_key:
                raise BadRequestError(f"the key {key} exists already", code="ALREADY_EXISTS")
            if len(self._by_name) >= KEYS_MAX:
                raise ExceedsLimitError(f"there are {KEYS_MAX} API keys already")
            made = ApiKey(
                name=name,
                key=key or secrets.token_hex(KEY_BYTES),
                credential=store_secret(secret),
                role=role,
                description=description,
                enable=enable,
                expired_at_ms=expired_at_ms,
                created_at_ms=self._clock.now_ms(),
            )
            await self._put(made)
        self._audit.record("create", f"api_key/{name}", after=_shown(made))
        return Made(made, secret)

    async def update(self, name: str, **changes: Any) -> ApiKey:
        """Change role, description, enable or expired_at_ms.

        Raises:
            NotFoundError: there is none of that name.
        """
        async with self._changing:
            before = self.get(name)
            after = replace(before, **changes)
            await self._put(after)
        if after.role != before.role or not self._works(after):
            self._ended(name)
        self._audit.record("update", f"api_key/{name}", before=_shown(before), after=_shown(after))
        return after

    async def delete(self, name: str) -> None:
        """Remove a key; who signed in by its codes is signed out.

        Raises:
            NotFoundError: there is none of that name.
        """
        async with self._changing:
            before = self.get(name)
            await self._store.delete_api_key(before)
            del self._by_name[name]
            del self._by_key[before.key]
        self._ended(name)
        self._audit.record("delete", f"api_key/{name}", before=_shown(before))

    async def restore(self, keys: Sequence[ApiKey]) -> None:
        """Add or replace keys, all or none; one of another name that has the same key goes.

        Raises:
            ExceedsLimitError: there would be too many.
        """
        async with self._changing:
            names, taken = {key.name for key in keys}, {key.key for key in keys}
            gone = [key for key in self._by_name.values() if key.name in names or key.key in taken]
            if len(self._by_name) - len(gone) + len(keys) > KEYS_MAX:
                raise ExceedsLimitError(f"there would be more than {KEYS_MAX} API keys")
            await self._store.put_many((), keys)
            for key in gone:
                del self._by_name[key.name]
                del self._by_key[key.key]
            for key in keys:
                self._keep(key)
        secrets = {(key.name, key.key, key.credential, key.role) for key in keys if key.enable}
        for key in gone:
            if (key.name, key.key, key.credential, key.role) not in secrets:
                self._ended(key.name)

    async def read_again(self) -> None:
        """Another node changed some."""
        found = await self._store.api_keys()
        before, self._by_name, self._by_key = self._by_name, {}, {}
        for key in found:
            self._keep(key)
        for name, key in before.items():
            now = self._by_name.get(name)
            is_same = now is not None and (now.credential, now.role) == (key.credential, key.role)
            if now is None or not is_same or not self._works(now):
                self._ended(name)

    async def _put_bootstrapped(self, key: str, secret: Secret, role: KeyRole) -> None:
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        stored = self._by_key.get(key)
        if stored is not None and _is_as_given(stored, secret, role):
            return  # so a start writes nothing: the disk may be full
        made = ApiKey(
            name=stored.name if stored is not None else BOOTSTRAPPED + digest,
            key=key,
            credential=store_secret(secret),
            role=role,
            description="from the bootstrap file",
            enable=True,
            expired_at_ms=None,
            created_at_ms=stored.created_at_ms if stored is not None else self._clock.now_ms(),
        )
        if stored is None and len(self._by_name) >= KEYS_MAX:
            _log.error("the bootstrap file has more than %d API keys", KEYS_MAX)
            return
        await self._put(made)

    async def _put(self, key: ApiKey) -> None:
        await self._store.put_api_key(key, self._by_name.get(key.name))
        self._keep(key)

    def _keep(self, key: ApiKey) -> None:
        self._by_name[key.name] = key
        self._by_key[key.key] = key

    def _works(self, key: ApiKey) -> bool:
        return key.enable and not key.is_expired(self._clock.now_ms())


def _is_as_given(key: ApiKey, secret: Secret, role: KeyRole) -> bool:
    is_plain = key.enable and key.expired_at_ms is None and key.role == role
    return is_plain and verify(key.credential, secret.reveal().encode())


def _shown(key: ApiKey) -> dict[str, Any]:
    return {
        "api_key": key.key,
        "role": key.role,
        "desc": key.description,
        "enable": key.enable,
        "expired_at_ms": key.expired_at_ms,
    }
