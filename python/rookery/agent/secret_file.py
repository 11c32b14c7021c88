"""Keeps secrets in a file that says nothing without the key, which lies in another.

The standard library has no cipher, but it has HMAC-SHA-256, a pseudo-random function, and with
one the textbook construction is short. Each write draws a nonce of 32 bytes and derives two keys
from the 32 random bytes of the key file (HKDF's second step):

    encryption     HMAC(key, "rookery-agent 1 encrypt" ‖ nonce)
    authentication HMAC(key, "rookery-agent 1 authenticate" ‖ nonce)

The text, padded so that its length tells little, is XORed with HMAC(encryption, counter) block by
block (counter mode), and HMAC(authentication, magic ‖ nonce ‖ ciphertext) follows it
(encrypt-then-MAC). Reading compares that in constant time before it looks at anything.

What it protects: a copy of one of the two files, in a backup or a support archive. Both are
readable by their owner only; who is root on this machine reads them.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from rookery.agent.failures import AgentError
from rookery.agent.places import write_whole
from rookery.agent.texts import say

MAGIC = b"RKAGENT1"
KEY_BYTES = 32
_NONCE_BYTES = 32
_TAG_BYTES = 32
_PADDED_TO = 256
_FILE_BYTES_MAX = 1 << 20
_OWNER_ONLY = 0o600


def seal(key: bytes, text: bytes) -> bytes:
    """Encrypt and authenticate."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    length = len(text).to_bytes(4, "big")
    padded = length + text + bytes(-(len(text) + 4) % _PADDED_TO)
    hidden = _mixed(_derived(key, b"encrypt", nonce), padded)
    head = MAGIC + nonce + hidden
    return head + _tag(key, nonce, head)


def unseal(key: bytes, data: bytes) -> bytes | None:
    """What was sealed, or None when that is not it, or not with this key."""
    if len(data) < len(MAGIC) + _NONCE_BYTES + 4 + _TAG_BYTES or not data.startswith(MAGIC):
        return None
    head, tag = data[:-_TAG_BYTES], data[-_TAG_BYTES:]
    nonce = head[len(MAGIC) : len(MAGIC) + _NONCE_BYTES]
    if not hmac.compare_digest(tag, _tag(key, nonce, head)):
        return None
    padded = _mixed(_derived(key, b"encrypt", nonce), head[len(MAGIC) + _NONCE_BYTES :])
    length = int.from_bytes(padded[:4], "big")
    return padded[4 : 4 + length]


def _derived(key: bytes, purpose: bytes, nonce: bytes) -> bytes:
    return hmac.new(key, b"rookery-agent 1 " + purpose + nonce, hashlib.sha256).digest()


def _tag(key: bytes, nonce: bytes, head: bytes) -> bytes:
    return hmac.new(_derived(key, b"authenticate", nonce), head, hashlib.sha256).digest()


def _mixed(key: bytes, data: bytes) -> bytes:
    mixed = bytearray()
    for counter, start in enumerate(range(0, len(data), 32)):
        block = hmac.new(key, counter.to_bytes(8, "big"), hashlib.sha256).digest()
        mixed.extend(a ^ b for a, b in zip(data[start : start + 32], block))
    return bytes(mixed)


class SecretFile:
    """Names and secrets of one agent."""

    def __init__(self, path: Path, key_path: Path) -> None:
        self._path = path
        self._key_path = key_path

    def read(self) -> dict[str, str]:
        """All of them; none before the first is written.

        Raises:
            AgentError: the files are readable by others, damaged, or do not belong together.
        """
        data = _read_private(self._path)
        if data is None:
            return {}
        key = _read_private(self._key_path)
        text = unseal(key, data) if key is not None and len(key) == KEY_BYTES else None
        if text is None:
            raise AgentError(say("secrets.damaged", file=self._path, key=self._key_path))
        found = json.loads(text)
        return {str(name): str(value) for name, value in found.items()}

    def write(self, values: Mapping[str, str]) -> None:
        """Replace them all.

        Raises:
            AgentError: the key is readable by others.
        """
        text = json.dumps(dict(values)).encode()
        write_whole(self._path, seal(self.key(), text), _OWNER_ONLY)

    def update(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """Change some, remove those that are None; all that is there then.

        One process at a time: the agent and a command may both have something to change.

        Raises:
            AgentError: as :meth:`read`.
        """
        lock = os.open(
            self._path.with_name("secrets.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = self.read()
            for name, value in changes.items():
                if value is None:
                    kept.pop(name, None)
                else:
                    kept[name] = value
            self.write(kept)
        finally:
            os.close(lock)
        return kept

    def key(self) -> bytes:
        """The key, made at first use.

        Raises:
            AgentError: it is readable by others, or damaged.
        """
        key = _read_private(self._key_path)
        if key is None:
            key = secrets.token_bytes(KEY_BYTES)
            write_whole(self._key_path, key, _OWNER_ONLY)
        if len(key) != KEY_BYTES:
            raise AgentError(say("secrets.damaged", file=self._path, key=self._key_path))
        return key


def _read_private(path: Path) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AgentError(say("file.unreadable", file=path, reason=error.strerror)) from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise AgentError(say("secrets.open", file=path))
        return file.read(_FILE_BYTES_MAX)
