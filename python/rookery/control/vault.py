"""Encrypts the secrets that the database keeps and that have to be read again: passwords of other servers.

The key is a file of the data directory, readable by its owner alone; the database, and a copy of it, says
nothing without. Processes that share a database share the key: its fingerprint is in the database, and a
process with another one, or none, says so and leaves secrets alone.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rookery.clock import Clock
from rookery.control.errors import OutOfReachError, Text
from rookery.control.settings import store
from rookery.control.settings.names import VAULT
from rookery.errors import StartError
from rookery.storage.database import Database

_log = logging.getLogger("rookery.control")

FILE = "secrets.key"
KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = "1"

NO_KEY = Text(
    "this process cannot read secrets: copy {file} from the process that made it",
    "本进程无法读取密文：请从生成密钥的进程复制 {file}",
)
OTHER_KEY = Text(
    "this secret was kept with a key that is lost: enter it again",
    "该密文使用的密钥已丢失，请重新填写",
)


class Vault:
    """Seals texts, each for one purpose: what was sealed for one does not open for another."""

    def __init__(self, database: Database, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._clock = clock
        self.file = data_dir / FILE
        self._key = b""

    async def open(self) -> None:
        """Read the key, or make the first one.

        Raises:
            StartError: the file cannot be used.
        """
        key = self._read()
        async with self._database.write() as session:
            await self._database.alone(session, VAULT)
            known = (await store.value_of(session, VAULT) or {}).get("key")
            if not key and (known is None or self._database.is_sqlite):
                if known is not None:
                    _log.warning("%s is gone: secrets have to be entered again", self.file)
                key = self._make()
            if known is None or (self._database.is_sqlite and key and known != _name(key)):
                known = _name(key)
                await store.put(session, VAULT, {"key": known}, self._clock.now_ms())
        if not key or known != _name(key):
            _log.warning("%s", NO_KEY.en.format(file=self.file))
            return
        self._key = key

    async def close(self) -> None:
        """Forget the key."""
        self._key = b""

    def seal(self, text: str, purpose: str) -> str:
        """What may be kept.

        Raises:
            OutOfReachError: this process has no key.
        """
        nonce = secrets.token_bytes(_NONCE_BYTES)
        hidden = AESGCM(self._own_key()).encrypt(nonce, text.encode(), purpose.encode())
        return ":".join((_FORMAT, _name(self._key), base64.b64encode(nonce + hidden).decode()))

    def unseal(self, sealed: str, purpose: str) -> str:
        """What was sealed for that purpose.

        Raises:
            OutOfReachError: this process has no key, or not the one of it.
        """
        key = self._own_key()
        form, _, rest = sealed.partition(":")
        name, _, data = rest.partition(":")
        if form == _FORMAT and name == _name(key):
            try:
                raw = base64.b64decode(data)
                opened = AESGCM(key).decrypt(
                    raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], purpose.encode()
                )
            except (InvalidTag, ValueError):
                raise OutOfReachError(OTHER_KEY) from None
            return opened.decode()
        raise OutOfReachError(OTHER_KEY)

    def _own_key(self) -> bytes:
        if not self._key:
            raise OutOfReachError(NO_KEY, file=self.file)
        return self._key

    def _read(self) -> bytes:
        try:
            key = self.file.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise StartError(f"{self.file}: {error.strerror}") from error
        if len(key) != KEY_BYTES:
            raise StartError(f"{self.file} is no key: it has {len(key)} bytes, not {KEY_BYTES}")
        return key

    def _make(self) -> bytes:
        key = secrets.token_bytes(KEY_BYTES)
        fresh = self.file.with_name(FILE + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            with os.fdopen(os.open(fresh, flags, 0o600), "wb") as stream:
                stream.write(key)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self.file)
        except OSError as error:
            raise StartError(f"{self.file}: {error.strerror}") from error
        return key


def _name(key: bytes) -> str:
    """Tells keys apart and says nothing of them."""
    return hashlib.sha256(b"rookery secrets.key " + key).hexdigest()[:16]
