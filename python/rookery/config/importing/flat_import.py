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
BROKEN = Words("left out with a line of it that makes no sense", "其中一行无效，整体未迁移")
NOT_LOADED = Words("its plugin is not among the loaded ones", "所属插件未加载")

# Features that decide who gets in and what is allowed.
SECURITY = {"http", "jwt", "users", "pgsql", "redis"}
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
    broken: dict[str, Setting] = {}
    for file in files:
        for setting in file.overridden:
            draft.leave(setting, Outcome.NOT_NEEDED, OVERRIDDEN)
        for setting in file.odd:
            draft.leave(setting, Outcome.UNKNOWN, NO_SETTING)
        for setting in file.settings:
            if loaded is not None and not _is_loaded(setting.key, loaded):
                draft.leave(setting, Outcome.NOT_NEEDED, NOT_LOADED)
                continue
            _note_what_was_asked(setting.key, draft)
            match = matcher.find(setting.key)
            if match is None:
                draft.leave(setting, Outcome.UNKNOWN)
            elif not match.row.feature:
                _by_row(setting, match, draft)
            elif _makes_sense(setting, match, draft):
                gathered[match.row.feature].append(Gathered(setting, match.names))
            else:
                broken.setdefault(match.row.feature, setting)
    for name, put_together in FEATURES.items():
        if name in broken and name in SECURITY:
            _leave_all(gathered[name], broken[name], draft)
        else:
            put_together(gathered[name], draft)


def _note_what_was_asked(key: str, draft: Draft) -> None:
    prefix = ".".join(key.split(".")[:2])
    if prefix in PLUGIN_OF:
        draft.asked_authn.add(PLUGIN_OF[prefix][0])
        if key.split(".")[2].startswith("acl_") and prefix != "auth.jwt":
            draft.asked_authz.add(PLUGIN_OF[prefix][0])


def _makes_sense(setting: Setting, match: Match, draft: Draft) -> bool:
    """A line of a feature whose row has a conversion is tried before others build on it."""
    try:
        if match.row.convert is not None:
            match.row.convert(setting)
    except UnsupportedError as error:
        draft.leave(setting, Outcome.UNSUPPORTED, error.words)
        return False
    except ValueError:
        draft.leave(setting, Outcome.UNSUPPORTED, BAD_VALUE)
        return False
    return True


def _leave_all(gathered: Sequence[Gathered], culprit: Setting, draft: Draft) -> None:
    """A provider or source of which a line is not understood might let in the wrong ones."""
    place = f"{culprit.file.name}:{culprit.line}"
    note = Words(f"{BROKEN.en} ({place})", f"{BROKEN.zh}（{place}）")
    for setting, _ in gathered:
        draft.leave(setting, Outcome.UNSUPPORTED, note)


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
