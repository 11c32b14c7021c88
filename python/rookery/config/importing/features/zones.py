"""What zones said about listeners, limits and access: here it stands elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft
from rookery.config.importing.features.gathered import Gathered
from rookery.config.importing.model import Outcome, Setting, Words
from rookery.config.importing.tables import notes

NO_LISTENER = Words("no listener is in this zone", "没有监听器使用该区域")
ACL_ALWAYS = Words(
    "clients of every zone are checked; to except this one put"
    ' {allow, {zone, "ZONE"}, all, all}. first in acl.conf',
    "所有区域的客户端均检查授权；如需例外，请在 acl.conf 首行加入"
    ' {allow, {zone, "ZONE"}, all, all}。',
)
ONE_NO_MATCH = Words(
    "one setting for the whole node: authorization.no_match",
    "对整个节点统一设置：authorization.no_match",
)
ANONYMOUS_ZONE = Words(
    "listeners of the zone do not authenticate: clients come in as they are",
    "该区域的监听器不进行认证，客户端直接接入",
)
ANONYMOUS_NOT_ALONE = Words(
    "not written for one zone: set enable_authn = false on its listeners"
    " if clients may come in without being asked",
    "不按区域设置：如允许免认证接入，请在该区域的监听器上设置 enable_authn = false",
)
BAN_ALWAYS = Words("bans hold for every client", "封禁对所有客户端生效")

LISTENER_KEYS = {
    "mountpoint": ("mountpoint", to.template),
    "publish_limit": ("messages_rate", to.rate),
    "rate_limit.conn_messages_in": ("messages_rate", to.rate),
    "rate_limit.conn_bytes_in": ("bytes_rate", to.rate),
    "ratelimit.conn_messages_in": ("messages_rate", to.rate),
    "ratelimit.conn_bytes_in": ("bytes_rate", to.rate),
}


def zones(gathered: Sequence[Gathered], draft: Draft) -> None:
    """Hand every line to where it belongs now."""
    for setting, names in gathered:
        zone = names["$zone"]
        key = setting.key.split(".", 2)[2]
        if key in LISTENER_KEYS:
            name, convert = LISTENER_KEYS[key]
            _on_listeners(setting, zone, name, convert(setting), draft, notes.PER_LISTENER)
        elif key == "bypass_auth_plugins":
            if to.flag(setting):
                _on_listeners(setting, zone, "enable_authn", False, draft, ANONYMOUS_ZONE)
            else:
                draft.leave(setting, Outcome.NOT_NEEDED)
        elif key == "allow_anonymous":
            is_open = to.flag(setting)
            draft.leave(
                setting,
                Outcome.UNSUPPORTED if is_open else Outcome.NOT_NEEDED,
                ANONYMOUS_NOT_ALONE if is_open else None,
            )
        elif key == "enable_acl":
            _switch(setting, draft, _named(ACL_ALWAYS, zone))
        elif key == "enable_ban":
            _switch(setting, draft, BAN_ALWAYS)
        elif key == "force_shutdown_policy":
            _force_shutdown(setting, draft)
        else:
            _for_all(setting, key, draft)


def _named(words: Words, zone: str) -> Words:
    return Words(words.en.replace("ZONE", zone), words.zh.replace("ZONE", zone))


def _switch(setting: Setting, draft: Draft, why: Words) -> None:
    if to.flag(setting):
        draft.leave(setting, Outcome.NOT_NEEDED, notes.ALWAYS)
    else:
        draft.leave(setting, Outcome.UNSUPPORTED, why)


def _of_zone(draft: Draft, zone: str) -> Iterator[tuple[str, ...]]:
    for kind, items in (draft.get(("listeners",)) or {}).items():
        for name, item in items.items():
            if item.get("zone") == zone:
                yield ("listeners", kind, name)


def _on_listeners(
    setting: Setting, zone: str, key: str, value: Any, draft: Draft, note: Words
) -> None:
    paths = list(_of_zone(draft, zone))
    if not paths:
        draft.leave(setting, Outcome.UNSUPPORTED, NO_LISTENER)
        return
    entry = draft.take(setting, (*paths[0], key), value, note)
    for path in paths[1:]:
        draft.put(entry, (*path, key), entry.value)


def _force_shutdown(setting: Setting, draft: Draft) -> None:
    """``10000|32MB``: packets that wait, and memory."""
    length = setting.value.partition("|")[0].strip()
    if setting.value.strip() in ("", "default"):
        draft.leave(setting, Outcome.NOT_NEEDED)
        return
    if not length.lstrip("-").isdigit():
        draft.leave(setting, Outcome.UNSUPPORTED)
        return
    if int(length) <= 0:
        draft.take(setting, ("force_shutdown", "enable"), False, notes.FOR_ALL)
        return
    note = Words(
        "only the number of waiting packets is kept; memory is bounded elsewhere, see limits",
        "仅保留待处理报文数；内存另有约束，见 limits",
    )
    value = min(int(length), 65_535)
    draft.take(setting, ("force_shutdown", "max_mailbox_size"), value, note)


def _for_all(setting: Setting, key: str, draft: Draft) -> None:
    """One value for the node: the strictest of the zones, never a looser one than the node's."""
    name, strict = {
        "acl_nomatch": ("no_match", "deny"),
        "acl_deny_action": ("deny_action", "disconnect"),
    }[key]
    path = ("authorization", name)
    present = draft.get(path)
    if present in (None, setting.value) or setting.value == strict:
        draft.take(setting, path, setting.value, notes.FOR_ALL)
    else:
        draft.leave(setting, Outcome.UNSUPPORTED, ONE_NO_MATCH)
