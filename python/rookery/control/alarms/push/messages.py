"""What a message says, before it takes the form of a mail or of a webhook's body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rookery.control.alarms.catalogue import Severity
from rookery.control.alarms.push.store import Event
from rookery.control.alarms.wording import SEVERITIES, name_of, say
from rookery.control.errors import Text

TEXT_LENGTH_MAX = 1000
_STORM = Text("Alarm storm", "告警风暴")
_STORM_TEXT = Text(
    "{count} alarms within {seconds} s: the list is frozen and nothing is pushed until "
    "somebody clears the storm in the console",
    "{seconds} 秒内产生 {count} 条告警：告警列表已冻结并停止推送，请在控制台清除告警风暴",
)
_TEST = Text("Test", "测试")
_TEST_TEXT = Text(
    "This is a test of the push configuration {channel}", "这是推送配置 {channel} 的测试消息"
)
STATUS: Mapping[Event, Text] = {
    Event.FIRED: Text("Alarm", "告警"),
    Event.RESOLVED: Text("Resolved", "已恢复"),
    Event.STORM: Text("Alarm storm", "告警风暴"),
    Event.TEST: Text("Test", "测试"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the alarms of a message are from.

    Attributes:
        org: Name of the organization.
        project: Name of the project.
        address: The access address of the control plane; empty: not set.
        path: Of the page of the project's alarms.
        channel: Name of the push configuration.
        language: What it speaks.
    """

    org: str
    project: str
    address: str
    path: str
    channel: str
    language: str

    @property
    def link(self) -> str:
        return f"{self.address}/#{self.path}" if self.address else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alarm of a message.

    Attributes:
        event: What happened to it.
        status: The same, for people.
        id: The alarm; empty where it is none.
        kind: What is wrong, the word of the rule.
        name: What that is called.
        contents: What it says.
        severity: ``normal`` or ``critical``.
        level: The same, for people.
        resource: What it is about.
        starts_ms: Since when.
        ends_ms: Until when.
    """

    event: Event
    status: str
    id: str
    kind: str
    name: str
    contents: str
    severity: str
    level: str
    resource: str
    starts_ms: int
    ends_ms: int | None


def told_of(event: Event, content: Mapping[str, Any], origin: Origin) -> Told:
    """What a message says of what was kept for it."""
    language = origin.language
    name, contents = _named(event, content, origin)
    severity = Severity(content.get("severity", Severity.NORMAL))
    return Told(
        event=event,
        status=say(STATUS[event], language),
        id=str(content.get("id", "")),
        kind=str(content.get("kind", event)),
        name=name,
        contents=contents[:TEXT_LENGTH_MAX],
        severity=str(severity),
        level=say(SEVERITIES[severity], language),
        resource=str(content.get("resourceName", "")),
        starts_ms=int(content.get("startsAt", 0)),
        ends_ms=content.get("endsAt"),
    )


def _named(event: Event, content: Mapping[str, Any], origin: Origin) -> tuple[str, str]:
    language = origin.language
    if event is Event.STORM:
        return say(_STORM, language), say(
            _STORM_TEXT, language, count=content["count"], seconds=content["seconds"]
        )
    if event is Event.TEST:
        return say(_TEST, language), say(_TEST_TEXT, language, channel=origin.channel)
    message = content["messageZh"] if language == "zh" else content["message"]
    return name_of(str(content["kind"]), language), str(message)


def shown_time(time_ms: int | None) -> str:
    """As people read it; always with its zone."""
    if time_ms is None:
        return ""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def headline(told: Sequence[Told], origin: Origin) -> str:
    """One line for all of it: a subject, a title."""
    first = told[0]
    about = f"{first.name}: {first.resource}" if first.resource else first.name
    more = f" (+{len(told) - 1})" if len(told) > 1 else ""
    return f"[{first.status}][{first.level}] {about}{more} - {origin.org}/{origin.project}"


def lines_of(told: Told) -> list[str]:
    """What is said of one of them, a line each."""
    about = f"{told.resource}: " if told.resource else ""
    times = shown_time(told.starts_ms)
    if told.ends_ms is not None:
        times = f"{times} - {shown_time(told.ends_ms)}"
    return [f"[{told.status}][{told.level}] {told.name}", f"{about}{told.contents}", times]
