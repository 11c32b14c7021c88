"""Users of this broker, by the provider that looks them up.

``password_based:built_in_database`` has users with password hashes, ``scram:built_in_database`` users
with the keys of SCRAM. Users can be prepared before their provider is configured: they are then its.
"""

from __future__ import annotations

from typing import Any, Protocol

from rookery.access.passwords.algorithms import HashSettings, new_secret
from rookery.access.scram.keys import ITERATIONS_MIN
from rookery.access.users import IdType, UserService, Wanted
from rookery.access.users.models import ScramAlgorithm
from rookery.access.users.store import Imported
from rookery.access.users.transfer import FileFormat, FileKind
from rookery.broker.audit import AuditLog
from rookery.broker.settings import NodeSettings
from rookery.engine.access import ConfiguredAccess
from rookery.errors import BadRequestError, NotFoundError
from rookery.types import Secret

BUILT_IN = "password_based:built_in_database"
SCRAM = "scram:built_in_database"

Row = dict[str, Any]


class Kind(Protocol):
    """Users of one provider, without the words around them."""

    async def find(self, wanted: Wanted) -> tuple[list[Row], int]: ...
    async def get(self, user_id: str) -> Row: ...
    async def create(
        self, user_id: str, password: Secret | None, *, is_superuser: bool
    ) -> Secret | None: ...
    async def update(
        self, user_id: str, password: Secret | None, *, is_superuser: bool | None
    ) -> None: ...
    async def renew(self, user_id: str) -> Secret: ...
    async def delete(self, user_id: str) -> None: ...


class PasswordUsers:
    """Users with password hashes."""

    def __init__(self, users: UserService, id_type: IdType) -> None:
        self._users = users
        self._id_type = id_type

    async def find(self, wanted: Wanted) -> tuple[list[Row], int]:
        found, count = await self._users.find(self._id_type, wanted)
        return [_row(user.user_id, user.is_superuser) for user in found], count

    async def get(self, user_id: str) -> Row:
        user = await self._users.get(self._id_type, user_id)
        return _row(user.user_id, user.is_superuser)

    async def create(
        self, user_id: str, password: Secret | None, *, is_superuser: bool
    ) -> Secret | None:
        return await self._users.create(self._id_type, user_id, password, is_superuser=is_superuser)

    async def update(
        self, user_id: str, password: Secret | None, *, is_superuser: bool | None
    ) -> None:
        await self._users.update(
            self._id_type, user_id, password=password, is_superuser=is_superuser
        )

    async def renew(self, user_id: str) -> Secret:
        return await self._users.renew_secret(self._id_type, user_id)

    async def delete(self, user_id: str) -> None:
        await self._users.delete(self._id_type, user_id)


class ScramUsers:
    """Users of enhanced authentication, of one hash function."""

    def __init__(self, users: UserService, algorithm: ScramAlgorithm, iterations: int) -> None:
        self._users = users
        self._algorithm: ScramAlgorithm = algorithm
        self._iterations = iterations

    async def find(self, wanted: Wanted) -> tuple[list[Row], int]:
        found, count = await self._users.find_scram(self._algorithm, wanted)
        return [_row(user.user_id, user.is_superuser) for user in found], count

    async def get(self, user_id: str) -> Row:
        user = await self._users.get_scram(self._algorithm, user_id)
        return _row(user.user_id, user.is_superuser)

    async def create(
        self, user_id: str, password: Secret | None, *, is_superuser: bool
    ) -> Secret | None:
        made = new_secret() if password is None else None
        await self._users.create_scram(
            self._algorithm,
            user_id,
            made or password or Secret(""),
            iterations=self._iterations,
            is_superuser=is_superuser,
        )
        return made

    async def update(
        self, user_id: str, password: Secret | None, *, is_superuser: bool | None
    ) -> None:
        await self._users.update_scram(
            self._algorithm,
            user_id,
            password=password,
            iterations=self._iterations,
            is_superuser=is_superuser,
        )

    async def renew(self, user_id: str) -> Secret:
        made = new_secret()
        await self.update(user_id, made, is_superuser=None)
        return made

    async def delete(self, user_id: str) -> None:
        await self._users.delete_scram(self._algorithm, user_id)


