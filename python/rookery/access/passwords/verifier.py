"""Verifies passwords without holding up the event loop."""

from __future__ import annotations

from rookery.access.passwords.algorithms import Credential, verify
from rookery.access.passwords.pool import HashPool
from rookery.access.passwords.verdicts import VerdictCache


class Verifier:
    """Fast hashes at once, slow ones from memory or on the pool. One for the whole node."""

    def __init__(self, pool: HashPool | None = None, cache: VerdictCache | None = None) -> None:
        self.pool = pool or HashPool()
        self.cache = cache or VerdictCache()

    async def verify(self, credential: Credential, password: bytes) -> bool:
        """Whether this is the password.

        Raises:
            BusyError: too many slow hashes are under way.
        """
        if not credential.settings.is_slow:
            return verify(credential, password)
        key = self.cache.key(credential, password)
        known = self.cache.get(key)
        if known is not None:
            return known
        is_right = await self.pool.run(verify, credential, password)
        self.cache.put(key, is_right=is_right)
        return is_right

    def close(self) -> None:
        self.pool.close()
