"""Remembers which password fitted which stored hash, so that a client that comes back is cheap.

What is remembered is an HMAC with a key that only this process has, over hash, salt and password:
a changed password is another entry, and what is in memory is of no use without the key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import OrderedDict

from rookery.access.passwords.algorithms import Credential

RIGHT_MAX = 20_000
WRONG_MAX = 2_000


class VerdictCache:
    """Right and wrong answers, the least recently used forgotten first.

    They are kept apart, so that guesses do not drive out those who know their password.
    """

    def __init__(self, right_max: int = RIGHT_MAX, wrong_max: int = WRONG_MAX) -> None:
        self._key = secrets.token_bytes(32)
        self._maxima = {True: right_max, False: wrong_max}
        self._known: dict[bool, OrderedDict[bytes, None]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }
        self.hits = 0
        self.misses = 0

    def __len__(self) -> int:
        return sum(len(known) for known in self._known.values())

    def key(self, credential: Credential, password: bytes) -> bytes:
        """What this pair is remembered by."""
        mac = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in (credential.password_hash.encode(), credential.salt.encode(), password):
            mac.update(len(part).to_bytes(4, "big"))
            mac.update(part)
        mac.update(repr(credential.settings).encode())
        return mac.digest()

    def get(self, key: bytes) -> bool | None:
        for verdict, known in self._known.items():
            if key in known:
                known.move_to_end(key)
                self.hits += 1
                return verdict
        self.misses += 1
        return None

    def put(self, key: bytes, *, is_right: bool) -> None:
        known = self._known[is_right]
        known[key] = None
        known.move_to_end(key)
        while len(known) > self._maxima[is_right]:
            known.popitem(last=False)

    def clear(self) -> None:
        for known in self._known.values():
            known.clear()
