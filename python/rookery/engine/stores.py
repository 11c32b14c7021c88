"""What a node keeps itself about access: users, rules and bans, in one file of its data directory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rookery.access import DATABASE_FILE
from rookery.access.authz import RuleStore
from rookery.access.bans import BanService
from rookery.access.build import Entry, argon2_cost
from rookery.access.build import Stores as Shared
from rookery.access.database import Database
from rookery.access.passwords.verifier import Verifier
from rookery.access.users.service import UserService
from rookery.access.users.store import UserStore
from rookery.clock import Clock
from rookery.native.config import AclRule, Ban

ApplyBans = Callable[[Sequence[Ban]], None]


class NodeStores:
    """The open file and what is in it. Belongs to one event loop."""

    def __init__(
        self,
        data_dir: Path | None,
        clock: Clock,
        *,
        apply_bans: ApplyBans,
        providers: Sequence[Entry] = (),
        rules_max: int,
    ) -> None:
        """Open the file; without ``data_dir`` everything is gone with this object.

        Raises:
            StartError: the file cannot be used.
        """
        self._folder = TemporaryDirectory(prefix="rookery-") if data_dir is None else None
        folder = data_dir or Path(self._folder.name if self._folder else ".")
        self.database = Database(folder / DATABASE_FILE)
        self.user_store = UserStore(self.database)
        self.verifier = Verifier()
        cost = argon2_cost(providers)
        self.users = UserService(self.user_store, self.verifier.pool, clock, cost=cost)
        self.rules = RuleStore(self.database, rules_max=rules_max)
        self.bans = BanService(self.database, clock, apply_bans)
        self.shared = Shared(
            users=self.user_store, user_service=self.users, verifier=self.verifier, clock=clock
        )

    def close(self) -> None:
        """Finish what is under way. May be called twice."""
        self.verifier.close()
        self.database.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def read_tables(data_dir: Path, clock: Clock) -> tuple[tuple[Ban, ...], tuple[AclRule, ...]]:
    """Bans and rules as the last run left them, for a node that has no event loop yet.

    Raises:
        StartError: the file is there and cannot be used.
    """
    path = data_dir / DATABASE_FILE
    if not path.exists():
        return (), ()
    database = Database(path)

    async def read() -> tuple[tuple[Ban, ...], tuple[AclRule, ...]]:
        bans = await BanService(database, clock).active()
        source = await RuleStore(database).source()
        return tuple(ban.for_core() for ban in bans), source.rules

    try:
        return asyncio.run(read())
    finally:
        database.close()
