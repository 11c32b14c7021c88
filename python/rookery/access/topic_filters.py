"""Which texts may stand where a topic filter is expected, placeholders included; what one takes."""

from __future__ import annotations

import re

TOPIC_BYTES_MAX = 65_535  # MQTT-5.0 section 1.5.4
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")


def is_topic_filter(text: str) -> bool:
    """Whether this could match a topic: MQTT-5.0 section 4.7.1, placeholders allowed."""
    if not 0 < len(text.encode("utf-8", "replace")) <= TOPIC_BYTES_MAX or "\0" in text:
        return False
    levels = _PLACEHOLDER.sub("x", text).split("/")
    return "#" not in levels[:-1] and all(
        level in {"+", "#"} or not {"+", "#"}.intersection(level) for level in levels
    )


def is_topic_name(text: str) -> bool:
    """Whether a message can have it: MQTT-5.0 section 4.7.3."""
    size = len(text.encode("utf-8", "replace"))
    return 0 < size <= TOPIC_BYTES_MAX and {"+", "#", "\0"}.isdisjoint(text)


def matches(name: str, topic_filter: str) -> bool:
    """Whether ``topic_filter`` takes what ``name`` names, wildcards in it being plain words."""
    if name.startswith("$") and topic_filter[:1] in ("#", "+"):
        return False
    levels = iter(name.split("/"))
    for wanted in topic_filter.split("/"):
        if wanted == "#":
            return True
        have = next(levels, None)
        if have is None or wanted not in ("+", have):
            return False
    return next(levels, None) is None
