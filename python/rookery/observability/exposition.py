"""Writes figures for Prometheus: its text format (version 0.0.4), and EMQX's JSON.

A client library would bring a registry that our figures do not need, as each part keeps its own, and
it appends ``_total`` to the names of counters, which EMQX's do not have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

Labels: TypeAlias = Mapping[str, str]
Number: TypeAlias = "int | float"

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Family(NamedTuple):
    """A metric with the values it has.

    Attributes:
        name: Of letters, digits and underscores.
        kind: Whether it only rises.
        help: What it says, in one line.
        group: The member of the JSON that it stands in.
        values: By labels; one without labels for most.
    """

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    group: str
    values: tuple[tuple[Labels, Number], ...]

    @classmethod
    def single(
        cls, name: str, kind: Literal["counter", "gauge"], help_: str, group: str, value: Number
    ) -> Family:
        """One value without labels."""
        return cls(name, kind, help_, group, (({}, value),))

    def labelled(self, labels: Labels) -> Family:
        """The same with more labels on each value."""
        values = tuple(({**labels, **before}, value) for before, value in self.values)
        return self._replace(values=values)


def to_text(families: Iterable[Family]) -> str:
    """The text format."""
    lines: list[str] = []
    for family in families:
        lines.append(f"# HELP {family.name} {_escaped(family.help)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        lines += (f"{family.name}{_braces(labels)} {value}" for labels, value in family.values)
    return "\n".join(lines) + "\n"


def to_json(families: Iterable[Family]) -> dict[str, Any]:
    """By groups: an object of numbers, or a list where values have labels."""
    groups: dict[str, Any] = defaultdict(dict)
    for family in families:
        if len(family.values) == 1 and not family.values[0][0]:
            groups[family.group][family.name] = family.values[0][1]
            continue
        # EMQX puts what has the same labels into one object.
        rows = groups[family.group] = groups[family.group] or []
        for labels, value in family.values:
            row = next((row for row in rows if labels.items() <= row.items()), None)
            if row is None:
                rows.append({**labels, family.name: value})
            else:
                row[family.name] = value
    return dict(groups)


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{_escaped(text, quote=True)}"' for name, text in labels.items())
    return f"{{{pairs}}}"


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text
