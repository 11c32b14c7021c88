"""What a type of connector is written with.

Life of a connector: made from its settings (no I/O), :meth:`Connector.start`, then
:meth:`Connector.check` again and again, :meth:`Connector.stop`. After ``Unhealthy`` the same object
is stopped and started again. Its actions and sources are made from settings too, before it is
connected, and stay through every reconnect.

    ConnectorError           with a reason for people, in English and Chinese
    ├── Unhealthy            not connected: stop, wait, start again
    ├── Reconnecting         the client connects again by itself: only ask again
    ├── Recoverable          the service cannot take this now: the same again later, in order
    └── Unrecoverable        the service will never take this: counted as failed
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from rookery.access.errors import Words
from rookery.clock import Clock, SystemClock
from rookery.connectors.settings import ActionSettings, ConnectorSettings, SourceSettings, ZhTexts
from rookery.errors import UnavailableError
from rookery.native.action_fields import ActionItem, FieldSpec

C = TypeVar("C", bound=ConnectorSettings)
A = TypeVar("A", bound=ActionSettings)
S = TypeVar("S", bound=SourceSettings)

Columns = Mapping[str, Any]
"""A message of a source by the names that rules know: JSON values and ``bytes``."""

REASON_LENGTH_MAX = 500


class ConnectorError(UnavailableError):
    """Something outside is not as it should be; :attr:`words` says what, without any secret."""

    def __init__(self, reason: Words | str) -> None:
        words = reason if isinstance(reason, Words) else Words(reason, reason)
        self.words = Words(words.en[:REASON_LENGTH_MAX], words.zh[:REASON_LENGTH_MAX])
        super().__init__(self.words.en, message_zh=self.words.zh)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.words,)


class Unhealthy(ConnectorError):  # noqa: N818 - a state, not a defect
    """There is no connection."""


class Reconnecting(ConnectorError):  # noqa: N818
    """There is no connection, and one is being made."""


class Recoverable(ConnectorError):  # noqa: N818
    """Nothing of it was taken, or that is not known: all of it is sent again, in order.

    ``is_connection``: whether the connection is in doubt, so that it is checked at once.
    """

    def __init__(self, reason: Words | str, *, is_connection: bool = True) -> None:
        super().__init__(reason)
        self.is_connection = is_connection

    def __reduce__(self) -> tuple[object, ...]:
        return _recoverable, (self.words, self.is_connection)


def _recoverable(words: Words, is_connection: bool) -> Recoverable:
    return Recoverable(words, is_connection=is_connection)


class Unrecoverable(ConnectorError):  # noqa: N818
    """It would be refused again."""


@dataclass(frozen=True, slots=True)
class ItemFailure:
    """One item of a batch whose others were taken.

    Attributes:
        number: Of the item.
        reason: Why.
        is_recoverable: Whether it is worth sending again. Later items of the same client in the
            same batch have been taken already, so this is for services that tell such things apart.
        in_company: Whether all that were under way together failed over one of them, because that
            one ended their connection, say. Which one is found out by sending each alone; one that
            fails alone is given up.
    """

    number: int
    reason: Words | str
    is_recoverable: bool = False
    in_company: bool = False


class Action(ABC):
    """Sends what rules made of messages. Belongs to one event loop.

    Attributes:
        fields: What it wants of every result; the values stand in ``ActionItem.fields`` in that
            order. A fallback adds one of its own behind them.
        batch: Whether :meth:`send` can take more than one item.
    """

    fields: tuple[FieldSpec, ...] = ()
    batch: ClassVar[bool] = False

    async def start(self) -> None:  # noqa: B027 - many have nothing to do
        """Get ready, each time after the connector has connected.

        Raises:
            Unhealthy: this action cannot work, such as for want of a table.
        """

    async def stop(self) -> None:  # noqa: B027
        """Undo :meth:`start`. May be called twice, and before."""

    async def check(self) -> None:  # noqa: B027
        """Whether it still can work, each time after the connector was checked.

        Raises:
            Unhealthy: it cannot.
        """

    @abstractmethod
    async def send(self, items: Sequence[ActionItem]) -> Sequence[ItemFailure] | None:
        """Send, and return when the service has taken it. May be cancelled; has a deadline of
        its own.

        Items of one client stand in their order. Items with another key may be under way at the
        same time in other calls.

        Raises:
            Recoverable: the whole batch is to be sent again, later.
            Unrecoverable: the whole batch has failed.
        """


Receive = Callable[[Columns], Awaitable[int]]
"""Takes a message of a source; when it returns, with how many rules took it, the message may be
acknowledged where it came from."""


class Source(ABC):
    """Takes messages from outside. Belongs to one event loop."""

    async def check(self) -> None:  # noqa: B027
        """Whether it works.

        Raises:
            Unhealthy: it does not.
        """

    @abstractmethod
    async def run(self) -> None:
        """Receive until cancelled; begun each time after the connector has connected. Goes on
        while the connector is ``Reconnecting``.

        Raises:
            Unhealthy: it cannot go on; it is begun again later.
        """


class Connector(ABC, Generic[A, S]):
    """A way to a service. Belongs to one event loop."""

    @abstractmethod
    async def start(self) -> None:
        """Connect; also again after :meth:`stop`. Undoes what it did when it fails.

        Raises:
            Unhealthy: the service cannot be reached.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Disconnect. May be called twice, and without :meth:`start`."""

    @abstractmethod
    async def check(self) -> None:
        """Ask the service for a sign of life; has a deadline from outside.

        Raises:
            Unhealthy: there is none.
            Reconnecting: there is none, and the client is trying.
        """

    def open_action(self, settings: A) -> Action:
        """Make an action; no I/O.

        Raises:
            SettingError: with these settings it cannot work.
        """
        raise NotImplementedError(f"{type(self).__name__} has no actions: {settings!r}")

    def open_source(self, settings: S, receive: Receive) -> Source:
        """Make a source; no I/O.

        Raises:
            SettingError: with these settings it cannot work.
        """
        raise NotImplementedError(f"{type(self).__name__} has no sources: {settings!r} {receive!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a connector is told besides its settings.

    Attributes:
        id: ``type:name``, for its log and for names that it shows elsewhere.
        node: Name of the node.
        data_dir: Where the node keeps its data; a type takes a folder of its own below.
        clock: What the time is.
        file_dirs: Folders of the machine in which files may be written and read, besides.
    """

    id: str
    node: str
    data_dir: Path
    clock: Clock = field(default_factory=SystemClock)
    file_dirs: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorType(Generic[C]):
    """One type, as its folder exports it under the name ``TYPE``.

    Attributes:
        name: EMQX's, such as ``http``.
        title: For people.
        about: What it is for, in a sentence.
        extra: ``rookery[extra]`` that its client library comes with; none: always there.
        packages: Modules of that library, to see whether it is there.
        connector_settings: What the connector is made from.
        action_settings: … its actions; none: it has none.
        source_settings: … its sources.
        texts_zh: Titles and descriptions of the fields in Chinese.
        refuse: What else can be said against settings when they are written, without contacting
            anything; not asked when a node starts. Raises SettingError.
        open: Makes a connector; no I/O, and without the client library, which only
            :meth:`Connector.start` imports: actions of a connector whose library is missing are
            made all the same. Raises SettingError.
    """

    name: str
    title: Words
    about: Words
    extra: str | None = None
    packages: tuple[str, ...] = ()
    connector_settings: type[C]
    action_settings: type[ActionSettings] | None = None
    source_settings: type[SourceSettings] | None = None
    texts_zh: ZhTexts
    open: Callable[[C, Context], Connector[Any, Any]]
    refuse: Callable[[C, Context], None] | None = None
