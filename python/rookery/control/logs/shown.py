"""How logs look in the REST interface, and what can be asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AwareDatetime, Field

from rookery.contracts.agent_logs import SEVERITIES
from rookery.control.logs.models import LogFilter, LogRecord
from rookery.control.logs.terms import terms_of
from rookery.control.rest.models import Shown, Time

Level = Literal["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]
TEXT_LENGTH_MAX = 256
CLUSTERS_MAX = 200
SIZE_DEFAULT = 100
SIZE_MAX = 1000


class LogShown(Shown):
    """One record."""

    id: str = Field(
        description="Names it; also the cursor behind it.", examples=["1769846400000.3.17"]
    )
    time: Time = Field(description="When it was written.")
    level: Level = Field(description="How severe, as in RFC 5424.", examples=["warning"])
    cluster_id: str = Field(
        description="Of which cluster or edge service.", examples=["4f0c9a1b2d3e5f60"]
    )
    cluster_name: str = Field(description="As it is called.", examples=["Plant 1"])
    node: str = Field(description="Which node; empty: not known.", examples=["emqx@10.0.0.1"])
    file: str = Field(description="In which file of that node.", examples=["emqx.log.1"])
    logger: str = Field(description="Which part of it; empty: not said.", examples=["AUTHN"])
    message: str = Field(description="The message alone.", examples=["authenticator_result"])
    raw: str = Field(
        description="The whole record.",
        examples=["2026-01-31T08:00:00.000Z [warning] msg: authenticator_result"],
    )


class LogPage(Shown):
    """A part of what was found."""

    items: list[LogShown] = Field(description="By their time.")
    next_cursor: str | None = Field(
        description="`after` of the next part; null: there is none.",
        examples=["1769846400000.3.17"],
    )


class PartShown(Shown):
    """A part of the time."""

    at: Time = Field(description="When it begins.")
    counts: dict[Level, int] = Field(
        description="Records of each level that there are.", examples=[{"warning": 2}]
    )


class HistogramShown(Shown):
    """How many records there are, over time."""

    width_ms: int = Field(ge=1, description="How long each part is.", examples=[60_000])
    parts: list[PartShown] = Field(description="In their order, those without records too.")


class SourceShown(Shown):
    """A file that records came from."""

    node: str = Field(description="Which node; empty: not known.", examples=["emqx@10.0.0.1"])
    file: str = Field(description="Its name.", examples=["emqx.log.1"])
    last_at: Time = Field(description="When the last record was written.")


class ClusterSources(Shown):
    """What came from one cluster."""

    cluster_id: str = Field(description="Which one.", examples=["4f0c9a1b2d3e5f60"])
    cluster_name: str = Field(description="As it is called.", examples=["Plant 1"])
    problem: str = Field(
        description="What its agent says is wrong with the logs; empty: nothing.", examples=[""]
    )
    sources: list[SourceShown] = Field(description="Empty: nothing ever came.")


class SourcesShown(Shown):
    """Where the logs of a project come from."""

    is_enabled: bool = Field(description="Whether logs are taken in at all.", examples=[True])
    retention_days: int = Field(description="How long records stay.", examples=[7])
    kept_bytes: int | None = Field(
        description="What the project's records take; null: the place that keeps them does not know.",
        examples=[1_048_576],
    )
    most_bytes: int | None = Field(
        description="What they may take at most: of the project that has most the oldest go first.",
        examples=[1 << 30],
    )
    clusters: list[ClusterSources] = Field(description="All clusters of the project, by name.")


ClustersQuery = Annotated[
    list[str] | None,
    Query(
        alias="cluster",
        max_length=CLUSTERS_MAX,
        description="Only of these clusters and edge services; without: all.",
    ),
]


class Asked:
    """Which records, without the clusters: those are looked up."""

    def __init__(
        self,
        cluster: ClustersQuery = None,
        level: Annotated[Level, Query(description="The least severe level.")] = "debug",
        node: Annotated[str | None, Query(max_length=256, description="Only of this node.")] = None,
        file: Annotated[str | None, Query(max_length=256, description="Only of this file.")] = None,
        text: Annotated[
            str,
            Query(
                max_length=TEXT_LENGTH_MAX,
                description="Words that a record has to hold, all of them and as part of longer ones; "
                "what is between quotation marks is one.",
                examples=["clientid: c1"],
            ),
        ] = "",
        since: Annotated[AwareDatetime | None, Query(description="Not before.")] = None,
        until: Annotated[AwareDatetime | None, Query(description="Not after.")] = None,
    ) -> None:
        self.clusters = cluster
        self.severity_max = SEVERITIES.index(level)
        # What no file can hold is in none.
        self.node = node
        self.file = file
        self.terms = terms_of(text)
        self.since_ms = None if since is None else int(since.timestamp() * 1000)
        self.until_ms = None if until is None else int(until.timestamp() * 1000)

    def of(self, clusters: Mapping[str, str]) -> LogFilter:
        """The filter for those clusters."""
        return LogFilter(
            clusters=frozenset(clusters),
            since_ms=self.since_ms,
            until_ms=self.until_ms,
            severity_max=self.severity_max,
            node=self.node or None,
            file=self.file or None,
            terms=self.terms,
        )


AskedQuery = Annotated[Asked, Depends()]


def to_shown(record: LogRecord, clusters: Mapping[str, str]) -> LogShown:
    """As it is answered."""
    return LogShown(
        id=record.id,
        time=record.time_ms,
        level=SEVERITIES[record.severity],  # type: ignore[arg-type]  # the words are those of Level
        cluster_id=record.cluster_id,
        cluster_name=clusters.get(record.cluster_id, ""),
        node=record.node,
        file=record.file,
        logger=record.logger,
        message=record.msg,
        raw=record.raw,
    )
