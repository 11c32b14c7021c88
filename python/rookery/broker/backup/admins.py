"""Users of the dashboard and API keys as parts of an export."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, get_args

from rookery.access.passwords.algorithms import (
    Credential,
    algorithm_names,
    settings_from_json,
    settings_to_json,
)
from rookery.broker.admins import AdminService
from rookery.broker.admins.models import Admin, ApiKey, KeyRole, UserRole
from rookery.broker.backup.parts import Each, OpenRows, Row, number_in, text_in
from rookery.errors import BadRequestError


class AdminsPart:
    """Users of the dashboard, with the hashes of their passwords."""

    name = "admins"

    def __init__(self, admins: AdminService) -> None:
        self._admins = admins

    def read(self) -> Iterable[Row]:
        for admin in self._admins.stored():
            yield {
                "username": admin.username,
                "role": admin.role,
                "description": admin.description,
                "created_at_ms": admin.created_at_ms,
                **_credential_row(admin.credential),
            }

    async def restore(self, rows: OpenRows) -> None:
        found: list[Admin] = await asyncio.to_thread(lambda: list(Each(rows, _admin)))
        await self._admins.restore(found)


class ApiKeysPart:
    """API keys, with the hashes of their secrets."""

    name = "api_keys"

    def __init__(self, admins: AdminService) -> None:
        self._admins = admins

    def read(self) -> Iterable[Row]:
        for key in self._admins.keys.all():
            yield {
                "name": key.name,
                "api_key": key.key,
                "role": key.role,
                "description": key.description,
                "enable": key.enable,
                "expired_at_ms": key.expired_at_ms,
                "created_at_ms": key.created_at_ms,
                **_credential_row(key.credential),
            }

    async def restore(self, rows: OpenRows) -> None:
        found: list[ApiKey] = await asyncio.to_thread(lambda: list(Each(rows, _api_key)))
        await self._admins.keys.restore(found)


def _credential_row(credential: Credential) -> Row:
    return {
        "settings": settings_to_json(credential.settings),
        "password_hash": credential.password_hash,
        "salt": credential.salt,
    }


def credential_in(row: Row) -> Credential:
    """The hash of a password or secret.

    Raises:
        BadRequestError: it is none that can be verified.
    """
    settings = row.get("settings")
    if not isinstance(settings, dict) or settings.get("name") not in algorithm_names():
        raise BadRequestError("settings name no way of hashing that is known")
    return Credential(
        settings=settings_from_json(settings),
        password_hash=text_in(row, "password_hash"),
        salt=text_in(row, "salt"),
    )


def _admin(row: Row) -> Admin:
    return Admin(
        username=text_in(row, "username"),
        role=_role(row, get_args(UserRole)),
        description=text_in(row, "description"),
        credential=credential_in(row),
        created_at_ms=number_in(row, "created_at_ms"),
    )


def _api_key(row: Row) -> ApiKey:
    expired = row.get("expired_at_ms")
    return ApiKey(
        name=text_in(row, "name"),
        key=text_in(row, "api_key"),
        credential=credential_in(row),
        role=_role(row, get_args(KeyRole)),
        description=text_in(row, "description"),
        enable=row.get("enable") is True,
        expired_at_ms=None if expired is None else number_in(row, "expired_at_ms"),
        created_at_ms=number_in(row, "created_at_ms"),
    )


def _role(row: Row, roles: tuple[Any, ...]) -> Any:
    for role in roles:
        if row.get("role") == role:
            return role
    raise BadRequestError(f"role is one of {', '.join(roles)}")
