"""Regular expressions as the core searches them: in time that grows with the text alone."""

from __future__ import annotations

import json
from typing import Any

from rookery import _native

_AROUND: tuple[int, list[tuple[int, int]], list[tuple[str, str]], bool] = (0, [], [], False)
_MATCH = 'SELECT regex_match(payload.text, payload.pattern) as value FROM "t"'
_EXTRACT = 'SELECT regex_extract(payload.text, payload.pattern) as value FROM "t"'
_REPLACE = 'SELECT regex_replace(payload.text, payload.pattern, payload.by) as value FROM "t"'


def why_no_regex(text: str) -> str | None:
    """Why ``text`` is no regular expression of rules and bans; none when it is one."""
    return _native.check_regex(text)


def is_found(pattern: str, text: str) -> bool:
    """Whether it is anywhere in ``text``.

    Raises:
        ValueError: it is no regular expression, or too large.
    """
    return bool(_asked(_MATCH, text=text, pattern=pattern))


def groups_of(pattern: str, text: str) -> list[str]:
    """What its groups took where it is first found, or all that it took if it has none; empty if it
    is not found.

    Raises:
        ValueError: it is no regular expression, or too large.
    """
    for wanted in (pattern, f"({pattern})"):
        found = _asked(_EXTRACT, text=text, pattern=wanted)
        if found:
            return [str(group) for group in found]
    return []


def replaced(pattern: str, text: str, by: str) -> str:
    r"""``text`` with ``by`` in every place where it is found; ``\1`` is the first group.

    Raises:
        ValueError: it is no regular expression, or too large.
    """
    return str(_asked(_REPLACE, text=text, pattern=pattern, by=by))


def _asked(sql: str, **values: str) -> Any:
    """What a rule makes of it: theirs are the expressions that are searched in linear time."""
    context = json.dumps(
        {"event_type": "message_publish", "topic": "t", "payload": json.dumps(values)}
    )
    try:
        rows = _native.try_rule(sql, context, 0, _AROUND)
    except _native.NativeError as error:
        raise ValueError(str(error.args[-1])) from None
    return json.loads(rows[0])["value"] if rows else None
