"""What the operations of distribution take and give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StringConstraints

from rookery.control.distribution.aim import TARGETS_MAX, Aim
from rookery.control.distribution.deliveries import (
    DEADLINE_S,
    DEADLINE_S_MAX,
    DEADLINE_S_MIN,
    Pace,
)
from rookery.control.distribution.looking import Drift, Tried
from rookery.control.distribution.render import NAME, Parameter
from rookery.control.distribution.sealed import Draft
from rookery.control.distribution.store import (
    NAME_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    DeliveryRow,
    TargetRow,
    TemplateRow,
    VersionRow,
)
from rookery.control.distribution.templates import CONTENT_LENGTH_MAX, PARAMETERS_MAX
from rookery.control.edges.shown import Label, PresenceName
from rookery.control.rest.models import Given, Id, Shown, Time

KindName: TypeAlias = Literal["text", "number", "boolean"]
DeliveryStateName: TypeAlias = Literal["running", "stopping", "succeeded", "failed", "stopped"]
TargetStateName: TypeAlias = Literal[
    "waiting", "running", "succeeded", "failed", "expired", "skipped"
]
TriedStateName: TypeAlias = Literal["ready", "invalid", "unreachable"]
DriftStateName: TypeAlias = Literal["same", "changed", "other", "waiting"]
ChangeName: TypeAlias = Literal["new", "changed", "same", "removed"]

Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, pattern=r"^\S(.*\S)?$"),
    Field(
        description="What people call it; one of a kind in its project.", examples=["press line"]
    ),
]
Described = Annotated[
    str,
    StringConstraints(max_length=TEXT_LENGTH_MAX),
    Field(description="For people.", examples=["Modbus of the press line"]),
]
ParameterName = Annotated[
    str,
    StringConstraints(pattern=f"^{NAME}$"),
    Field(description="Its name; `${name}` in the content is its place.", examples=["host"]),
]
Value = Annotated[str, StringConstraints(max_length=4096)]
Values = Annotated[
    dict[ParameterName, Value], Field(max_length=PARAMETERS_MAX, examples=[{"host": "10.0.0.7"}])
]
ServiceId = Annotated[str, StringConstraints(pattern="^[0-9a-f]{16}$")]


class ParameterModel(Shown):
    """What differs from one edge service to the next."""

    name: ParameterName
    kind: KindName = Field(
        default="text",
        description="What a text that is nothing but the place becomes.",
        examples=["text"],
    )
    default: Value | None = Field(
        default=None,
        description="None: each edge service has to have a value. `******` where it is secret.",
        examples=["192.168.1.10"],
    )
    is_secret: bool = Field(
        default=False, description="Whether its values are shown to nobody.", examples=[False]
    )


class ParameterGiven(ParameterModel):
    """The same."""

    model_config = Given.model_config


class VersionGiven(Given):
    """A version."""

    content: Annotated[str, StringConstraints(max_length=CONTENT_LENGTH_MAX)] = Field(
        description="What an edge service exports, or a part of it, in JSON: `nodes`, `settings`, `groups`, `tags`, "
        "`subscriptions`. A secret that is `******` stays what it is there.",
        examples=['{"nodes": [{"name": "press", "plugin": "Modbus TCP"}]}'],
    )
    parameters: list[ParameterGiven] = Field(
        default_factory=list, max_length=PARAMETERS_MAX, description="What differs in it."
    )
    note: Described = Field(default="", description="What is new in it.", examples=["slower"])

    def draft(self) -> Draft:
        """As it is kept."""
        return Draft(self.content, [Parameter(**one.model_dump()) for one in self.parameters])


class TemplateNamed(Given):
    """What it is called."""

    name: Name
    description: Described = ""


class TemplateGiven(TemplateNamed, VersionGiven):
    """A template with its first version."""


class AimGiven(Given):
    """To whom, and with which values."""

    version: int = Field(default=0, ge=0, le=1 << 31, description="0: the newest.", examples=[0])
    labels: list[Label] = Field(
        default_factory=list,
        max_length=20,
        description="Edge services of the project that have all of these.",
        examples=[["site=north"]],
    )
    service_ids: list[ServiceId] = Field(
        default_factory=list,
        max_length=TARGETS_MAX,
        description="Just these of them; empty: all.",
        examples=[[]],
    )
    defaults: Values = Field(default_factory=dict, description="Values for all.")
    values: Annotated[dict[ServiceId, Values], Field(max_length=TARGETS_MAX)] = Field(
        default_factory=dict,
        description="Values for one edge service, by its id.",
        examples=[{"4f0c9a1b2d3e5f60": {"host": "10.0.0.8"}}],
    )

    def aim(self) -> Aim:
        """As it is used."""
        return Aim(self.labels, self.service_ids, self.defaults, self.values)


class EdgeDeliveryGiven(AimGiven):
    """A delivery."""

    wave_size: int = Field(
        default=TARGETS_MAX,
        ge=1,
        le=TARGETS_MAX,
        description="So many edge services at a time; the next wave begins when this one is over.",
        examples=[20],
    )
    failures_max: int | None = Field(
        default=1,
        ge=1,
        le=TARGETS_MAX,
        description="So many failures in a wave end the delivery; none: it goes on.",
        examples=[1],
    )
    deadline_s: int = Field(
        default=DEADLINE_S,
        ge=DEADLINE_S_MIN,
        le=DEADLINE_S_MAX,
        description="So many seconds a wave waits for edge services that are away.",
        examples=[DEADLINE_S],
    )

    def pace(self) -> Pace:
        """As it is used."""
        return Pace(self.wave_size, self.failures_max, self.deadline_s)


class VersionShown(Shown):
    """A version, without its content."""

    number: int = Field(description="From 1.", examples=[3])
    parameters: list[ParameterModel] = Field(description="What differs in it.")
    note: str = Field(description="What is new in it.", examples=["slower"])
    created_at: Time = Field(description="When it was made.")
    created_by: str = Field(description="By whom.", examples=["ada@example.com"])

    @classmethod
    def of(cls, row: VersionRow) -> VersionShown:
        parameters = [ParameterModel(**one) for one in row.parameters]
        return cls(
            number=row.number,
            parameters=parameters,
            note=row.note,
            created_at=row.created_at,
            created_by=row.created_by,
        )


class EdgeTemplateShown(Shown):
    """A template."""

    id: Id
    name: str = Field(description="What people call it.", examples=["press line"])
    description: str = Field(description="For people.", examples=["Modbus of the press line"])
    newest: int = Field(description="Its newest version.", examples=[3])
    created_at: Time = Field(description="When it was made.")
    changed_at: Time = Field(description="When it was changed last.")

    @classmethod
    def of(cls, row: TemplateRow) -> EdgeTemplateShown:
        return cls.model_validate(row)


class TemplateDetail(EdgeTemplateShown):
    """With its versions."""

    versions: list[VersionShown] = Field(description="The newest first.")


class ContentShown(Shown):
    """What a version holds."""

    content: str = Field(description="In JSON.", examples=['{"nodes": []}'])


class Made(Shown):
    """What was made."""

    id: Id


class MadeVersion(Shown):
    """What was made."""

    number: int = Field(description="The version.", examples=[4])


class ChangesShown(Shown):
    """How many come, go or change."""

    added: int = Field(default=0, description="Come.", examples=[2])
    removed: int = Field(default=0, description="Go.", examples=[0])
    changed: int = Field(default=0, description="Change.", examples=[1])


class NodeTried(Shown):
    """What would become of one node."""

    name: str = Field(description="The node.", examples=["press"])
    plugin: str = Field(default="", description="What it is.", examples=["Modbus TCP"])
    change: ChangeName = Field(description="What happens to it.", examples=["changed"])
    settings: list[str] = Field(
        default_factory=list, description="Settings that change.", examples=[["host"]]
    )
    groups: ChangesShown = Field(default_factory=ChangesShown, description="Its groups.")
    tags: ChangesShown = Field(default_factory=ChangesShown, description="Its tags.")
    subscriptions: ChangesShown = Field(
        default_factory=ChangesShown, description="Its subscriptions."
    )


class TriedShown(Shown):
    """What a delivery would do to one edge service."""

    service_id: Id
    service_name: str = Field(description="Its name.", examples=["hall-3"])
    state: TriedStateName = Field(
        description="Whether it would take it, would not, or cannot be asked.", examples=["ready"]
    )
    message: str = Field(description="Why not.", examples=[""])
    nodes: list[NodeTried] = Field(description="What would change there.")

    @classmethod
    def of(cls, one: Tried) -> TriedShown:
        return cls.model_validate(one)


class TriedList(Shown):
    """Edge service by edge service."""

    items: list[TriedShown] = Field(description="By name.")


class EdgeDeliveryShown(Shown):
    """A delivery."""

    id: Id
    template_id: Id
    template_name: str = Field(description="Its name.", examples=["press line"])
    number: int = Field(description="Version of the template.", examples=[3])
    rollback_of: Id | None = Field(description="The delivery that it takes back, if it does.")
    state: DeliveryStateName = Field(description="How it is.", examples=["running"])
    wave: int = Field(description="The wave that began last.", examples=[1])
    waves: int = Field(description="How many there are.", examples=[3])
    wave_size: int = Field(description="Edge services at a time.", examples=[20])
    failures_max: int | None = Field(
        description="So many failures in a wave end it; none: it goes on.", examples=[1]
    )
    deadline_s: int = Field(
        description="So long a wave waits for edge services that are away.", examples=[600]
    )
    created_at: Time = Field(description="When it began.")
    created_by: str = Field(description="Who began it.", examples=["ada@example.com"])
    ended_at: Time | None = Field(description="When it was over.")
    counts: dict[str, int] = Field(
        description="Targets by state: waiting, running, succeeded, failed, expired, skipped.",
        examples=[{"succeeded": 20}],
    )


class TargetShown(Shown):
    """One edge service of a delivery."""

    service_id: Id
    service_name: str = Field(description="Its name when it began.", examples=["hall-3"])
    wave: int = Field(description="In which wave.", examples=[1])
    state: TargetStateName = Field(description="How it is.", examples=["succeeded"])
    message: str = Field(description="Why it is so.", examples=[""])
    ended_at: Time | None = Field(description="When that was known.")


class EdgeDeliveryDetail(EdgeDeliveryShown):
    """With its targets."""

    targets: list[TargetShown] = Field(description="Wave by wave.")


class DriftShown(Shown):
    """How far one edge service is from what it was given."""

    service_id: Id
    service_name: str = Field(description="Its name.", examples=["hall-3"])
    number: int = Field(description="The version that it is to have.", examples=[3])
    delivered_at: Time = Field(description="Since when.")
    state: DriftStateName = Field(
        description="`same`; `changed` there since; `other`: another version or none is there; `waiting`: it "
        "has not reported since.",
        examples=["same"],
    )
    presence: PresenceName = Field(description="Whether it is connected.", examples=["online"])
    reported: int | None = Field(
        description="The version that it says it has; none: it says nothing of it.", examples=[3]
    )
    reported_at: Time | None = Field(description="When it said so.")

    @classmethod
    def of(cls, one: Drift) -> DriftShown:
        return cls.model_validate(one)


class DriftList(Shown):
    """Edge service by edge service."""

    items: list[DriftShown] = Field(description="By name.")


def to_delivery(row: DeliveryRow, name: str, counts: Mapping[str, int]) -> EdgeDeliveryShown:
    """As lists show it."""
    return EdgeDeliveryShown(**_members(row, name, counts))


def to_detail(
    row: DeliveryRow, name: str, targets: list[TargetRow], language: str
) -> EdgeDeliveryDetail:
    """With its targets."""
    counts: dict[str, int] = {}
    for target in targets:
        counts[target.state] = counts.get(target.state, 0) + 1
    shown = [
        TargetShown(
            service_id=one.service_id,
            service_name=one.service_name,
            wave=one.wave,
            state=one.state,  # type: ignore[arg-type]  # one of the names, by the enumeration
            message=one.message_zh if language == "zh" else one.message,
            ended_at=one.ended_at,
        )
        for one in targets
    ]
    return EdgeDeliveryDetail(**_members(row, name, counts), targets=shown)


def _members(row: DeliveryRow, name: str, counts: Mapping[str, int]) -> dict[str, Any]:
    told = EdgeDeliveryShown.model_fields.keys() - {"template_name", "counts", "waves"}
    return {
        **{member: getattr(row, member) for member in told},
        "template_name": name,
        "counts": dict(counts),
        "waves": -(-sum(counts.values()) // row.wave_size),
    }
