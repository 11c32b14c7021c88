"""``auth.redis.*``: users and rules in Redis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft, Part
from rookery.config.importing.features.gathered import Gathered, Lines
from rookery.config.importing.features.http import tls_options
from rookery.config.importing.hashes import algorithm
from rookery.config.importing.model import Outcome, Setting, UnsupportedError, Words
from rookery.config.importing.tables import notes

PLUGIN = "emqx_auth_redis"
FIELDS = Words(
    "fields are found by name: password_hash or password, salt, is_superuser",
    "按字段名取值：password_hash 或 password、salt、is_superuser",
)
WITH_USER = Words("became part of cmd", "并入 cmd")
OTHER_KEY = Words(
    "is_superuser must lie beside the password: one command reads both",
    "is_superuser 须与密码位于同一键，由一条命令读取",
)
RULES = Words(
    "values are the words publish, subscribe, all; 1, 2 and 3 were subscribe, publish and both",
    "取值为 publish、subscribe、all；原 1、2、3 分别为订阅、发布、两者",
)
KINDS = ("single", "sentinel", "cluster")


def redis(gathered: Sequence[Gathered], draft: Draft) -> None:
    """One provider and one source."""
    lines = Lines(gathered, "auth.redis.")
    if not lines:
        return
    common = _connection(lines)
    entries = draft.merge(lines.used)
    try:
        hashed = lines.text("password_hash")
        hashing = {"password_hash_algorithm": algorithm(hashed)} if hashed else {}
    except UnsupportedError as error:
        for setting in (*lines.used, *lines.rest()):
            draft.leave(setting, Outcome.UNSUPPORTED, error.words)
        return
    command = lines.get("auth_cmd")
    if command is not None and command.value:
        superuser = lines.get("super_cmd")
        text, is_merged = user_command(command.value, superuser.value if superuser else "")
        own = draft.merge([command], FIELDS)
        own[0].value = text
        if superuser is not None and is_merged:
            own += draft.merge([superuser], WITH_USER)
        elif superuser is not None:
            draft.leave(superuser, Outcome.UNSUPPORTED, OTHER_KEY)
        own += draft.merge(_of(lines, "password_hash"))
        provider = {
            "mechanism": "password_based",
            "backend": "redis",
            **common,
            **hashing,
            "cmd": text,
        }
        draft.providers.append(Part(PLUGIN, provider, [*entries, *own]))
    rules = lines.get("acl_cmd")
    if rules is not None and rules.value:
        text = to.template(rules)
        own = draft.merge([rules], RULES)
        own[0].value = text
        draft.sources.append(Part(PLUGIN, {"type": "redis", **common, "cmd": text}, own))
    for setting in lines.rest():
        draft.leave(setting, Outcome.NOT_NEEDED, notes.ALWAYS if setting.value else None)


def _of(lines: Lines, name: str) -> list[Setting]:
    setting = lines.get(name)
    return [] if setting is None else [setting]


def _connection(lines: Lines) -> dict[str, Any]:
    kind = lines.text("type") or "single"
    servers = lines.text("server") or "127.0.0.1:6379"
    servers = f"127.0.0.1:{servers}" if servers.isdigit() else servers
    value: dict[str, Any] = {"redis_type": kind}
    value["server" if kind == "single" else "servers"] = servers
    if kind == "sentinel" and (name := lines.text("sentinel")):
        value["sentinel"] = name
    if (database := lines.get("database")) is not None and kind != "cluster":
        value["database"] = to.whole(database)
    if text := lines.text("password"):
        value["password"] = text
    if (pool := lines.get("pool")) is not None:
        value["pool_size"] = to.whole(pool)
    if (timeout := lines.get("query_timeout")) is not None and timeout.value != "infinity":
        value["request_timeout"] = to.duration(timeout)
    tls = tls_options(lines, "ssl.")
    if lines.is_on("ssl", "ssl.enable"):
        value["ssl"] = {"enable": True, **tls}
    return value


def user_command(command: str, superuser: str) -> tuple[str, bool]:
    """One command that reads all fields of a user; whether ``superuser`` is part of it."""
    words = to.placeholders(command).split()
    more = to.placeholders(superuser).split()
    if words[:1] and words[0].upper() == "HGET" and len(words) == 3:
        words[0] = "HMGET"
    is_same_user = len(more) == 3 and len(words) >= 3 and words[1] == more[1]
    if is_same_user and more[0].upper() in ("HGET", "HMGET") and words[0].upper() == "HMGET":
        words.append(more[2])
        return " ".join(words), True
    return " ".join(words), False
