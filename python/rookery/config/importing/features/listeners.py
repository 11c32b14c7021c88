"""Access rules of listeners, and certificates as user names."""

from __future__ import annotations

from collections.abc import Sequence

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft
from rookery.config.importing.features.gathered import Gathered
from rookery.config.importing.model import Outcome, Setting, Words

OF_ZONE = Words(
    "stands in the mqtt settings of the listener's zone", "改为监听器所属区域的 mqtt 配置"
)
SET_TRUSTED = Words(
    "a listener with proxy_protocol believes balancers listed in trusted_proxies only: add their addresses",
    "启用 proxy_protocol 的监听器仅信任 trusted_proxies 中的负载均衡地址，请补充",
)


def listeners(gathered: Sequence[Gathered], draft: Draft) -> None:
    """Put the rest of the listeners together, and what their mere presence means."""
    rules: dict[tuple[str, ...], list[tuple[int, Setting]]] = {}
    for setting, names in gathered:
        _, kind, name, key = setting.key.split(".")[:4]
        path: tuple[str, ...] = ("listeners", kind, name)
        if key == "access":
            number = names["$n"]
            rules.setdefault(path, []).append((int(number) if number.isdigit() else 0, setting))
        elif key == "enable_quick_deny_anonymous":
            if to.flag(setting):
                draft.take(setting, (*path, "enable_authn"), "quick_deny_anonymous")
            else:
                draft.leave(setting, Outcome.NOT_NEEDED)
        else:
            zone = draft.get((*path, "zone"))
            scope = ("zones", zone, "mqtt") if zone else ("mqtt",)
            draft.take(setting, (*scope, key), setting.value, OF_ZONE)
    for place, numbered in rules.items():
        lines = [setting for _, setting in sorted(numbered, key=lambda item: item[0])]
        texts = [" ".join(setting.value.split()) for setting in lines]
        # Without a match EMQX let everybody in, and wrote no rule for that; here a list that allows
        # somebody refuses the others.
        if any(text.startswith("allow ") for text in texts) and not any(
            text.endswith(" all") for text in texts
        ):
            texts.append("allow all")
        for setting in lines:
            draft.take(setting, (*place, "access_rules"), texts)
    _zones_that_are_named(draft)
    _listeners_nobody_asked_for(draft)


def _zones_that_are_named(draft: Draft) -> None:
    for kind in draft.get(("listeners",)) or {}:
        for name, item in draft.get(("listeners", kind)).items():
            zone = item.get("zone")
            if zone and zone != "default" and draft.get(("zones", zone)) is None:
                draft.imply(("zones", zone, "mqtt"), {})
            if item.get("proxy_protocol") is True:
                at = f"listeners.{kind}.{name}"
                draft.remark(Words(f"{at}: {SET_TRUSTED.en}", f"{at}：{SET_TRUSTED.zh}"))


def _listeners_nobody_asked_for(draft: Draft) -> None:
    """Only listeners of the file were open; ours has some of its own."""
    from rookery.config.schema import ROOT  # noqa: PLC0415
    from rookery.config.schema.model import MapOf, Struct  # noqa: PLC0415

    if not draft.get(("listeners",)):
        return
    section = ROOT.get("listeners")
    if section is None or not isinstance(section.type, Struct):
        return
    for kind in section.type.fields:
        if isinstance(kind.type, MapOf):
            for name in kind.type.entries:
                if draft.get(("listeners", kind.name, name, "bind")) is None:
                    draft.imply(("listeners", kind.name, name, "enable"), False)
