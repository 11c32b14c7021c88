"""What a driver is written with.

A driver talks to one device. It is made from checked settings (no I/O), connected, asked again and again,
closed; then it may be connected again. One task asks it, one thing at a time, so it needs no locks. Whatever
waits for the device ends after the driver's own timeout.

    DeviceError              with a reason for people, in English and Chinese
    ├── LinkLost             no connection any more: it is closed, and connected again after a while
    ├── NoAnswer             the device did not answer this; the connection is good
    └── Refused              the device answered no

``docs/guides/edge-driver.md`` walks through a driver; ``drivers/simulator`` is the smallest one here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from rookery.edge.errors import (
    DISCONNECTED,
    NO_RESPONSE,
    NOT_SUPPORTED,
    READ_FAILURE,
    TAG_ADDRESS_FORMAT_INVALID,
    TAG_TYPE_NOT_SUPPORT,
    EdgeError,
)
from rookery.edge.model import Browsed, NodeKind, Tag, TagType, Value
from rookery.edge.schema import Field
from rookery.words import Words

P = TypeVar("P")

REASON_LENGTH_MAX = 300


class DeviceError(Exception):
    """The device, or the way to it, is not as it should be."""

    number = READ_FAILURE.number

    def __init__(self, reason: Words | str) -> None:
        words = reason if isinstance(reason, Words) else Words(reason, reason)
        self.words = Words(words.en[:REASON_LENGTH_MAX], words.zh[:REASON_LENGTH_MAX])
        super().__init__(self.words.en)


class LinkLost(DeviceError):  # noqa: N818 - a state, not a defect
    """There is no connection."""

    number = DISCONNECTED.number


class NoAnswer(DeviceError):  # noqa: N818
    """Nothing came in time."""

    number = NO_RESPONSE.number


class Refused(DeviceError):  # noqa: N818
    """The device said no."""


@dataclass(slots=True)
class Reading:
    """What came of reading tags: each is in one of the two.

    Attributes:
        values: As the device has them, before decimal and bias.
        errors: Numbers of errors, see :mod:`rookery.edge.errors`.
    """

    values: dict[str, Value] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)


class Driver(ABC, Generic[P]):
    """One device. ``P`` is what :meth:`plan` makes of tags, for :meth:`read`.

    Attributes:
        sent_bytes: To the device, where the driver can tell.
        received_bytes: From it.
    """

    sent_bytes = 0
    received_bytes = 0

    @abstractmethod
    async def connect(self) -> None:
        """Connect.

        Raises:
            DeviceError: it cannot be reached; says why.
        """

    @abstractmethod
    async def close(self) -> None:
        """End the connection. May be called twice, and when connecting failed."""

    @abstractmethod
    def plan(self, tags: Sequence[Tag]) -> P:
        """How these tags are read together; made once, used every cycle."""

    @abstractmethod
    async def read(self, plan: P) -> Reading:
        """Read tags. What fails for some of them is said in the reading.

        Raises:
            DeviceError: it fails for all of them.
        """

    async def write(self, tag: Tag, value: Value) -> None:
        """Write a value of the device's type.

        Raises:
            DeviceError: it was not taken.
        """
        raise Refused(_READ_ONLY)

    async def browse(self, parent: str) -> Sequence[Browsed]:
        """What is below a place in the device's tree; empty: its root.

        Raises:
            DeviceError: it cannot be read.
        """
        raise Refused(_NO_TREE)


_READ_ONLY = Words("this driver writes nothing", "该驱动不支持写入")
_NO_TREE = Words("this driver has no tree to browse", "该驱动不支持浏览")
_NO_TYPE = Words("not one of {types}", "不在 {types} 之列")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverType:
    """A kind of driver: ``TYPE`` of its folder.

    Attributes:
        types: Types that tags may have; empty: all.
        check_tag: Raises :class:`EdgeError` for a tag that the driver cannot have.
        check_setting: Raises :class:`EdgeError` for settings that do not go together.
        make: A driver from checked settings. Imports the client library.
        packages: Modules that must be there, of the extra ``rookery[edge]``.
    """

    name: str
    title: Words
    about: Words
    fields: tuple[Field, ...]
    make: Callable[[Mapping[str, Any]], Driver[Any]]
    check_tag: Callable[[Tag], None]
    check_setting: Callable[[Mapping[str, Any]], None] = lambda _setting: None
    types: frozenset[TagType] = frozenset()
    packages: tuple[str, ...] = ()
    can_browse: bool = False
    group_interval_ms: int = 1000

    kind = NodeKind.DRIVER

    def check(self, tag: Tag) -> None:
        """Refuse a tag that the driver cannot have.

        Raises:
            EdgeError: says why.
        """
        if tag.is_static:
            return
        if self.types and tag.type not in self.types:
            types = ", ".join(one.name for one in sorted(self.types))
            reason = _NO_TYPE.format(types=types)
            raise EdgeError(TAG_TYPE_NOT_SUPPORT, name=tag.name, reason=reason)
        self.check_tag(tag)


def bad_address(tag: Tag, reason: Words) -> EdgeError:
    """The error for an address that the driver does not understand."""
    return EdgeError(
        TAG_ADDRESS_FORMAT_INVALID, name=tag.name, address=tag.address or '""', reason=reason
    )


def unsupported(plugin: str, what: Words) -> EdgeError:
    """The error for what a kind of node cannot do."""
    return EdgeError(NOT_SUPPORTED, plugin=plugin, what=what)
