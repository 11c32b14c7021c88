"""``module.*`` (presence, subscription, rewrite) and flapping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft
from rookery.config.importing.features.gathered import Gathered, Lines
from rookery.config.importing.model import Outcome, Setting, Words
from rookery.config.importing.tables import notes

SWITCHED_OFF = Words("the module is off", "模块已关闭")
BAD_RULE = Words("not a rule of three words", "规则应由三个词组成")
PRESENCE = ("client_connected", "client_disconnected")
SUBSCRIPTION_KEYS = {"topic": "topic", "qos": "qos", "rh": "rh", "rap": "rap", "nl": "nl"}


def modules(gathered: Sequence[Gathered], draft: Draft) -> None:
    """Presence, automatic subscriptions, rewriting."""
    lines = Lines(gathered, "module.")
    if (presence := lines.get("presence")) is not None:
        path = ("sys_topics", "sys_event_messages")
        entry = draft.take(presence, (*path, PRESENCE[0]), to.flag(presence))
        draft.put(entry, (*path, PRESENCE[1]), to.flag(presence))
    _subscriptions(lines, draft)
    _rewrites(lines, draft)


def _is_off(lines: Lines, name: str, below: Iterable[Setting], draft: Draft) -> bool:
    """Report the switch of a module; in 4.x there is none, the list of modules was a file."""
    switch = lines.get(name)
    if switch is None:
        return False
    draft.leave(switch, Outcome.NOT_NEEDED if not to.flag(switch) else Outcome.TAKEN)
    if to.flag(switch):
        return False
    for setting in below:
        draft.leave(setting, Outcome.NOT_NEEDED, SWITCHED_OFF)
    return True


def _subscriptions(lines: Lines, draft: Draft) -> None:
    below = lines.below("subscription.")
    if _is_off(lines, "subscription", below.values(), draft) or not below:
        return
    numbered: dict[str, dict[str, Setting]] = {}
    for name, setting in below.items():
        number, _, key = name.partition(".")
        numbered.setdefault(number, {})[key] = setting
    topics: list[dict[str, Any]] = []
    entries = []
    for settings in (numbered[number] for number in sorted(numbered, key=_as_number)):
        item: dict[str, Any] = {}
        for key, setting in settings.items():
            if key not in SUBSCRIPTION_KEYS:
                draft.leave(setting, Outcome.UNKNOWN)
                continue
            value = to.template(setting) if key == "topic" else to.whole(setting)
            changed = notes.TEMPLATES if value != setting.value and key == "topic" else None
            entries.extend(draft.merge([setting], changed))
            item[SUBSCRIPTION_KEYS[key]] = value
            entries[-1].value = value
        topics.append(item)
    for entry in entries:
        shown = entry.value
        draft.put(entry, ("auto_subscribe", "topics"), topics)
        entry.value = shown


def _rewrites(lines: Lines, draft: Draft) -> None:
    kinds = (
        ("rewrite.rule.", "all"),
        ("rewrite.pub.rule.", "publish"),
        ("rewrite.pub_rule.", "publish"),
        ("rewrite.sub.rule.", "subscribe"),
        ("rewrite.sub_rule.", "subscribe"),
    )
    below = {prefix: lines.below(prefix) for prefix, _ in kinds}
    every = [setting for settings in below.values() for setting in settings.values()]
    if _is_off(lines, "rewrite", every, draft):
        return
    rules: list[dict[str, str]] = []
    entries = []
    for prefix, action in kinds:
        for number in sorted(below[prefix], key=_as_number):
            setting = below[prefix][number]
            words = setting.value.removeprefix("rewrite ").split()
            if len(words) != 3:
                draft.leave(setting, Outcome.UNSUPPORTED, BAD_RULE)
                continue
            rules.append(
                {
                    "action": action,
                    "source_topic": words[0],
                    "re": words[1],
                    "dest_topic": to.placeholders(words[2]),
                }
            )
            entries.extend(draft.merge([setting]))
    for entry in entries:
        draft.put(entry, ("rewrite",), rules)


def _as_number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def flapping(gathered: Sequence[Gathered], draft: Draft) -> None:
    """Which zones look for it, and after how much."""
    switches = [item.setting for item in gathered if item.setting.key.endswith("_detect")]
    is_on = any(to.flag(setting) for setting in switches)
    for setting in switches:
        if to.flag(setting):
            draft.take(setting, ("flapping_detect", "enable"), True, notes.FOR_ALL)
        else:
            draft.leave(setting, Outcome.NOT_NEEDED if is_on else Outcome.TAKEN)
    for setting, _ in gathered:
        if setting in switches:
            continue
        if not is_on:
            draft.leave(setting, Outcome.NOT_NEEDED, SWITCHED_OFF)
        elif setting.key.endswith("_interval"):
            draft.take(setting, ("flapping_detect", "ban_time"), to.duration(setting))
        else:
            parts = [part.strip() for part in setting.value.split(",")]
            names = ("max_count", "window_time", "ban_time")
            entry = draft.take(setting, ("flapping_detect", names[0]), int(parts[0]))
            for name, part in zip(names[1:], parts[1:], strict=False):
                draft.put(entry, ("flapping_detect", name), part)
            entry.value = ", ".join(parts)
