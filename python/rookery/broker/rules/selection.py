"""What a rule selects from, remembered by its SQL."""

from __future__ import annotations

from functools import lru_cache

from rookery.config.schema.integration import RULES_MAX
from rookery.native.rules import compile_rule


@lru_cache(maxsize=2 * RULES_MAX)
def selected_from(sql: str) -> tuple[str, ...]:
    """What stands behind FROM: topic filters, events, sources, as they are written there.

    Raises:
        BadRequestError: it is no rule.
    """
    info = compile_rule(sql)
    return (*info.filters, *info.events, *(_written(source, sql) for source in info.sources))


def _written(source: str, sql: str) -> str:
    now = f"$sources/{source}"
    # As a whole, with its quotes: one name may be the beginning of another.
    is_now = f'"{now}"' in sql or f"'{now}'" in sql
    return now if is_now else f"$bridges/{source}"


@lru_cache(maxsize=2 * RULES_MAX)
def sources_of(sql: str) -> tuple[str, ...]:
    """Ids of the sources that a rule selects from."""
    return tuple(compile_rule(sql).sources)
