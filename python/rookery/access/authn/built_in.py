"""``password_based:built_in_database``: users of this broker."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from rookery.access.guard import BusyError
from rookery.access.passwords.algorithms import HashSettings
from rookery.access.passwords.verifier import Verifier
from rookery.access.request import AuthRequest
from rookery.access.seldom import SeldomLog
from rookery.access.users.models import IdType
from rookery.access.users.service import UserService
from rookery.access.users.store import UserStore
from rookery.access.users.transfer import FileKind
from rookery.access.verdict import SERVER_BUSY, Admit, Ignore, Opinion, Refuse
from rookery.clock import Clock
from rookery.errors import UnavailableError

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInSettings:
    """``mechanism = password_based, backend = built_in_database``.

    Attributes:
        user_id_type: Which part of CONNECT names the user.
        password_hash_algorithm: How hashes in files that are brought along were made. What is
            stored anew is argon2id, or SHA-256 of a generated secret.
        bootstrap_file: Users to begin with: who is in the file and not in the store is added, at
            every start.
        bootstrap_type: Whether that file holds hashes or passwords.
    """

    user_id_type: IdType = "username"
    password_hash_algorithm: HashSettings = field(
        default_factory=lambda: HashSettings(name="sha256", salt_position="suffix")
    )
    bootstrap_file: Path | None = None
    bootstrap_type: FileKind = "plain"


class BuiltInProvider:
    """Looks users up in the store and verifies their passwords."""

    id = "password_based:built_in_database"
    methods: tuple[str, ...] = ()

    def __init__(
        self,
        settings: BuiltInSettings,
        store: UserStore,
        users: UserService,
        verifier: Verifier,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self._store = store
        self._log = SeldomLog(_logger, clock)
        self._users = users
        self._verifier = verifier

    async def start(self) -> None:
        settings = self.settings
        if settings.bootstrap_file is None:
            return
        imported = await self._users.bootstrap(
            settings.bootstrap_file,
            id_type=settings.user_id_type,
            kind=settings.bootstrap_type,
            settings=settings.password_hash_algorithm,
        )
        _logger.info(
            "users of %s: %d added, %d known already",
            settings.bootstrap_file,
            imported.added,
            imported.skipped,
        )

    async def stop(self) -> None:
        """The store and the pool belong to the node."""

    async def authenticate(self, request: AuthRequest) -> Opinion:
        id_type = self.settings.user_id_type
        user_id = request.username if id_type == "username" else request.client_id
        if not user_id:
            return Ignore(f"the client sent no {id_type}")
        try:
            user = await self._store.get(id_type, user_id)
        except UnavailableError as error:
            self._log.warning("users cannot be read: %s", error)
            return Ignore("the user store cannot be read")
        if user is None:
            return Ignore(f"no user of this {id_type}")
        if request.password is None:
            return Refuse(reason="no password")
        try:
            is_right = await self._verifier.verify(user.credential, request.password)
        except BusyError:
            return Refuse(SERVER_BUSY, "too many passwords are being verified")
        if not is_right:
            return Refuse(reason="wrong password")
        return Admit(is_superuser=user.is_superuser, reason=f"user {user_id}")
