"""What the operations about pushes take and give."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from rookery.control.alarms.push.presets import WebhookKind
from rookery.control.alarms.push.service import (
    HEADERS_MAX,
    URL_LENGTH_MAX,
    ChannelWanted,
    WebhookWanted,
)
from rookery.control.alarms.push.store import NAME_LENGTH_MAX, ChannelRow, DeliveryRow
from rookery.control.alarms.push.template import LENGTH_MAX
from rookery.control.clusters.shown import Label
from rookery.control.rest.models import Given, Id, Shown, Time

WebhookName: TypeAlias = Literal["json", "dingtalk", "feishu", "wecom", "slack"]
MediumName: TypeAlias = Literal["mail", "webhook"]
StateName: TypeAlias = Literal["queued", "sent", "failed", "dropped"]
EventName: TypeAlias = Literal["fired", "resolved", "storm", "test"]
RECIPIENTS_MAX = 10
LABELS_MAX = 20


class HeaderGiven(Given):
    """A header that is sent along."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=64),
        Field(description="Its name.", examples=["Authorization"]),
    ]
    value: Annotated[str, StringConstraints(max_length=1024)] | None = Field(
        default=None, description="Its value; absent: the one that is kept.", examples=["Bearer x"]
    )


class WebhookGiven(Given):
    """A webhook to be called."""

    kind: WebhookName = Field(
        default="json",
        description="`json` with a template, or one of the services.",
        examples=["json"],
    )
    url: Annotated[str, StringConstraints(max_length=URL_LENGTH_MAX)] | None = Field(
        default=None,
        description="Where; absent: as before. It may hold a key and is not shown again.",
        examples=["https://hooks.example.com/alarms"],
    )
    headers: list[HeaderGiven] = Field(
        default_factory=list, max_length=HEADERS_MAX, description="Sent along."
    )
    secret: Annotated[str, StringConstraints(max_length=256)] | None = Field(
        default=None,
        description="Signs what is sent; absent: as before, empty: nothing does.",
        examples=["correct horse battery staple"],
    )
    template: Annotated[str, StringConstraints(max_length=LENGTH_MAX)] = Field(
        default="",
        description="The body, JSON with variables; empty: the usual one.",
        examples=[""],
    )


