"""What the operations about alarms take and give."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, StringConstraints

from rookery.control.alarms.catalogue import COUNT_MAX, Kind, Rule, group_of
from rookery.control.alarms.service import MOVED_AT_ONCE_MAX, Summary
from rookery.control.alarms.store import MESSAGE_LENGTH_MAX, AlarmCommentRow, AlarmRow
from rookery.control.alarms.wording import name_of
from rookery.control.rest.models import Given, Id, Shown, Time

SeverityName: TypeAlias = Literal["normal", "critical"]
SeverityMember = Annotated[SeverityName, Field(description="How bad.", examples=["critical"])]
EndReasonName: TypeAlias = Literal["", "recovered", "moved", "disabled", "removed"]


class AlarmShown(Shown):
    """An alarm."""

    id: Id
    kind: str = Field(description="What is wrong, the word of the rule.", examples=["agent.lost"])
    name: str = Field(description="What that is called.", examples=["Agent lost"])
    message: str = Field(
        description="What is wrong, in words.", examples=["The agent is not connected"]
    )
    severity: SeverityMember
    resource_type: str = Field(
        description="`cluster`, `channel` or `custom`.", examples=["cluster"]
    )
    resource_id: str = Field(description="Its id, if it has one.", examples=["4f0c9a1b2d3e5f60"])
    resource_name: str = Field(description="What people call it.", examples=["plant-1"])
    occurrences: int = Field(description="How often it was told of.", examples=[1])
    starts_at: Time = Field(description="Since when.")
    ends_at: Time | None = Field(description="Until when; null: it goes on.")
    end_reason: EndReasonName = Field(
        description="`recovered` by itself, `moved` by hand, `disabled` with its rule, `removed` with its "
        "cluster.",
        examples=[""],
    )
    ended_by: str = Field(description="Who moved it.", examples=[""])
    acknowledged_at: Time | None = Field(description="When somebody saw it; null: nobody.")
    acknowledged_by: str = Field(description="Who.", examples=["ada@example.com"])
    assignee_id: str | None = Field(description="Whose it is.", examples=["4f0c9a1b2d3e5f60"])
    assignee_name: str = Field(description="The same, for people.", examples=["Ada"])
    pushed_at: Time | None = Field(description="When people were told last; null: nobody was.")
    push_due_at: Time | None = Field(
        description="When they will be told, if it goes on: a silence or a maintenance window holds it back."
    )


class CommentShown(Shown):
    """What somebody said about an alarm."""

    id: Id
    at: Time = Field(description="When.")
    author: str = Field(description="Who.", examples=["ada@example.com"])
    text: str = Field(description="What.", examples=["The fuse is changed."])


class AlarmDetail(AlarmShown):
    """An alarm with what was said about it."""

    comments: list[CommentShown] = Field(description="Oldest first.")


class SummaryShown(Shown):
    """The alarms of a project at a glance."""

    current: int = Field(description="Alarms that go on.", examples=[2])
    critical: int = Field(description="Critical ones among them.", examples=[1])
    unacknowledged: int = Field(description="Those that nobody saw yet.", examples=[1])
    storm_at: Time | None = Field(description="Since when there is an alarm storm; null: none.")
    is_enabled: bool = Field(description="Whether there are alarms at all.", examples=[True])


class MovedGiven(Given):
    """Alarms that become history."""

    ids: list[Id] = Field(min_length=1, max_length=MOVED_AT_ONCE_MAX, description="Which.")


class CountShown(Shown):
    """How many."""

    count: int = Field(ge=0, description="How many there were.", examples=[3])


class AssigneeGiven(Given):
    """Whose an alarm is."""

    user_id: Id | None = Field(description="Somebody of the project; null: nobody.")


class PersonShown(Shown):
    """To whom an alarm can be given."""

    id: Id
    email: str = Field(description="The address.", examples=["ada@example.com"])
    name: str = Field(description="The name.", examples=["Ada"])


class CommentGiven(Given):
    """What somebody says about an alarm."""

    text: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MESSAGE_LENGTH_MAX, strip_whitespace=True),
        Field(description="What.", examples=["The fuse is changed."]),
    ]


Count = Annotated[int, Field(ge=1, le=COUNT_MAX, examples=[3])]


class RuleGiven(Given):
    """What holds for one kind of alarm."""

    is_enabled: bool = Field(description="Whether it is looked at.", examples=[True])
    triggers: Count = Field(description="Bad checks in a row that raise an alarm.")
    recoveries: Count = Field(description="Good checks in a row that end it.")
    severity: SeverityMember
    threshold: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="Percent, where the rule has one; of `load.high` the load.",
        examples=[80],
    )


class RuleShown(Shown):
    """A rule."""

    kind: str = Field(description="Its word.", examples=["rule.abnormal"])
    group: Literal["common", "cluster", "edge"] = Field(
        description="Where it stands.", examples=["cluster"]
    )
    name: str = Field(description="What it is called.", examples=["Rule abnormal"])
    is_enabled: bool = Field(description="Whether it is looked at.", examples=[True])
    triggers: int = Field(description="Bad checks in a row that raise an alarm.", examples=[3])
    recoveries: int = Field(description="Good checks in a row that end it.", examples=[1])
    severity: SeverityMember
    threshold: int | None = Field(
        description="Percent, of `load.high` the load; null: it has none.", examples=[80]
    )


class CustomGiven(Given):
    """An alarm of another program."""

    message: Annotated[
        str,
        StringConstraints(min_length=1, max_length=MESSAGE_LENGTH_MAX),
        Field(description="What is wrong.", examples=["The conveyor stands still"]),
    ]
    timestamp: Annotated[
        str,
        StringConstraints(pattern=r"^[0-9]{1,12}$"),
        Field(
            description="When, seconds since 1970; older than 10 minutes is refused.",
            examples=["1767225600"],
        ),
    ]
    severity: Literal[0, 1] = Field(description="0 normal, 1 critical.", examples=[1])
    source: Annotated[
        str,
        StringConstraints(max_length=200),
        Field(description="What it is about.", examples=["conveyor-7"]),
    ] = ""
    tag: Annotated[
        str,
        StringConstraints(max_length=64),
        Field(description="Tells by push configurations with that label.", examples=["site=east"]),
    ] = ""
    uuid: Annotated[
        str,
        StringConstraints(max_length=64, pattern=r"^[!-~]*$"),
        Field(
            description="The same alarm has the same: it is counted once more, or ended.",
            examples=["0f8fad5b-d9cb-469f-a165-70867728950e"],
        ),
    ] = ""
    status: Literal["firing", "resolved"] = Field(
        default="firing",
        description="`resolved` ends the one with that `uuid`.",
        examples=["firing"],
    )


class CustomTaken(Shown):
    """What became of it."""

    id: Id


class WindowGiven(Given):
    """A maintenance window: nobody is told."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
        Field(description="What is done.", examples=["Upgrade of plant-1"]),
    ]
    starts_at: AwareDatetime = Field(
        description="When it begins, the first time.", examples=["2026-01-31T22:00:00Z"]
    )
    ends_at: AwareDatetime = Field(
        description="When it ends, the first time.", examples=["2026-01-31T23:00:00Z"]
    )
    repeat: Literal["never", "daily", "weekly"] = Field(
        default="never", description="How often it comes back.", examples=["never"]
    )
    clusters: list[Id] = Field(
        default_factory=list, max_length=200, description="On which; none: on all of the project."
    )


