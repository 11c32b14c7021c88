"""What the logs are made of, and what a place that keeps them can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rookery.contracts.agent_logs import SEVERITIES, LogEntry

DEBUG = SEVERITIES.index("debug")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where records come from.

    Attributes:
        stream: Names the file as long as it lives; with the agent and a position in it, a record.
        node: Which node writes it; empty: not known.
        file: Its name at that moment.
    """

    cluster_id: str
    agent_id: str
    stream: str
    node: str
    file: str
    project_id: str = ""
    """Whose share it takes of what may be kept."""


@dataclass(frozen=True, slots=True)
class Part:
    """Records of one file, in their order."""

    origin: Origin
    entries: Sequence[LogEntry]


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record as it is found. ``id`` is also the cursor behind it."""

    id: str
    time_ms: int
    severity: int
    cluster_id: str
    node: str
    file: str
    logger: str
    msg: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which records; none: no matter what.

    Attributes:
        severity_max: The least severe one, as a number of RFC 5424.
        terms: Each has to be in the record, whatever the case of its letters.
    """

    clusters: frozenset[str]
    since_ms: int | None = None
    until_ms: int | None = None
    severity_max: int = DEBUG
    node: str | None = None
    file: str | None = None
    terms: tuple[str, ...] = ()

    def takes(self, record: LogRecord) -> bool:
        """Whether it is one of those."""
        text = record.raw.lower()
        return (
            record.cluster_id in self.clusters
            and record.severity <= self.severity_max
            and (self.node is None or record.node == self.node)
            and (self.file is None or record.file == self.file)
            and (self.since_ms is None or record.time_ms >= self.since_ms)
            and (self.until_ms is None or record.time_ms <= self.until_ms)
            and all(term.lower() in text for term in self.terms)
        )


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many records of each severity a part of the time has."""

    index: int
    severity: int
    count: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file that records came from, and when the last one was written."""

    cluster_id: str
    node: str
    file: str
    last_ms: int


@dataclass(frozen=True, slots=True)
class Retention:
    """How long records stay: whichever comes first.

    Attributes:
        project_bytes_max: Of one project; none: whatever the others leave.
    """

    days: int
    bytes_max: int
    project_bytes_max: int | None = None


class LogStore(Protocol):
    """Keeps records. Everything may raise :class:`~rookery.errors.UnavailableError`."""

    async def open(self) -> None:
        """Make what it needs."""
        ...

    async def close(self) -> None:
        """May be called twice."""
        ...

    async def put(self, parts: Sequence[Part]) -> list[LogRecord]:
        """Keep them, all or none; those that were not there before."""
        ...

    async def page(
        self, wanted: LogFilter, size: int, *, after: str | None, is_newest_first: bool
    ) -> list[LogRecord]:
        """The next records by their time.

        Raises:
            InvalidError: ``after`` is no id of this place.
        """
        ...

    async def histogram(self, wanted: LogFilter, start_ms: int, width_ms: int) -> list[Bucket]:
        """How many there are in each part of the time."""
        ...

    def notice(self, records: Sequence[LogRecord]) -> str:
        """What other processes are told about records that were put here; empty: there are none
        that could read it.
        """
        ...

    async def noticed(self, notice: str, clusters: frozenset[str]) -> list[LogRecord]:
        """Those of these clusters that another process put here."""
        ...

    async def sources(self, clusters: frozenset[str]) -> list[Source]:
        """Where records of these clusters came from."""
        ...

    async def sweep(self, retention: Retention) -> None:
        """Let go of what is too old or too much."""
        ...

    async def size(self, project_id: str | None = None) -> int | None:
        """Octets that it takes, of one project or of all; none where nobody here knows."""
        ...
