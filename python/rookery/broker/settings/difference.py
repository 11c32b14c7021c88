"""What differs between two configurations, and what of it can hold without a restart."""

from __future__ import annotations

from typing import Any

from rookery.config import Config
from rookery.config.schema.along import fields_along
from rookery.config.secrets import HIDDEN
from rookery.config.tree import split_path

# Whatever is below these is applied as a whole, by those who own it.
WHOLE = frozenset({"listeners", "authentication", "authorization"})


def changed_paths(old: Config, new: Config) -> list[str]:
    """Every key whose value is another one, or that comes or goes."""
    before = {path: value for path, value, _ in old.settings()}
    after = {path: value for path, value, _ in new.settings()}
    return [
        path
        for path in [*after, *(path for path in before if path not in after)]
        if before.get(path) != after.get(path)
        or (path in before) != (path in after)
        or (_hides(after[path]) and _real(old, path) != _real(new, path))
    ]


def _hides(shown: Any) -> bool:
    """Whether a secret is part of a value: shown, one looks like another."""
    if isinstance(shown, dict):
        return any(_hides(child) for child in shown.values())
    if isinstance(shown, list):
        return any(_hides(child) for child in shown)
    return isinstance(shown, str) and HIDDEN in shown


def _real(config: Config, path: str) -> Any:
    try:
        return config[path]
    except KeyError:
        return None  # accepted without effect: what was written is not kept


def is_hot(path: str) -> bool:
    """Whether a change of this key takes effect while the node runs."""
    keys = split_path(path)
    return keys[0] in WHOLE or any(field.hot for field in fields_along(keys))
