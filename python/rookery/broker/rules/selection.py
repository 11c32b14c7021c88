"""What a rule selects from, remembered by its SQL."""

from __future__ import annotations

from functools import lru_cache

from rookery.config.schema.integration import RULES_MAX
from rookery.native.rules import compile_rule


@lru_cache(maxsize=2 * RULES_MAX)
def selected_from(sql: str) -> tuple[str, ...]:
    """What stands behind FROM: topic filters, events, sources.

    Raises:
        BadRequestError: it is no rule.
    """
    info = compile_rule(sql)
    return (*info.filters, *info.events, *info.sources)


@lru_cache(maxsize=2 * RULES_MAX)
def sources_of(sql: str) -> tuple[str, ...]:
    """Ids of the sources that a rule selects from."""
    return tuple(compile_rule(sql).sources)


def matches(name: str, topic_filter: str) -> bool:
    """Whether ``topic_filter`` takes what ``name`` names, wildcards in it being plain words."""
    if name.startswith("$") and topic_filter[:1] in ("#", "+"):
        return False
    levels = iter(name.split("/"))
    for wanted in topic_filter.split("/"):
        if wanted == "#":
            return True
        have = next(levels, None)
        if have is None or wanted not in ("+", have):
            return False
    return next(levels, None) is None
