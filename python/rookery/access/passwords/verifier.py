"""Verifies passwords without holding up the event loop."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from rookery.access.guard import BusyError
from rookery.access.passwords.algorithms import Credential, verify
from rookery.access.passwords.kept import NotKeptError, forget, open_kept
from rookery.access.passwords.pool import HashPool
from rookery.access.passwords.verdicts import RIGHT_MAX, VerdictCache
from rookery.clock import Clock

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheSettings:
    """``access.password_cache``.

    Attributes:
        enable: Whether anything is remembered.
        size_max: Right passwords that are remembered.
        ttl_s: Seconds that one is remembered after it was hashed; None: always.
        over_restart: Whether they are known to the next run of this node, too.
    """

    enable: bool = True
    size_max: int = RIGHT_MAX
    ttl_s: float | None = None
    over_restart: bool = False


class Verifier:
    """Fast hashes at once, slow ones from memory or on the pool. One for the whole node."""

    def __init__(
        self,
        pool: HashPool | None = None,
        cache: VerdictCache | None = None,
        *,
        data_dir: Path | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Without ``data_dir`` nothing is known after a restart."""
        self.pool = pool or HashPool()
        self._cache = cache
        self._data_dir = data_dir
        self._clock = clock
        self._settings = CacheSettings()
        self.counters = {"passwords.hashed": 0, "passwords.remembered": 0, "passwords.busy": 0}

    def use(self, settings: CacheSettings) -> None:
        """Remember by these settings from now on; with other ones than before, begin anew."""
        if settings == self._settings:
            return
        self._settings = settings
        self._close_cache()
        if self._data_dir is not None and not (settings.enable and settings.over_restart):
            forget(self._data_dir)

    @property
    def cache(self) -> VerdictCache:
        """What is remembered; opened by the first who has a slow hash."""
        if self._cache is None:
            settings, kept = self._settings, None
            if settings.over_restart and self._data_dir is not None:
                try:
                    kept = open_kept(self._data_dir, settings.size_max)
                except NotKeptError as error:
                    _log.warning("passwords will not be known after a restart: %s", error)
            self._cache = VerdictCache(
                settings.size_max, ttl_s=settings.ttl_s, clock=self._clock, kept=kept
            )
        return self._cache

    async def verify(self, credential: Credential, password: bytes) -> bool:
        """Whether this is the password.

        Raises:
            BusyError: too many slow hashes are under way.
        """
        if not credential.settings.is_slow:
            return verify(credential, password)
        if not self._settings.enable:
            return await self._hash(credential, password)
        cache = self.cache
        key = cache.key(credential, password)
        known = cache.get(key)
        if known is not None:
            self.counters["passwords.remembered"] += 1
            return known
        is_right = await self._hash(credential, password)
        cache.put(key, is_right=is_right)
        return is_right

    async def _hash(self, credential: Credential, password: bytes) -> bool:
        try:
            is_right = await self.pool.run(verify, credential, password)
        except BusyError:
            self.counters["passwords.busy"] += 1
            raise
        self.counters["passwords.hashed"] += 1
        return is_right

    def _close_cache(self) -> None:
        if self._cache is not None:
            cache, self._cache = self._cache, None
            cache.close()

    def close(self) -> None:
        """May be called twice."""
        self.pool.close()
        self._close_cache()
