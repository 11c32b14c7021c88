"""Why a value cannot stand in the settings of a connector, action or source, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.config import validator_zh
from rookery.words import Words

_MISSING = Words("missing", "缺少该项")
_UNKNOWN = Words("unknown", "未知配置项")


class RefusedValue(ValueError):  # noqa: N818 - what the validator of models takes for a refusal
    """Raised by validators of settings, for a value that means nothing there."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


def words_of(found: Mapping[str, Any]) -> Words:
    """One problem as the validator of models lists it, without the place and without the value."""
    kind = found["type"]
    if kind == "missing":
        return _MISSING
    if kind == "extra_forbidden":
        return _UNKNOWN
    raised = found.get("ctx", {}).get("error")
    if isinstance(raised, RefusedValue):
        return raised.words
    return Words(validator_zh.english_of(found), validator_zh.text_of(found))
