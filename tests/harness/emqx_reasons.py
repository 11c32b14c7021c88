"""How the REST interface differs from EMQX's and why: docs/reference/emqx-differences.toml.

``[[difference]]`` explains documents (tools/compare_openapi.py), ``[[answer]]`` what nodes answer.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

REASONS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "emqx-differences.toml"


class Difference(NamedTuple):
    """``where`` is ``METHOD /path``, ``what`` such as ``- parameter node``."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Reason(NamedTuple):
    """Why some differences are there.

    Attributes:
        is_of_later: Whether a later EMQX than the one compared with has them.
    """

    where: list[str]
    what: list[str]
    is_of_later: bool = False

    def fits(self, difference: Difference) -> bool:
        return any(_fits(difference.where, pattern) for pattern in self.where) and any(
            _fits(difference.what, pattern) for pattern in self.what
        )


def _fits(text: str, pattern: str) -> bool:
    # Brackets stand for themselves: paths and lists have them.
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def read_reasons(kind: str = "difference") -> list[Reason]:
    """Explanations, in their order: of documents, or of what nodes answer (``answer``)."""
    content = tomllib.loads(REASONS.read_text(encoding="utf-8"))
    return [
        Reason(several(item["where"]), several(item["what"]), "since" in item)
        for item in content.get(kind, ())
    ]


def unexplained(found: Collection[Difference], reasons: Collection[Reason]) -> list[str]:
    """What nobody has explained, and explanations of nothing."""
    lines = [str(item) for item in found if not any(reason.fits(item) for reason in reasons)]
    for reason in (reason for reason in reasons if not reason.is_of_later):
        for where in reason.where:
            if not any(Reason([where], reason.what).fits(item) for item in found):
                lines.append(f"fits nothing: {where}: {', '.join(reason.what)}")
        for what in reason.what:
            if not any(Reason(reason.where, [what]).fits(item) for item in found):
                lines.append(f"fits nothing: {', '.join(reason.where)}: {what}")
    return lines


def several(value: str | list[str]) -> list[str]:
    """One pattern or more."""
    return [value] if isinstance(value, str) else value
