"""What a node keeps itself about access: users, rules, bans; one file, opened once."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from rookery.access import DATABASE_FILE
from rookery.access.authz.rule_store import RuleStore
from rookery.access.bans import BanService
from rookery.access.database import Database
from rookery.access.database_replica import DatabaseReplica, Table
from rookery.access.passwords.verifier import Verifier
from rookery.access.users.service import UserService
from rookery.access.users.store import UserStore
from rookery.clock import Clock
from rookery.storage.replica import Changed

_REPLICATED = (
    Table("users", ("id_type", "user_id")),
    Table("scram_users", ("algorithm", "user_id")),
    Table("acl_rules", ("kind", "who")),
    Table("bans", ("kind", "who"), ends="until_ms"),
)


class Stores:
    """Open from the start to :meth:`close`.

    Attributes:
        users: What can be done about users.
        user_store: Where providers look them up.
        rules: Rules of the built-in database.
        bans: Who is kept out.
        verifier: Verifies passwords, with the node's one pool for slow hashes.
    """

    def __init__(self, data_dir: Path | None, clock: Clock) -> None:
        """Open the file in ``data_dir``; without one everything is gone with this object.

        Raises:
            StartError: the file cannot be used.
        """
        self._folder = TemporaryDirectory(prefix="rookery-") if data_dir is None else None
        folder = data_dir if self._folder is None else Path(self._folder.name)
        assert folder is not None
        self.database = Database(folder / DATABASE_FILE)
        self.user_store = UserStore(self.database)
        self.verifier = Verifier(data_dir=data_dir, clock=clock)
        self.users = UserService(self.user_store, self.verifier.pool, clock)
        self.rules = RuleStore(self.database)
        self.bans = BanService(self.database, clock)

    def replica(self, changed: Changed) -> DatabaseReplica:
        """The file, as all nodes of a cluster have it."""
        return DatabaseReplica("access", self.database, _REPLICATED, changed)

    def close(self) -> None:
        """May be called twice."""
        self.verifier.close()
        self.database.close()
        if self._folder is not None:
            self._folder.cleanup()
