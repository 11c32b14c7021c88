"""``auth.pgsql.*``: users and rules in PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft, Part
from rookery.config.importing.features.gathered import Gathered, Lines
from rookery.config.importing.features.http import tls_options
from rookery.config.importing.hashes import algorithm
from rookery.config.importing.model import Outcome, Setting, UnsupportedError, Words

PLUGIN = "emqx_auth_pgsql"
_SELECT = re.compile(
    r"\s*select\s+(?P<columns>.+?)\s+(?P<rest>from\s.+)", re.IGNORECASE | re.DOTALL
)
_QUOTED = re.compile(r"'(%[a-zA-Z]n?)'")
_COLUMN = re.compile(r"[\w.\"]+", re.ASCII)
ACL_COLUMNS = ("allow", "ipaddr", "username", "clientid", "access", "topic")

COLUMNS_NAMED = Words(
    "columns are found by name: password_hash, salt, is_superuser",
    "按列名取值：password_hash、salt、is_superuser",
)
ACL_NAMED = Words(
    "columns are found by name: permission, action, topic; rows are no longer compared with the"
    " client, the query must choose them: check it",
    "按列名取值：permission、action、topic；不再逐行比对客户端，须由查询语句筛选，请核对",
)
UNREADABLE = Words(
    "this query cannot be rewritten: select password_hash, salt, is_superuser"
    " (or permission, action, topic) by name",
    "无法改写该查询：请按列名选取 password_hash、salt、is_superuser（或 permission、action、topic）",
)
WITH_USER = Words("became part of query", "并入 query")


def pgsql(gathered: Sequence[Gathered], draft: Draft) -> None:
    """One provider and one source."""
    lines = Lines(gathered, "auth.pgsql.")
    if not lines:
        return
    common = _connection(lines)
    entries = draft.merge(lines.used)
    try:
        hashing = _hash(lines)
    except UnsupportedError as error:
        for setting in (*lines.used, *lines.rest()):
            draft.leave(setting, Outcome.UNSUPPORTED, error.words)
        return
    query = lines.get("auth_query")
    if query is not None and query.value:
        superuser = lines.get("super_query")
        text = user_query(query.value, superuser.value if superuser else "")
        if text is None:
            draft.leave(query, Outcome.UNSUPPORTED, UNREADABLE)
        else:
            own = draft.merge([query], COLUMNS_NAMED)
            own[0].value = text
            if superuser is not None:
                own += draft.merge([superuser], WITH_USER)
            own += draft.merge(_of(lines, "password_hash"))
            provider = {
                "mechanism": "password_based",
                "backend": "postgresql",
                **common,
                **hashing,
                "query": text,
            }
            draft.providers.append(Part(PLUGIN, provider, [*entries, *own]))
    rules = lines.get("acl_query")
    if rules is not None and rules.value:
        text = acl_query(rules.value)
        if text is None:
            draft.leave(rules, Outcome.UNSUPPORTED, UNREADABLE)
        else:
            own = draft.merge([rules], ACL_NAMED)
            own[0].value = text
            draft.sources.append(Part(PLUGIN, {"type": "postgresql", **common, "query": text}, own))
    for setting in lines.rest():
        draft.leave(setting, Outcome.NOT_NEEDED)


def _of(lines: Lines, name: str) -> list[Setting]:
    setting = lines.get(name)
    return [] if setting is None else [setting]


def _hash(lines: Lines) -> dict[str, Any]:
    named = lines.text("password_hash")
    return {"password_hash_algorithm": algorithm(named)} if named else {}


def _connection(lines: Lines) -> dict[str, Any]:
    server = lines.text("server") or "127.0.0.1:5432"
    value: dict[str, Any] = {"server": f"127.0.0.1:{server}" if server.isdigit() else server}
    for key in ("database", "username", "password"):
        if text := lines.text(key):
            value[key] = text
    if (pool := lines.get("pool")) is not None:
        value["pool_size"] = to.whole(pool)
    if (timeout := lines.get("query_timeout")) is not None and timeout.value != "infinity":
        value["request_timeout"] = to.duration(timeout)
    tls = tls_options(lines, "ssl.") or tls_options(lines, "ssl_opts.")
    if lines.is_on("ssl", "ssl.enable"):
        value["ssl"] = {"enable": True, **tls}
    return value


def _parameters(text: str) -> str:
    """A placeholder becomes a parameter of the statement: never inside quotes."""
    return to.placeholders(_QUOTED.sub(r"\1", text))


def user_query(text: str, superuser: str) -> str | None:
    """The columns that were told apart by their place get names; None when it is not plain."""
    match = _SELECT.fullmatch(text.strip().rstrip(";"))
    if match is None:
        return None
    columns = [column.strip() for column in match["columns"].split(",")]
    if len(columns) > 2 or not all(_COLUMN.fullmatch(column) for column in columns):
        return None
    named = [
        column if column == name else f"{column} AS {name}"
        for column, name in zip(columns, ("password_hash", "salt"), strict=False)
    ]
    if superuser:
        inner = _SELECT.fullmatch(superuser.strip().rstrip(";"))
        if inner is None or "," in inner["columns"]:
            return None
        named.append(f"({_parameters(superuser.strip().rstrip(';'))}) AS is_superuser")
    return f"SELECT {', '.join(named)} {_parameters(match['rest'])}"


def acl_query(text: str) -> str | None:
    """Numbers become words; None when it is not the query that the plugin came with."""
    match = _SELECT.fullmatch(text.strip().rstrip(";"))
    if match is None:
        return None
    columns = tuple(column.strip().lower() for column in match["columns"].split(","))
    if columns != ACL_COLUMNS:
        return None
    return (
        "SELECT CASE allow WHEN 1 THEN 'allow' ELSE 'deny' END AS permission,"
        " CASE access WHEN 1 THEN 'subscribe' WHEN 2 THEN 'publish' ELSE 'all' END AS action,"
        f" topic {_parameters(match['rest'])}"
    )
