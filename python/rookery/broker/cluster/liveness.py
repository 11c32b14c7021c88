"""Which members run: whoever was heard within :data:`SILENCE_S`.

Every node says that it runs once a second over NATS without JetStream: no election is waited for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HEARTBEAT_S = 1.0
SILENCE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondCopy:
    """Who else keeps the sessions of a node, and how far.

    Attributes:
        node: Its partner; empty: nobody.
        is_whole: It has all of them.
        lag: Changes that it has not confirmed.
        lag_bytes: Bytes of them.
    """

    node: str
    is_whole: bool
    lag: int
    lag_bytes: int

    @classmethod
    def from_plain(cls, body: Any) -> SecondCopy | None:
        """None when it is something else."""
        if not isinstance(body, dict):
            return None
        kinds = {"node": str, "is_whole": bool, "lag": int, "lag_bytes": int}
        if any(type(body.get(key)) is not kind for key, kind in kinds.items()):
            return None
        return cls(**{key: body[key] for key in kinds})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """What a node says of itself once a second."""

    name: str
    node_id: str
    incarnation: int
    digest: str
    lane: str
    version: str
    started_at_ms: int
    members: int
    is_stopping: bool = False
    revision: int = 0
    in_step: bool = False
    is_witness: bool = False
    partner: SecondCopy | None = None

    @classmethod
    def from_plain(cls, body: dict[str, Any]) -> Pulse | None:
        """None when it is no pulse; unknown keys of later versions are passed over."""
        texts = ("name", "node_id", "digest", "lane", "version")
        numbers = ("incarnation", "started_at_ms", "members")
        if any(type(body.get(key)) is not str for key in texts):
            return None
        if any(type(body.get(key)) is not int for key in numbers):
            return None
        revision = body.get("revision")
        return cls(
            **{key: body[key] for key in (*texts, *numbers)},
            is_stopping=body.get("is_stopping") is True,
            # Of earlier versions it is not known.
            revision=revision if type(revision) is int else 0,
            in_step=body.get("in_step") is True,
            is_witness=body.get("is_witness") is True,
            partner=SecondCopy.from_plain(body.get("partner")),
        )


@dataclass(slots=True)
class _Seen:
    pulse: Pulse
    at_s: float
    is_running: bool = True


@dataclass(slots=True)
class Liveness:
    """What was heard of whom, by names. Times are of a clock that never goes back."""

    _seen: dict[str, _Seen] = field(default_factory=dict)

    def hear(self, pulse: Pulse, now_s: float) -> None:
        """A node said something. What an earlier process of it said before counts no more."""
        known = self._seen.get(pulse.name)
        is_same = known is not None and known.pulse.node_id == pulse.node_id
        if known is not None and is_same and pulse.incarnation < known.pulse.incarnation:
            return
        self._seen[pulse.name] = _Seen(pulse, now_s, not pulse.is_stopping)

    def check(self, now_s: float) -> list[str]:
        """Who fell silent since the last look."""
        silent = []
        for name, seen in self._seen.items():
            if seen.is_running and now_s - seen.at_s > SILENCE_S:
                seen.is_running = False
                silent.append(name)
        return silent

    def running(self, name: str) -> Pulse | None:
        """What that node said last, if it runs."""
        seen = self._seen.get(name)
        return seen.pulse if seen is not None and seen.is_running else None

    def last(self, name: str) -> Pulse | None:
        """What that node said last."""
        seen = self._seen.get(name)
        return None if seen is None else seen.pulse

    def forget(self, names: set[str]) -> None:
        """Keep nothing of others than these."""
        for name in self._seen.keys() - names:
            del self._seen[name]
