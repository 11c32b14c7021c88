"""What a node keeps about access itself, before an event loop runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rookery.access import DATABASE_FILE
from rookery.access.authz import RuleStore
from rookery.access.bans import read_bans
from rookery.access.database import Database
from rookery.clock import Clock
from rookery.native.config import AclRule, Ban


def read_tables(data_dir: Path, clock: Clock) -> tuple[tuple[Ban, ...], tuple[AclRule, ...]]:
    """Bans and rules of the built-in database as the last run left them.

    Raises:
        StartError: the file is there and cannot be used.
    """
    path = data_dir / DATABASE_FILE
    bans = read_bans(path, clock.now_ms())
    if not path.exists():
        return bans, ()
    database = Database(path)
    try:
        return bans, asyncio.run(RuleStore(database).source()).rules
    finally:
        database.close()
