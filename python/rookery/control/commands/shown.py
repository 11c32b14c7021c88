"""What the operations about commands take and give."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from rookery.control.commands import texts
from rookery.control.commands.kinds import OBJECT_ID, Asked
from rookery.control.commands.service import TTL_S, TTL_S_MAX, TTL_S_MIN
from rookery.control.commands.state import UNDER_WAY, State
from rookery.control.commands.store import CommandRow
from rookery.control.rest.models import Given, Id, Shown, Time

StateName: TypeAlias = Literal[
    "queued", "sent", "acknowledged", "running", "succeeded", "failed", "expired", "cancelled"
]


class CommandGiven(Given):
    """What is to be started or stopped."""

    kind: Asked = Field(description="What is to be done.", examples=["rule.stop"])
    object_id: str = Field(
        pattern=f"^{OBJECT_ID}$",
        description="Of the rule, `type:name` of a connector, an action or a source.",
        examples=["rule_1"],
    )
    ttl_s: int = Field(
        default=TTL_S,
        ge=TTL_S_MIN,
        le=TTL_S_MAX,
        description="Seconds after which it is given up.",
        examples=[TTL_S],
    )


class ClusterCommand(Shown):
    """A command, and how it goes."""

    id: Id
    kind: str = Field(description="What is to be done.", examples=["quota.set"])
    arguments: dict[str, str] = Field(description="With what.", examples=[{"limit": "50"}])
    state: StateName = Field(description="Where it is.", examples=["succeeded"])
    attempts: int = Field(description="How often it was sent.", examples=[1])
    created_at: Time = Field(description="When it was made.")
    created_by: str = Field(description="By whom.", examples=["ada@example.com"])
    expires_at: Time = Field(description="When it is given up.")
    next_attempt_at: Time | None = Field(
        description="When it is tried again, if it waits for that."
    )
    sent_at: Time | None = Field(description="When it was sent last.")
    acknowledged_at: Time | None = Field(description="When the agent had it.")
    started_at: Time | None = Field(description="When the agent began.")
    finished_at: Time | None = Field(description="When it was over.")
    code: str = Field(description="Why it is where it is, for programs.", examples=["DONE"])
    text: str = Field(
        description="The same for people, in the language of the caller.", examples=["Done"]
    )
    result: dict[str, str] = Field(
        description="What came of it.", examples=[{"limit": "50", "found": "infinity"}]
    )


def to_shown(row: CommandRow, language: str) -> ClusterCommand:
    """A command as it is shown."""
    state = State(row.state)
    is_waiting = state is State.QUEUED and row.attempts > 0
    return ClusterCommand(
        id=row.id,
        kind=row.kind,
        arguments={str(name): str(value) for name, value in row.arguments.items()},
        state=row.state,  # type: ignore[arg-type]  # one of the names, by the enumeration
        attempts=row.attempts,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        next_attempt_at=row.not_before if is_waiting else None,
        sent_at=row.sent_at,
        acknowledged_at=row.acknowledged_at,
        started_at=row.started_at,
        finished_at=None if state in UNDER_WAY else row.finished_at,
        code=row.code,
        text=texts.reason_of(row.code, row.text, language),
        result={str(name): str(value) for name, value in row.fields.items()},
    )
