"""Applies what the configuration says about connectors and rules, in the order in which they need
each other.
"""

from __future__ import annotations

import asyncio

from rookery.broker.connectors.definitions import KINDS, is_configured
from rookery.broker.connectors.running import Running
from rookery.broker.rules.service import RuleService
from rookery.config import Config
from rookery.errors import RookeryError


class DataIntegration:
    """The part of the node that connectors, actions, sources and rules are."""

    def __init__(self, running: Running, rules: RuleService) -> None:
        self._running = running
        self._rules = rules

    async def open(self, config: Config) -> None:
        """Begin with what is configured; clients that are let in afterwards find all rules there.

        Raises:
            RookeryError: a setting cannot be used.
        """
        await self._check(config)
        await self._running.apply(config)
        await self._put(config)

    async def drain(self, grace_s: float) -> None:
        """Let actions send what waits, for at most that time."""
        await self._running.drain(grace_s)

    async def send_rest(self, grace_s: float) -> None:
        """Let actions send what waits, for at most that time; what is left is logged, and lost."""
        await self._running.send_rest(grace_s)

    async def close(self) -> None:
        """Stop. May be called twice."""
        await self._rules.close()
        await self._running.close()

    async def apply(self, old: Config, new: Config) -> None:
        """Make ``new`` hold.

        Raises:
            RookeryError: it cannot; ``old`` holds.
        """
        if all(old[kind] == new[kind] for kind in (*KINDS, "rule_engine")):
            return
        await self._check(new)
        try:
            # Rules name actions until they are replaced, so that those go last.
            await self._running.apply(new, with_actions_of=old)
            await self._put(new)
        except RookeryError:
            await self._running.apply(old)
            await self._put(old)
            raise
        await self._running.apply(new)

    async def _put(self, config: Config) -> None:
        await self._rules.put(config, self._running.fields_of)
        self._running.rules_are_put()

    async def _check(self, config: Config) -> None:
        if is_configured(config):
            from rookery.connectors.checking import check  # noqa: PLC0415

            # The packages of their types take a moment to load.
            await asyncio.to_thread(check, config)
