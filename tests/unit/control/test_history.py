"""What changes of an entry mean in events, and how they read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from rookery.control.history.events import Event, Kind, events_of
from rookery.control.history.texts import text_of

NODES = [{"node": "a", "status": "running"}, {"node": "b", "status": "running"}]
LOST = {"type": "AgentLost", "since": 1_000, "reason": "", "numbers": {}}


@dataclass(frozen=True)
class Entry:
    state: str = "running"
    conditions: list[Any] = field(default_factory=list)
    version: str = "1.0"
    nodes: list[Any] = field(default_factory=lambda: NODES)
    adopted_at: int | None = 1


def found(before: Entry, **changes: Any) -> list[Event]:
    return list(events_of(before, replace(before, **changes), 61_000))


def kinds(before: Entry, **changes: Any) -> list[tuple[Kind, str]]:
    return [(event.kind, event.subject) for event in found(before, **changes)]


def test_a_report_like_the_one_before_is_no_event() -> None:
    nodes = [{**node, "connections": 7} for node in NODES]
    assert found(Entry(), nodes=nodes) == []


def test_conditions_begin_and_end() -> None:
    began = found(Entry(), state="abnormal", conditions=[LOST])
    assert [event.kind for event in began] == [Kind.STATE_CHANGED, Kind.CONDITION_BEGAN]
    ended = found(Entry(state="abnormal", conditions=[LOST]), state="running", conditions=[])
    assert [event.kind for event in ended] == [Kind.STATE_CHANGED, Kind.CONDITION_ENDED]
    texts = [text_of(event.kind, event.subject, event.details, "en") for event in ended]
    assert texts[0] == "abnormal → running"
    assert texts[1].startswith("Over after 60 s: The agent is not connected")
    chinese = text_of(ended[1].kind, ended[1].subject, ended[1].details, "zh")
    assert chinese.startswith("已恢复（持续 60 秒）：代理未连接")
    # The same condition in other words goes on.
    longer = {**LOST, "numbers": {"age_s": 5}}
    assert found(Entry(conditions=[LOST]), conditions=[longer]) == []


def test_nodes_join_leave_stop_and_start() -> None:
    down = [NODES[0], {"node": "b", "status": "stopped"}, {"node": "c", "status": "running"}]
    assert kinds(Entry(), nodes=down) == [(Kind.NODE_STOPPED, "b"), (Kind.NODE_JOINED, "c")]
    assert kinds(Entry(nodes=down), nodes=NODES) == [
        (Kind.NODE_STARTED, "b"),
        (Kind.NODE_LEFT, "c"),
    ]
    assert kinds(Entry(nodes=[]), nodes=NODES) == []  # the first report
    assert kinds(Entry(), nodes=[]) == []  # nobody knows


def test_adoption_and_versions() -> None:
    first = Entry(state="registering", adopted_at=None)
    assert kinds(first, state="running", adopted_at=5) == [
        (Kind.ADOPTED, ""),
        (Kind.STATE_CHANGED, ""),
    ]
    assert kinds(Entry(), version="1.1") == [(Kind.VERSION_CHANGED, "")]
    assert kinds(Entry(version=""), version="1.1") == []


def test_every_kind_has_its_words() -> None:
    for kind in Kind:
        details = {"from": "running", "to": "abnormal", "host": "h", "version": "1", "reason": "r"}
        english, chinese = (text_of(kind, "n", details, language) for language in ("en", "zh"))
        assert english
        assert chinese
        assert "{" not in english + chinese
    assert text_of("ofALaterVersion", "", {}, "en") == "ofALaterVersion"
