"""Who gets in and who decides: the chain, the sources, anonymous clients."""

from __future__ import annotations

from collections.abc import Sequence

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft
from rookery.config.importing.features.gathered import Gathered, Lines
from rookery.config.importing.model import DENIES, NOBODY_LEFT, Outcome, Setting, Words

CHAIN_DECIDES = Words(
    "clients that no provider knows are refused; EMQX admitted them",
    "没有认证器认识的客户端将被拒绝，EMQX 会允许其接入",
)
LOOPBACK = Words(
    "allow_anonymous is not written: without authentication only clients on this machine get in;"
    " access.anonymous changes that",
    "未设置 allow_anonymous：未配置认证时仅本机客户端可接入，可通过 access.anonymous 修改",
)
NO_MATCH = Words(
    "acl_nomatch is not written: what no rule allows is denied here, as in EMQX 4 (EMQX 3 allowed it)",
    "未设置 acl_nomatch：无规则匹配时拒绝，与 EMQX 4 相同（EMQX 3 为允许）",
)


def access(gathered: Sequence[Gathered], draft: Draft) -> None:
    """Say what happens outside of the chain and of the sources."""
    lines = Lines(gathered, "")
    draft.acl_named = lines.get("acl_file", "acl.acl_file")
    anonymous = lines.get("allow_anonymous")
    if anonymous is not None:
        _anonymous(anonymous, draft)
    elif not draft.asked_authn and draft.get(("listeners",)):
        draft.remark(LOOPBACK)
    if draft.asked_authn and not draft.providers:
        draft.remark(NOBODY_LEFT)
    if draft.get(("listeners",)) and draft.get(("authorization", "no_match")) is None:
        draft.imply(("authorization", "no_match"), "deny")
        draft.remark(NO_MATCH)
    if draft.asked_authz - {part.plugin for part in draft.sources}:
        draft.deny(DENIES)


def _anonymous(setting: Setting, draft: Draft) -> None:
    is_open = to.flag(setting)
    if not draft.asked_authn:
        draft.take(setting, ("access", "anonymous"), "everyone" if is_open else "nobody")
    elif is_open:
        draft.leave(setting, Outcome.UNSUPPORTED, CHAIN_DECIDES)
    else:
        draft.leave(setting, Outcome.TAKEN)
