"""Applications: who may ask. They are the API keys of ``/api/v5``, by other names.

``app_id`` is what is sent as the user name of HTTP Basic, ``name`` the name of the API key. Secrets are
shown once, when an application is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.broker.admins.models import ApiKey
from rookery.broker.rest_v3.answers import BAD_PARAMETER, UNKNOWN_ERROR, RefusedError
from rookery.broker.rest_v3.asking import Ask, Operation, flag, text
from rookery.clock import LATEST_MS
from rookery.types import Secret

NAME_MAX = 256
DESC_MAX = 500
_HIDDEN = "******"
_APP = {
    "app_id": "billing", "name": "billing", "desc": "the billing service", "status": True,
    "expired": None,
}  # fmt: skip


def _row(key: ApiKey) -> dict[str, Any]:
    return {
        "app_id": key.key,
        "name": key.name,
        "desc": key.description,
        "status": key.enable,
        "expired": None if key.expired_at_ms is None else key.expired_at_ms // 1000,
    }


async def _listed(ask: Ask) -> list[dict[str, Any]]:
    return [_row(key) for key in ask.node.services.admins.keys.all()]


async def _one(ask: Ask) -> Any:
    key = ask.node.services.admins.keys.of_key(ask.path["app_id"])
    # EMQX answers with an empty list where there is none.
    return [] if key is None else _row(key) | {"secret": _HIDDEN}


async def _create(ask: Ask) -> dict[str, Any]:
    members = ask.members
    app_id = text(members, "app_id")
    name = text(members, "name", default=app_id)
    secret = text(members, "secret", default="")
    if not app_id:
        raise RefusedError(BAD_PARAMETER, "app_id is empty")
    if not name or len(name) > NAME_MAX or not name.isprintable():
        raise RefusedError(BAD_PARAMETER, f"name is 1 to {NAME_MAX} printable characters")
    made = await ask.node.services.admins.keys.create(
        name,
        key=app_id,
        secret=Secret(secret) if secret else None,
        description=_desc(members),
        enable=flag(members, "status", default=True),
        expired_at_ms=_expired_ms(members),
    )
    return {"secret": made.secret.reveal()}


async def _update(ask: Ask) -> None:
    members, key = ask.members, _known(ask)
    if text(members, "name", default=key.name) != key.name:
        raise RefusedError(BAD_PARAMETER, "an application keeps its name")
    changes: dict[str, Any] = {}
    if "desc" in members:
        changes["description"] = _desc(members)
    if "status" in members:
        changes["enable"] = flag(members, "status", default=True)
    if "expired" in members:
        changes["expired_at_ms"] = _expired_ms(members)
    await ask.node.services.admins.keys.update(key.name, **changes)


async def _delete(ask: Ask) -> None:
    await ask.node.services.admins.keys.delete(_known(ask).name)


def _known(ask: Ask) -> ApiKey:
    key = ask.node.services.admins.keys.of_key(ask.path["app_id"])
    if key is None:
        raise RefusedError(UNKNOWN_ERROR, "not_found")
    return key


def _desc(members: Mapping[str, Any]) -> str:
    desc = text(members, "desc", default="")
    if len(desc) > DESC_MAX:
        raise RefusedError(BAD_PARAMETER, f"desc has at most {DESC_MAX} characters")
    return desc


def _expired_ms(members: Mapping[str, Any]) -> int | None:
    value = members.get("expired")
    if value in (None, "undefined", "infinity"):
        return None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and 0 <= value * 1000 <= LATEST_MS:
        return int(value) * 1000
    if is_number:
        raise RefusedError(BAD_PARAMETER, "expired lies too far away")
    raise RefusedError(BAD_PARAMETER, "expired is a number of seconds since 1970")


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET", path="/apps", handle=_listed, name="list_apps",
        summary="The applications, without secrets.", data=[_APP],
    ),
    Operation(
        method="GET", path="/apps/{app_id}", handle=_one, name="lookup_app",
        summary="An application; an empty list where there is none.",
        data=_APP | {"secret": _HIDDEN},
    ),
    Operation(
        method="POST", path="/apps", handle=_create, name="add_app",
        summary="Make an application. Its secret is made up unless one of at least 16 characters "
        "is given; it cannot be had again.",
        body={"app_id": "billing", "name": "billing", "desc": "the billing service",
              "status": True},
        data={"secret": "gRG7oqbpn9BsCEpgMg9CMDRjMQ3dlYE1"},
    ),
    Operation(
        method="PUT", path="/apps/{app_id}", handle=_update, name="update_app",
        summary="Change an application; what is left out stays.",
        body={"desc": "the old billing service", "status": False},
    ),
    Operation(
        method="DELETE", path="/apps/{app_id}", handle=_delete, name="del_app",
        summary="Remove an application; it is refused from then on.",
    ),
)  # fmt: skip