class ChannelGiven(Given):
    """A push configuration."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=NAME_LENGTH_MAX, strip_whitespace=True),
        Field(description="What it is called.", examples=["night shift"]),
    ]
    is_enabled: bool = Field(default=True, description="Whether it tells.", examples=[True])
    language: Literal["en", "zh"] = Field(
        default="en", description="What it speaks.", examples=["en"]
    )
    pushes_clusters: bool = Field(
        default=True, description="Whether it tells of alarms of clusters.", examples=[True]
    )
    labels: list[Label] = Field(
        default_factory=list,
        max_length=LABELS_MAX,
        description="Only of clusters with one of these labels; none: of all.",
        examples=[["site=east"]],
    )
    recipients: list[Annotated[str, StringConstraints(max_length=254)]] = Field(
        default_factory=list,
        max_length=RECIPIENTS_MAX,
        description="Who gets mail.",
        examples=[["ops@example.com"]],
    )
    webhook: WebhookGiven | None = Field(default=None, description="What is called; null: nothing.")


class WebhookShown(Shown):
    """A webhook, without what is secret in it."""

    kind: WebhookName = Field(description="Who is called.", examples=["json"])
    host: str = Field(
        description="Scheme and host of its address.", examples=["https://hooks.example.com"]
    )
    header_names: list[str] = Field(
        description="Names of the headers that are sent along.", examples=[["Authorization"]]
    )
    is_signed: bool = Field(description="Whether there is a secret.", examples=[True])
    template: str = Field(description="The body; empty: the usual one.", examples=[""])


class ChannelShown(Shown):
    """A push configuration."""

    id: Id
    name: str = Field(description="What it is called.", examples=["night shift"])
    is_enabled: bool = Field(description="Whether it tells.", examples=[True])
    language: Literal["en", "zh"] = Field(description="What it speaks.", examples=["en"])
    pushes_clusters: bool = Field(
        description="Whether it tells of alarms of clusters.", examples=[True]
    )
    labels: list[str] = Field(
        description="Only of clusters with one of these labels; none: of all.",
        examples=[["site=east"]],
    )
    recipients: list[str] = Field(description="Who gets mail.", examples=[["ops@example.com"]])
    webhook: WebhookShown | None = Field(description="What is called; null: nothing.")
    created_at: Time = Field(description="Since when.")


class PushTestGiven(Given):
    """What is tried."""

    medium: MediumName = Field(description="By which way.", examples=["webhook"])


class PushTestShown(Shown):
    """What came of it."""

    is_sent: bool = Field(description="Whether the other side took it.", examples=[True])
    status: int | None = Field(description="The HTTP status, if there was one.", examples=[200])
    reason: str = Field(description="Why it was not sent.", examples=[""])
    duration_ms: int = Field(description="How long it took.", examples=[120])


class DeliveryShown(Shown):
    """A message: one that waits, or what became of it."""

    id: Id
    channel_id: str = Field(description="The push configuration.", examples=["4f0c9a1b2d3e5f60"])
    channel_name: str = Field(description="What it was called.", examples=["night shift"])
    medium: MediumName = Field(description="By which way.", examples=["mail"])
    event: EventName = Field(description="Of what it tells.", examples=["fired"])
    alarm_id: str | None = Field(description="The alarm.", examples=["4f0c9a1b2d3e5f60"])
    state: StateName = Field(description="What became of it.", examples=["sent"])
    attempts: int = Field(description="How often it was tried.", examples=[1])
    status: int | None = Field(description="The last HTTP status.", examples=[200])
    reason: str = Field(description="Why the last attempt failed.", examples=[""])
    duration_ms: int | None = Field(description="How long the last attempt took.", examples=[120])
    created_at: Time = Field(description="Since when it is to be sent.")
    due_at: Time = Field(description="When the next attempt is, while it waits.")
    finished_at: Time | None = Field(description="When it was sent or given up; null: it waits.")


class TemplateShown(Shown):
    """The usual body of a webhook, to begin with."""

    template: str = Field(description="JSON with variables.", examples=['{"data": "${contents}"}'])
    variables: list[str] = Field(description="What it may hold.", examples=[["name", "contents"]])
    required: list[str] = Field(description="What it has to hold.", examples=[["name"]])


def wanted_of(given: ChannelGiven) -> ChannelWanted:
    """What the service takes."""
    webhook = given.webhook
    return ChannelWanted(
        name=given.name,
        is_enabled=given.is_enabled,
        language=given.language,
        pushes_clusters=given.pushes_clusters,
        labels=given.labels,
        recipients=given.recipients,
        webhook=None
        if webhook is None
        else WebhookWanted(
            kind=WebhookKind(webhook.kind),
            url=webhook.url or None,
            headers={header.name: header.value for header in webhook.headers},
            secret=webhook.secret,
            template=webhook.template,
        ),
    )


def to_channel(row: ChannelRow) -> ChannelShown:
    """As it is sent."""
    webhook = None
    if row.webhook_kind:
        webhook = WebhookShown.model_validate(
            {
                "kind": row.webhook_kind,
                "host": row.webhook_host,
                "header_names": row.webhook_header_names,
                "is_signed": bool(row.webhook_secret),
                "template": row.webhook_template,
            }
        )
    names = ChannelShown.model_fields.keys() - {"webhook"}
    return ChannelShown.model_validate(
        {**{name: getattr(row, name) for name in names}, "webhook": webhook}
    )


def to_delivery(row: DeliveryRow, language: str) -> DeliveryShown:
    """As it is sent."""
    names = DeliveryShown.model_fields.keys() - {"reason"}
    reason = row.reason_zh if language == "zh" else row.reason
    return DeliveryShown.model_validate(
        {**{name: getattr(row, name) for name in names}, "reason": reason}
    )
