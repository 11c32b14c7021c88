"""Which of its languages whoever sends a request wants to read.

Without the framework: a node that nobody asks loads none.
"""

from __future__ import annotations

import re

__all__ = ["language_asked"]

_RANGE = re.compile(r"([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_WEIGHT = re.compile(r"[qQ]\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)
_LANGUAGES = ("en", "zh")
RANGES_MAX = 50
"""More of them than any browser sends are not looked at."""


def language_asked(header: str | None) -> str:
    """``zh`` or ``en``: of both, the one with the greater weight in ``Accept-Language``.

    Of equal weights the one that stands first counts; where neither is named, or the header means
    nothing, it is English. RFC 9110 section 12.5.4.
    """
    weights: dict[str, float] = {}
    for part in (header or "").split(",")[:RANGES_MAX]:
        name, *parameters = (piece.strip() for piece in part.split(";"))
        found = _RANGE.fullmatch(name)
        weight = _weight(parameters)
        if found is not None and weight is not None:
            language = found[1].lower()
            # `zh-CN, zh;q=0.9`: as much as the best of one language.
            weights[language] = max(weight, weights.get(language, weight))
    best, best_weight = "en", 0.0
    for language, weight in weights.items():
        # Whoever takes any language gets English, unless something else was said about that.
        meant = "en" if language == "*" and "en" not in weights else language
        if meant in _LANGUAGES and weight > best_weight:
            best, best_weight = meant, weight
    return best


def _weight(parameters: list[str]) -> float | None:
    """Nothing where what stands there is no weight."""
    if not parameters:
        return 1.0
    found = _WEIGHT.fullmatch(parameters[0])
    return float(found[1]) if found is not None and len(parameters) == 1 else None