class ProviderUsers:
    """What can be done about the users of a provider, by the provider's id."""

    def __init__(self, access: ConfiguredAccess, settings: NodeSettings, audit: AuditLog) -> None:
        self._access = access
        self._settings = settings
        self._audit = audit

    async def find(self, provider: str, wanted: Wanted) -> tuple[list[Row], int]:
        """A page of users and how many fit in all.

        Raises:
            NotFoundError: the provider has no users here.
        """
        return await self._of(provider).find(wanted)

    async def get(self, provider: str, user_id: str) -> Row:
        """One user.

        Raises:
            NotFoundError: there is none of that name.
        """
        return await self._of(provider).get(user_id)

    async def create(
        self, provider: str, user_id: str, password: Secret | None, *, is_superuser: bool
    ) -> Row:
        """Add a user. Without a password one is made, which is in the answer this once.

        Raises:
            AccessError: the name or the password cannot be one.
            ConflictError: there is a user of that name.
        """
        made = await self._of(provider).create(user_id, password, is_superuser=is_superuser)
        row = _row(user_id, is_superuser)
        self._audit.record("create", f"users/{user_id}", after=row)
        return row if made is None else {**row, "password": made.reveal()}

    async def update(
        self,
        provider: str,
        user_id: str,
        password: Secret | None,
        *,
        is_superuser: bool | None,
        generate: bool = False,
    ) -> Row:
        """Change the password, the flag, or both; ``generate`` makes a password.

        Raises:
            AccessError: the password cannot be one.
            NotFoundError: there is none of that name.
        """
        kind = self._of(provider)
        before = await kind.get(user_id)
        made = await kind.renew(user_id) if generate else None
        if made is None or is_superuser is not None:
            given = None if made is not None else password
            await kind.update(user_id, given, is_superuser=is_superuser)
        row = await kind.get(user_id)
        after = {**row, "password_changed": made is not None or password is not None}
        self._audit.record("update", f"users/{user_id}", before=before, after=after)
        return row if made is None else {**row, "password": made.reveal()}

    async def delete(self, provider: str, user_id: str) -> None:
        """Remove a user.

        Raises:
            NotFoundError: there is none of that name.
        """
        await self._of(provider).delete(user_id)
        self._audit.record("delete", f"users/{user_id}", before={"user_id": user_id})

    async def import_users(
        self, provider: str, content: bytes, *, kind: FileKind, format_: FileFormat
    ) -> Imported:
        """Every user of a file, or none.

        Raises:
            ImportFileError: what is wrong with the file.
        """
        self._only_passwords(provider)
        imported = await self._access.stores.users.import_users(
            content,
            id_type=self._id_type(),
            format_=format_,
            kind=kind,
            settings=self._hashing(),
        )
        self._audit.record("import", "users", after=imported._asdict())
        return imported

    async def export_users(self, provider: str, format_: FileFormat) -> str:
        """Every user with its hash, as an import takes them."""
        self._only_passwords(provider)
        text = await self._access.stores.users.export_users(self._id_type(), format_)
        self._audit.record("export", "users")
        return text

    def _of(self, provider: str) -> Kind:
        users = self._access.stores.users
        if provider == BUILT_IN:
            return PasswordUsers(users, self._id_type())
        if provider == SCRAM:
            said = self._provider(SCRAM)
            algorithm: ScramAlgorithm = "sha512" if said.get("algorithm") == "sha512" else "sha256"
            return ScramUsers(users, algorithm, said.get("iteration_count", ITERATIONS_MIN))
        raise NotFoundError(f"users are kept by {BUILT_IN} and {SCRAM} alone")

    def _only_passwords(self, provider: str) -> None:
        self._of(provider)
        if provider != BUILT_IN:
            raise BadRequestError(f"files hold users of {BUILT_IN} alone")

    def _id_type(self) -> IdType:
        return (
            "clientid" if self._provider(BUILT_IN).get("user_id_type") == "clientid" else "username"
        )

    def _provider(self, provider: str) -> Row:
        for entry in self._settings.config["authentication"]:
            if (entry["mechanism"], entry.get("backend")) == tuple(provider.split(":")):
                found: Row = entry
                return found
        return {}

    def _hashing(self) -> HashSettings:
        """How hashes in a file were made that does not say so itself."""
        said = self._provider(BUILT_IN).get("password_hash_algorithm", {"name": "argon2id"})
        if said["name"] == "argon2id":
            return HashSettings(name="sha256", salt_position="suffix")
        known = ("name", "salt_position", "mac_fun", "iterations", "dk_length")
        return HashSettings(**{key: said[key] for key in known if said.get(key) is not None})


def _row(user_id: str, is_superuser: bool) -> Row:
    return {"user_id": user_id, "is_superuser": is_superuser}
