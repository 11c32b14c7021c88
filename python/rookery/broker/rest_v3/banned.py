"""Who is kept out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.access.bans import BanEntry, WantedBans
from rookery.broker.rest_v3.answers import BAD_PARAMETER, UNKNOWN_ERROR, Paged, RefusedError
from rookery.broker.rest_v3.asking import Ask, Operation, text
from rookery.clock import LATEST_MS
from rookery.errors import NotFoundError

# EMQX 3's words for what EMQX 4 and 5 call otherwise.
_KINDS: Mapping[str, str] = {"client_id": "clientid", "ip_address": "peerhost"}
_SHOWN: Mapping[str, str] = {ours: theirs for theirs, ours in _KINDS.items()}
_BAN = {
    "as": "client_id", "who": "sensor-1", "reason": "sends nonsense", "by": "admin", "desc": "",
    "at": 1769846400, "until": None,
}  # fmt: skip


def _row(entry: BanEntry) -> dict[str, Any]:
    return {
        "as": _SHOWN.get(entry.kind, entry.kind),
        "who": entry.who,
        "reason": entry.reason,
        "by": entry.by,
        "desc": "",
        "at": entry.at_ms // 1000,
        "until": None if entry.until_ms is None else entry.until_ms // 1000,
    }


async def _listed(ask: Ask) -> Paged:
    page, limit = ask.page()
    bans = ask.node.services.access.access.stores.bans
    found, count = await bans.find(WantedBans(start=(page - 1) * limit, limit=limit))
    return Paged([_row(entry) for entry in found], page, limit, count)


async def _create(ask: Ask) -> dict[str, Any]:
    members = ask.members
    kind = text(members, "as")
    reason = text(members, "reason", default="") or text(members, "desc", default="")
    entry = await ask.node.services.access.access.stores.bans.create(
        _KINDS.get(kind, kind),
        text(members, "who"),
        by=text(members, "by", default=""),
        reason=reason,
        at_ms=_time_ms(members, "at"),
        until_ms=_time_ms(members, "until"),
    )
    row = _row(entry)
    ask.node.services.audit.record("create", f"banned/{entry.kind}/{entry.who}", after=row)
    return row


async def _delete(ask: Ask) -> None:
    said = ask.body if isinstance(ask.body, dict) else {}
    kind = ask.path.get("as") or text({**said, **ask.query}, "as")
    kind, who = _KINDS.get(kind, kind), ask.path["who"]
    try:
        entry = await ask.node.services.access.access.stores.bans.delete(kind, who)
    except NotFoundError:
        raise RefusedError(UNKNOWN_ERROR, "not_found") from None
    ask.node.services.audit.record("delete", f"banned/{kind}/{who}", before=_row(entry))


def _time_ms(members: Mapping[str, Any], name: str) -> int | None:
    value = members.get(name)
    if value in (None, "undefined", "infinity"):
        return None
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if is_number and 0 <= value * 1000 <= LATEST_MS:
        return int(value) * 1000
    if is_number:
        raise RefusedError(BAD_PARAMETER, f"{name} lies too far away")
    raise RefusedError(BAD_PARAMETER, f"{name} is a number of seconds since 1970")


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET", path="/banned", handle=_listed, name="list_banned",
        summary="Everybody who is kept out, the latest first.", is_paged=True, data=[_BAN],
    ),
    Operation(
        method="POST", path="/banned", handle=_create, name="create_banned",
        summary="Keep somebody out; whoever it fits is disconnected. `as` is `client_id`, "
        "`username` or `ip_address`, or EMQX 4's and 5's words for them.",
        body={"as": "client_id", "who": "sensor-1", "reason": "sends nonsense", "by": "admin"},
        data=_BAN,
    ),
    Operation(
        method="DELETE", path="/banned/{who}", handle=_delete, name="delete_banned",
        summary="Let somebody in again; `as` stands in the query or in the body.",
        query={"as": "What `who` is."},
    ),
    Operation(
        method="DELETE", path="/banned/{as}/{who}", handle=_delete, name="delete_banned_as",
        summary="Let somebody in again.",
    ),
)  # fmt: skip
