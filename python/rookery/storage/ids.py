"""Ids of what a database holds."""

from __future__ import annotations

import secrets


def new_id() -> str:
    """Sixteen hexadecimal digits that nobody can guess and that say nothing."""
    return secrets.token_hex(8)
