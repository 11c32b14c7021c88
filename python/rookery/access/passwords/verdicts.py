"""Remembers which password fitted which stored hash, so that a client that comes back is cheap.

What is remembered is an HMAC with a key that only this node has, over hash, salt and password:
a changed password is another entry, and what is in memory is of no use without the key.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections import OrderedDict

from rookery.access.passwords.algorithms import Credential
from rookery.access.passwords.kept import KEY_BYTES, KeptVerdicts
from rookery.clock import Clock, SystemClock

_log = logging.getLogger(__name__)

RIGHT_MAX = 100_000
WRONG_MAX = 2_000


class VerdictCache:
    """Right and wrong answers, the least recently used forgotten first.

    They are kept apart, so that guesses do not drive out those who know their password. Only right
    ones outlive the process, in ``kept``.
    """

    def __init__(
        self,
        right_max: int = RIGHT_MAX,
        wrong_max: int = WRONG_MAX,
        *,
        ttl_s: float | None = None,
        clock: Clock | None = None,
        kept: KeptVerdicts | None = None,
    ) -> None:
        """``ttl_s`` is how long an answer holds after its hash was computed; None: always."""
        self._key = kept.key if kept is not None else secrets.token_bytes(KEY_BYTES)
        self._kept = kept
        self._ttl_s = ttl_s
        self._clock = clock or SystemClock()
        self._maxima = {True: right_max, False: wrong_max}
        self._known: dict[bool, OrderedDict[bytes, float]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }
        if kept is not None:
            self._known[True].update(kept.entries)
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
            at_s = known.get(key)
            if at_s is None:
                continue
            if self._is_over(at_s):
                del known[key]
                break
            known.move_to_end(key)
            self.hits += 1
            return verdict
        self.misses += 1
        return None

    def _is_over(self, at_s: float) -> bool:
        return self._ttl_s is not None and not 0 <= self._clock.monotonic_s() - at_s < self._ttl_s

    def put(self, key: bytes, *, is_right: bool) -> None:
        known, at_s = self._known[is_right], self._clock.monotonic_s()
        known[key] = at_s
        known.move_to_end(key)
        while len(known) > self._maxima[is_right]:
            known.popitem(last=False)
        if is_right and self._kept is not None:
            try:
                self._kept.add(key, at_s)
            except OSError as error:
                _log.warning("passwords will not be known after a restart: %s", error.strerror)
                self._let_go()

    def clear(self) -> None:
        for known in self._known.values():
            known.clear()

    def close(self) -> None:
        """Let the next process have what is kept. May be called twice."""
        self._let_go()

    def _let_go(self) -> None:
        if self._kept is not None:
            kept, self._kept = self._kept, None
            kept.close()
