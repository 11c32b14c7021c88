"""What a node keeps about access itself, before an event loop runs."""

from __future__ import annotations

from pathlib import Path

from rookery.access import DATABASE_FILE
from rookery.access.authz.rule_store import read_rules
from rookery.access.bans import read_bans
from rookery.clock import Clock
from rookery.native.config import AclRule, Ban


def read_tables(data_dir: Path, clock: Clock) -> tuple[tuple[Ban, ...], tuple[AclRule, ...]]:
    """Bans and rules of the built-in database as the last run left them.

    Raises:
        StartError: the file is there and cannot be used.
    """
    path = data_dir / DATABASE_FILE
    return read_bans(path, clock.now_ms()), read_rules(path)
