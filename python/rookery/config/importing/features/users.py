"""Users of the built-in database: ``auth.user.*``, ``auth.client.*``, ``auth.mnesia.*``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft, Part
from rookery.config.importing.features.gathered import Gathered
from rookery.config.importing.hashes import algorithm
from rookery.config.importing.model import Entry, Outcome, Setting, Words

PLUGINS = {
    "user": "emqx_auth_username",
    "client": "emqx_auth_clientid",
    "mnesia": "emqx_auth_mnesia",
}
IN_FILE = Words(
    "stands in the file of users, and is hashed when the node reads it first",
    "写入用户文件，节点首次读取时进行散列",
)
ONE_KIND = Words(
    "the built-in database knows users by user name or by client identifier, not by both:"
    " those with user names are kept",
    "内置数据库只能按用户名或 Client ID 之一识别用户，此处保留按用户名的用户",
)
ONLY_NEW = Words(
    "for hashes that are brought along; new passwords are hashed with argon2id. Users made at run"
    " time are exported from EMQX and imported with `rookery ctl users import`",
    "用于迁入的散列；新密码使用 argon2id。EMQX 运行时添加的用户需从 EMQX 导出，再用"
    " `rookery ctl users import` 导入",
)
NO_PASSWORD = Words("a user without password", "用户缺少密码")


def users(gathered: Sequence[Gathered], draft: Draft) -> None:
    """One provider, and its users."""
    if not gathered:
        return
    hashes: list[Setting] = []
    kind = ""
    rows: dict[tuple[str, str], dict[str, Setting]] = {}
    for setting, names in gathered:
        plugin, rest = setting.key.split(".", 2)[1:]
        if rest == "password_hash":
            hashes.append(setting)
        elif rest == "as":
            kind = setting.value
            draft.leave(setting, Outcome.TAKEN)
        else:
            rows.setdefault((plugin, names["$n"]), {})[rest.rpartition(".")[2]] = setting
    by_name = [row for row in rows.values() if "username" in row or "login" in row]
    by_client = [row for row in rows.values() if "clientid" in row]
    if kind != "clientid" and by_name:
        kept, left, kind = by_name, by_client, "username"
    elif by_client:
        kept, left, kind = by_client, by_name, "clientid"
    else:
        kept, left = by_name, []
        only_clients = all(item.setting.key.startswith("auth.client.") for item in gathered)
        kind = kind or ("clientid" if only_clients else "username")
    for row in (*left, *(row for row in rows.values() if row not in kept and row not in left)):
        for setting in row.values():
            draft.leave(setting, Outcome.UNSUPPORTED, ONE_KIND if row in left else NO_PASSWORD)
    entries = _write(kept, draft)
    value: dict[str, Any] = {
        "mechanism": "password_based",
        "backend": "built_in_database",
        "user_id_type": kind,
    }
    if hashes:
        value["password_hash_algorithm"] = _salted(algorithm(hashes[0].value))
        entries += draft.merge(hashes, ONLY_NEW)
        entries[-1].value = hashes[0].value
    plugin = gathered[0].setting.key.split(".")[1]
    draft.providers.append(Part(PLUGINS[plugin], value, entries))


def _salted(hashing: dict[str, Any]) -> dict[str, Any]:
    """The old database put a salt of its own before every password."""
    if hashing.get("salt_position") == "disable" and hashing["name"] != "plain":
        return {**hashing, "salt_position": "prefix"}
    return hashing


def _write(rows: Sequence[dict[str, Setting]], draft: Draft) -> list[Entry]:
    entries: list[Entry] = []
    for row in rows:
        name = row.get("username") or row.get("login") or row.get("clientid")
        password = row.get("password")
        if name is None or password is None:
            for setting in row.values():
                draft.leave(setting, Outcome.UNSUPPORTED, NO_PASSWORD)
            continue
        superuser = row.get("is_superuser")
        draft.users.append(
            {
                "user_id": name.value,
                "password": password.value,
                "is_superuser": superuser is not None and to.flag(superuser),
            }
        )
        entries += draft.merge(row.values(), IN_FILE)
    return entries