class WindowShown(Shown):
    """A maintenance window."""

    id: Id
    name: str = Field(description="What is done.", examples=["Upgrade of plant-1"])
    starts_at: Time = Field(description="When it begins, the first time.")
    ends_at: Time = Field(description="When it ends, the first time.")
    repeat: Literal["never", "daily", "weekly"] = Field(
        description="How often it comes back.", examples=["never"]
    )
    clusters: list[str] = Field(description="On which; none: on all of the project.")
    created_by: str = Field(description="Who planned it.", examples=["ada@example.com"])
    is_now: bool = Field(description="Whether it holds now.", examples=[False])


def to_alarm(row: AlarmRow, language: str) -> AlarmShown:
    """For the list."""
    return AlarmShown.model_validate(_plain(row, language))


def to_detail(
    row: AlarmRow, comments: list[AlarmCommentRow] | tuple[AlarmCommentRow, ...], language: str
) -> AlarmDetail:
    """With what was said about it."""
    said = [CommentShown.model_validate(each) for each in comments]
    return AlarmDetail.model_validate({**_plain(row, language), "comments": said})


def _plain(row: AlarmRow, language: str) -> dict[str, object]:
    names = AlarmShown.model_fields.keys() - {"name", "message"}
    message = row.message_zh if language == "zh" else row.message
    return {
        **{name: getattr(row, name) for name in names},
        "name": name_of(row.kind, language),
        "message": message,
    }


def to_summary(found: Summary) -> SummaryShown:
    """As it is sent."""
    return SummaryShown(
        current=found.current,
        critical=found.critical,
        unacknowledged=found.unacknowledged,
        storm_at=found.storm_at,
        is_enabled=found.is_enabled,
    )


def to_rule(kind: Kind, rule: Rule, language: str) -> RuleShown:
    """With its name."""
    return RuleShown(
        kind=str(kind),
        group=group_of(kind).value,
        name=name_of(kind, language),
        is_enabled=rule.is_enabled,
        triggers=rule.triggers,
        recoveries=rule.recoveries,
        severity=rule.severity.value,
        threshold=rule.threshold,
    )
