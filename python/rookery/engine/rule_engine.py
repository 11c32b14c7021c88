"""Rules of a broker inside a Python program."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from rookery.native.node import Node

if TYPE_CHECKING:
    from rookery.native.rules import RuleCounters, RuleSpec

_Ask = Callable[..., Coroutine[Any, Any, Any]]
"""Calls the node on a thread that may wait for it."""


class Rules:
    """The rules of a running broker, replaced as a whole."""

    def __init__(self, node: Node, ask: _Ask) -> None:
        self._node = node
        self._ask = ask

    async def put(self, *rules: RuleSpec, ignore_sys_message: bool = True) -> None:
        """Replace all rules; every thread that serves clients has them when this returns.

        Raises:
            BadRuleError: a rule cannot be used, or names an action that is not open; then nothing
                changes.
        """
        put = partial(self._node.put_rules, ignore_sys_message=ignore_sys_message)
        await self._ask(put, rules)

    async def counters(self) -> dict[str, RuleCounters]:
        """What each rule counted, by its id."""
        found: dict[str, RuleCounters] = await self._ask(self._node.rule_counters)
        return found

    async def reset(self, rule_id: str) -> None:
        """Let a rule count from zero again.

        Raises:
            NotFoundError: there is no such rule.
        """
        await self._ask(self._node.reset_rule_counters, rule_id)

    async def ingest(self, source_id: str, columns: Mapping[str, object]) -> int:
        """Give rules what a source (``type:name``) brought in; how many had a result.

        Raises:
            BadRequestError: sources have no such column.
        """
        taken: int = await self._ask(self._node.rule_ingest, source_id, columns)
        return taken

    async def event(self, name: str, columns: Mapping[str, object]) -> int:
        """Tell rules of an event outside the core; how many had a result.

        Raises:
            BadRequestError: there is no such event or column.
        """
        told: int = await self._ask(self._node.rule_event, name, columns)
        return told
