"""What an application on the north side is written with.

An application is started with its settings and gets reports of the groups that it subscribed to. It may
never hold a driver up: :meth:`Application.take` returns at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rookery.clock import Clock
from rookery.edge.model import (
    LinkState,
    NodeKind,
    NodeStatus,
    Report,
    Subscription,
    Tag,
    TagValue,
    Write,
    Written,
)
from rookery.edge.schema import Field
from rookery.words import Words


class Drivers(Protocol):
    """What an application may ask of the drivers."""

    def read(self, node: str, group: str) -> tuple[TagValue, ...]:
        """What was read last; raises EdgeError where there is no such group."""
        ...

    def tags(self, node: str, group: str) -> Mapping[str, Tag]:
        """The tags of a group; raises EdgeError where there is none."""
        ...

    async def write_all(self, node: str, writes: Sequence[Write]) -> tuple[Written, ...]:
        """Write values; raises EdgeError where there is no such node."""
        ...

    def statuses(self) -> tuple[NodeStatus, ...]:
        """Of all drivers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an application is.

    Attributes:
        folder: Its own, for what it keeps on disk.
        link: Called with every change of its connection.
        backoff_s: How long it waits before it connects again, at first and at most.
    """

    name: str
    folder: Path
    clock: Clock
    drivers: Drivers
    link: Callable[[LinkState, Words | None], None]
    backoff_s: tuple[float, float]


class Application(ABC):
    """One application that runs."""

    @abstractmethod
    async def start(self, subscriptions: Sequence[Subscription]) -> None:
        """Begin; connecting goes on in the background."""

    @abstractmethod
    async def stop(self) -> None:
        """End, and keep on disk what was not sent. May be called twice."""

    @abstractmethod
    def take(self, report: Report, subscription: Subscription) -> None:
        """Send a report on, some time. Never waits."""

    @abstractmethod
    def subscribed(self, subscriptions: Sequence[Subscription]) -> None:
        """What it is subscribed to, after each change."""

    @abstractmethod
    def linked(self, status: NodeStatus) -> None:
        """A driver's state has changed."""

    @abstractmethod
    def figures(self) -> Mapping[str, int | float]:
        """Counters since the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppType:
    """A kind of application: ``TYPE`` of its folder.

    Attributes:
        check_params: Parameters of a subscription of an application to a driver's group, checked and
            completed; raises EdgeError.
        check_setting: Raises EdgeError for settings that do not go together.
    """

    name: str
    title: Words
    about: Words
    fields: tuple[Field, ...]
    make: Callable[[Mapping[str, Any], Place], Application]
    check_params: Callable[[Mapping[str, Any], str, str, str], dict[str, Any]]
    check_setting: Callable[[Mapping[str, Any]], None] = lambda _setting: None
    packages: tuple[str, ...] = ()

    kind = NodeKind.APP
