"""Rules that adopt edge services as they come. Pure, but for where they are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from typing import Any

RULES_MAX = 100
PATTERN_LENGTH_MAX = 200
PLACES = ("shortId", "hostName", "description")
_PLACE = re.compile(r"\{(\w*)\}")
NAME_LENGTH_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptionRule:
    """Who is adopted, and as what.

    Attributes:
        description: Pattern with ``*`` and ``?`` for the description; empty: any.
        host_name: The same for the name of the machine.
        name_template: What the service is called: text with ``{shortId}``, ``{hostName}``, ``{description}``.
    """

    name: str
    is_enabled: bool = True
    description: str = ""
    host_name: str = ""
    org_id: str
    project_id: str
    name_template: str = "{shortId}"
    labels: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self) | {"labels": list(self.labels)}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> AdoptionRule:
        """What was kept."""
        known = {name: kept[name] for name in cls.__slots__ if name in kept}
        return cls(**{**known, "labels": tuple(kept.get("labels", ()))})

    @property
    def is_template(self) -> bool:
        """Whether a name can be made of it."""
        named = _PLACE.findall(self.name_template)
        rest = _PLACE.sub("", self.name_template)
        return "{" not in rest and "}" not in rest and all(name in PLACES for name in named)

    def service_name(self, values: Mapping[str, str]) -> str:
        """What one is called; its short form where nothing is left of the template."""
        made = _PLACE.sub(lambda found: values.get(found[1], ""), self.name_template)
        cleaned = re.sub(r"[^\w .-]+", "-", made).strip(" -")[:NAME_LENGTH_MAX]
        return cleaned or values["shortId"]

    def fits(self, description: str, host_name: str) -> bool:
        """Whether it is about that one."""
        return self.is_enabled and all(
            not pattern or fnmatchcase(text.lower(), pattern.lower())
            for pattern, text in ((self.description, description), (self.host_name, host_name))
        )


def first_fit(
    rules: Iterable[AdoptionRule], description: str, host_name: str
) -> AdoptionRule | None:
    """The first rule that is about it."""
    return next((rule for rule in rules if rule.fits(description, host_name)), None)
