"""Which texts may stand where a topic filter is expected, placeholders included."""

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
