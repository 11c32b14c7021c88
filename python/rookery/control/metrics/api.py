"""``GET …/metrics`` of a cluster, or of an edge service: what it counted over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, Field

from rookery.control.clusters.api import PATH, Sees
from rookery.control.context import ControlContext
from rookery.control.edges.overview_api import Sees as SeesEdges
from rookery.control.metrics.keeping import Question, shown_lines
from rookery.control.metrics.series import BY_NAME, EDGE_BY_NAME, Unit
from rookery.control.metrics.tiers import Line, Plan
from rookery.control.rest.models import Shown, Time
from rookery.web.rest import errors

HOUR_S = 3600
Name = Literal[
    "connections",
    "liveConnections",
    "sessions",
    "subscriptions",
    "sharedSubscriptions",
    "topics",
    "retained",
    "received",
    "sent",
    "dropped",
    "persisted",
    "receivedBytes",
    "sentBytes",
    "connectionLimit",
    "nodesRunning",
    "latency",
    "rulesRunning",
    "rulesStopped",
    "connectorsConnected",
    "connectorsDisconnected",
    "load1",
    "load5",
    "load15",
    "memoryUsed",
    "memoryTotal",
]
EdgeName = Literal[
    "tags",
    "tagsInUse",
    "reads",
    "readErrors",
    "sent",
    "sendErrors",
    "cached",
    "driversRunning",
    "driversAbnormal",
    "appsRunning",
    "appsAbnormal",
    "rulesRunning",
    "rulesAbnormal",
    "streamIn",
    "streamOut",
    "load1",
    "memoryUsed",
    "memoryTotal",
    "processMemory",
]
Points = list[float | None]


class LineShown(Shown):
    """One figure over time."""

    name: str = Field(description="Which.", examples=["liveConnections"])
    unit: Unit = Field(description="What it counts.", examples=["count"])
    node: str = Field(description="Of which node; empty: of the whole.", examples=[""])
    values: Points = Field(
        description="The mean of each point; null where nothing was heard.",
        examples=[[812, 815.5, None]],
    )
    least: Points | None = Field(
        description="The least of each point; none where all are like their mean.",
        examples=[[800, 811, None]],
    )
    most: Points | None = Field(
        description="The most of each point; likewise.", examples=[[820, 819, None]]
    )


class MetricsShown(Shown):
    """Figures over time: point *n* is of the time from ``from + n × stepMs`` on."""

    from_: Time = Field(alias="from", description="Where the first point begins.")
    to: Time = Field(description="Where the last point ends.")
    step_ms: int = Field(description="How much time a point is of.", examples=[15000])
    series: list[LineShown] = Field(description="Line by line.")


def _span(
    from_: Annotated[
        AwareDatetime | None,
        Query(alias="from", description="From when on; without: for the hour before `to`."),
    ] = None,
    to: Annotated[
        AwareDatetime | None, Query(description="Until when; without: until now.")
    ] = None,
    last: Annotated[
        int | None,
        Query(
            ge=1,
            le=400 * 86_400,
            description="In place of `from`: so many seconds before `to`.",
        ),
    ] = None,
    step: Annotated[
        int | None,
        Query(ge=1, le=7 * 86_400, description="Seconds of a point, at least.", examples=[60]),
    ] = None,
) -> Question:
    return Question(
        from_ms=_ms(from_),
        to_ms=_ms(to),
        last_ms=(last or HOUR_S) * 1000,
        step_ms=None if step is None else step * 1000,
    )


Span = Annotated[Question, Depends(_span)]


def router(control: ControlContext) -> APIRouter:
    api = APIRouter()
    _clusters(api, control)
    _edges(api, control)
    return api


def _clusters(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        PATH + "/{cluster}/metrics",
        tags=["Clusters"],
        summary="What a cluster counted over time",
        responses=errors("NOT_FOUND", "BAD_REQUEST"),
    )
    async def metrics(
        access: Sees,
        cluster: str,
        span: Span,
        names: Annotated[
            list[Name] | None,
            Query(max_length=len(BY_NAME), description="Only these figures; without: all."),
        ] = None,
        node: Annotated[
            str,
            Query(
                max_length=256,
                description="Of this node; without: of the cluster as a whole; `*`: of everything.",
            ),
        ] = "",
    ) -> MetricsShown:
        """At most 2000 points of each figure: a point is of as much time as that takes, and of as
        much as the figures of that age are kept for. A gap is a gap.
        """
        question = replace(span, names=names or (), node=node)
        return _shown(*await control.monitoring.metrics.ask(access, cluster, question))


def _edges(api: APIRouter, control: ControlContext) -> None:
    @api.get(
        "/orgs/{org}/projects/{project}/edgeservices/{service}/metrics",
        tags=["Edge services"],
        summary="What an edge service counted over time",
        responses=errors("NOT_FOUND", "BAD_REQUEST"),
    )
    async def edge_metrics(
        access: SeesEdges,
        service: str,
        span: Span,
        names: Annotated[
            list[EdgeName] | None,
            Query(max_length=len(EDGE_BY_NAME), description="Only these figures; without: all."),
        ] = None,
    ) -> MetricsShown:
        """Kept as long and as finely as those of clusters; `node` of each line is empty."""
        question = replace(span, names=names or ())
        return _shown(*await control.monitoring.edge_metrics.ask(access, service, question))


def _shown(plan: Plan, lines: Sequence[Line]) -> MetricsShown:
    body: dict[str, Any] = {
        "from": plan.from_ms,
        "to": plan.to_ms,
        "step_ms": plan.step_ms,
        "series": shown_lines(lines),
    }
    return MetricsShown.model_validate(body)


def _ms(time: AwareDatetime | None) -> int | None:
    return None if time is None else max(0, round(time.timestamp() * 1000))
