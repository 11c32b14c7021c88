"""Lines of flat files become values of the new one, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rookery.config.importing.draft import Draft
from rookery.config.importing.features import FEATURES, Gathered
from rookery.config.importing.flat import FlatFile
from rookery.config.importing.matching import Match, Matcher
from rookery.config.importing.model import Changed, Outcome, Setting, UnsupportedError, Words
from rookery.config.importing.tables import ROWS

OVERRIDDEN = Words("a later line sets the same key", "后面的行设置了相同的键")
NO_SETTING = Words("not a setting", "不是配置项")
BAD_VALUE = Words("the value makes no sense to this key", "该键的值无效")
NOT_LOADED = Words("its plugin is not among the loaded ones", "所属插件未加载")

# Plugins whose keys begin otherwise than with their own name.
PLUGIN_OF: dict[str, tuple[str, ...]] = {
    "auth.http": ("emqx_auth_http",),
    "auth.jwt": ("emqx_auth_jwt",),
    "auth.user": ("emqx_auth_username", "emqx_auth_mnesia"),
    "auth.client": ("emqx_auth_clientid", "emqx_auth_mnesia"),
    "auth.mnesia": ("emqx_auth_mnesia",),
    "auth.pgsql": ("emqx_auth_pgsql",),
    "auth.redis": ("emqx_auth_redis",),
    "auth.mysql": ("emqx_auth_mysql",),
    "auth.mongo": ("emqx_auth_mongo",),
    "auth.ldap": ("emqx_auth_ldap",),
}


def import_flat(files: Sequence[FlatFile], draft: Draft, loaded: Sequence[str] | None) -> None:
    """Put everything of ``files`` into ``draft``; ``loaded`` names plugins, None is all."""
    matcher = Matcher(ROWS)
    gathered: dict[str, list[Gathered]] = {name: [] for name in FEATURES}
    for file in files:
        for setting in file.overridden:
            draft.leave(setting, Outcome.NOT_NEEDED, OVERRIDDEN)
        for setting in file.odd:
            draft.leave(setting, Outcome.UNKNOWN, NO_SETTING)
        for setting in file.settings:
            if loaded is not None and not _is_loaded(setting.key, loaded):
                draft.leave(setting, Outcome.NOT_NEEDED, NOT_LOADED)
                continue
            match = matcher.find(setting.key)
            if match is None:
                draft.leave(setting, Outcome.UNKNOWN)
            elif match.row.feature:
                gathered[match.row.feature].append(Gathered(setting, match.names))
            else:
                _by_row(setting, match, draft)
    for name, put_together in FEATURES.items():
        put_together(gathered[name], draft)


def _is_loaded(key: str, loaded: Sequence[str]) -> bool:
    plugins = PLUGIN_OF.get(".".join(key.split(".")[:2]))
    return plugins is None or any(plugin in loaded for plugin in plugins)


def _by_row(setting: Setting, match: Match, draft: Draft) -> None:
    row = match.row
    if not row.new:
        draft.leave(setting, row.outcome, row.note)
        return
    try:
        value: Any = row.convert(setting) if row.convert else setting.value
    except UnsupportedError as error:
        draft.leave(setting, Outcome.UNSUPPORTED, error.words)
        return
    except ValueError:
        draft.leave(setting, Outcome.UNSUPPORTED, BAD_VALUE)
        return
    note = row.note
    if isinstance(value, Changed):
        value, note = value
    draft.take(setting, match.path(), value, note)
