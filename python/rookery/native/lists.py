"""Lists and operations of the management plane: queries go down, rows come up.

Filtering, sorting and counting happen in the core, a slice at a time between messages; only the
page that was asked for becomes Python objects. Every method of :class:`Lists` may be called from
any thread and waits for the workers: milliseconds for a list of a hundred thousand clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, ParamSpec, TypeAlias, TypeVar

from rookery import _native
from rookery.errors import BadRequestError
from rookery.native.errors import translate
from rookery.native.models import Message, PublishOutcome, SubscriptionInfo

if TYPE_CHECKING:
    from rookery.native.node import Publication

OFFSET_MAX = (1 << 62) - 1
"""No list is longer; a page behind it is empty, whatever number it has."""

_P = ParamSpec("_P")
_T = TypeVar("_T")

ClientSort: TypeAlias = Literal[
    "clientid", "username", "created_at", "connected_at", "disconnected_at", "mqueue_len",
    "mqueue_dropped", "inflight_cnt", "subscriptions_cnt", "keepalive", "proto_ver",
]  # fmt: skip
"""What clients can be sorted by."""

SubscriptionSort: TypeAlias = Literal["clientid", "topic", "qos", "nl", "rap", "rh"]
"""What subscriptions can be sorted by."""

MessageSort: TypeAlias = Literal[
    "topic", "qos", "from_clientid", "from_username", "publish_at", "expected_at"
]
"""What messages can be sorted by; those that are not delayed have no ``expected_at``."""

Between: TypeAlias = tuple[int | None, int | None]
"""First and last; none is no bound."""

MessagePlace: TypeAlias = tuple[int, int]
"""Where a message lies among those on their way to a client; to go on behind it."""


class ClientQuery(NamedTuple):
    """Which clients are wanted; what is not set is not looked at. Times in ms since 1970."""

    client_ids: Sequence[str] = ()
    usernames: Sequence[str] = ()
    like_client_id: str | None = None
    like_username: str | None = None
    ip: str | None = None
    is_connected: bool | None = None
    clean_start: bool | None = None
    protocol_version: int | None = None
    created_ms: Between = (None, None)
    connected_ms: Between = (None, None)
    sort: ClientSort | None = None
    is_descending: bool = False


class SubscriptionQuery(NamedTuple):
    """Which subscriptions are wanted; what is not set is not looked at.

    ``match_topic`` finds filters that it matches, and, without wildcards, filters that match it.
    """

    client_id: str | None = None
    qos: int | None = None
    topic: str | None = None
    match_topic: str | None = None
    share_group: str | None = None
    is_durable: bool | None = None
    sort: SubscriptionSort | None = None
    is_descending: bool = False


class TopicQuery(NamedTuple):
    """Which topic filters are wanted: those with a part, in alphabetical order or in none."""

    like: str | None = None
    is_sorted: bool = False
    is_descending: bool = False


class MessageQuery(NamedTuple):
    """Which retained or delayed messages are wanted; what is not set is not looked at.

    ``topic_filter`` is for retained ones alone.
    """

    topic_filter: str | None = None
    like_topic: str | None = None
    like_client_id: str | None = None
    qos: int | None = None
    sort: MessageSort | None = None
    is_descending: bool = False


class ClientView(NamedTuple):
    """A client as :class:`rookery.native.models.Client`, its bounds (0: none) and its traffic.

    Traffic is that of the present connection; 0 while the client is away. Of a session that an older
    version stored, nothing is known about the latest connection: its facts are none.
    """

    client_id: str
    username: str | None
    is_connected: bool
    host: str | None
    port: int | None
    listener: str | None
    protocol_version: int
    keep_alive_s: int | None
    clean_start: bool | None
    session_expiry_interval_s: int
    created_at_ms: int
    connected_at_ms: int | None
    disconnected_at_ms: int  # 0 while connected
    generation: int
    subscriptions: int
    subscriptions_max: int
    inflight: int
    inflight_max: int
    queued: int
    queued_max: int
    dropped: int
    awaiting_rel: int
    awaiting_rel_max: int
    is_durable: bool
    cert_common_name: str | None
    cert_subject: str | None
    client_attrs: list[tuple[str, str]]
    is_superuser: bool
    zone: str | None
    mountpoint: str
    reads: int
    bytes_received: int
    packets_received: int
    received_qos0: int
    received_qos1: int
    received_qos2: int
    received_refused: int
    writes: int
    bytes_sent: int
    packets_sent: int
    sent_qos0: int
    sent_qos1: int
    sent_qos2: int
    dropped_expired: int
    dropped_too_large: int


class SubscriptionView(NamedTuple):
    """A subscription with its client."""

    client_id: str
    topic_filter: str
    qos: int
    no_local: bool
    retain_as_published: bool
    retain_handling: int
    is_durable: bool


class MessageHead(NamedTuple):
    """A message without properties and payload."""

    id: int
    timestamp_ms: int
    expires_at_ms: int
    qos: int
    retain: bool
    topic: str
    payload_bytes: int
    client_id: str
    username: str | None


class SubscribeRequest(NamedTuple):
    """A subscription to make for a client."""

    topic_filter: str
    qos: int = 0
    no_local: bool = False
    retain_as_published: bool = False
    retain_handling: int = 0


class Subscribed(NamedTuple):
    """What became of it: the subscription as granted, or none and the reason code."""

    subscription: SubscriptionInfo | None
    reason: int


class WaitingMessage(NamedTuple):
    """A message on its way to a client, with the QoS of its delivery."""

    message: Message
    qos: int
    priority: int
    place: MessagePlace


class KeptAnswer(NamedTuple):
    """An answer about a topic that is kept while a client is connected."""

    action: Literal["publish", "subscribe"]
    qos: int
    retain: bool
    topic: str
    is_allowed: bool
    at_ms: int


class TopicCounts(NamedTuple):
    """What was counted of a topic since it is counted."""

    topic: str
    received_qos0: int
    received_qos1: int
    received_qos2: int
    sent_qos0: int
    sent_qos1: int
    sent_qos2: int
    dropped: int


def _call(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    try:
        return function(*args, **kwargs)
    except _native.NativeError as error:
        raise translate(error) from None


class Lists:
    """What the management plane asks of a node.

    Every method raises UnavailableError when the node is stopping or too many lists are made.
    """

    def __init__(self, native: _native.Node) -> None:
        self._native = native

    def clients_page(
        self, query: ClientQuery, offset: int, limit: int
    ) -> tuple[list[ClientView], int]:
        """Clients that are wanted, ``limit`` of them behind ``offset``, and how many in all."""
        rows, count = _call(self._native.clients_page, query, min(offset, OFFSET_MAX), limit)
        return [ClientView._make(row) for row in rows], count

    def clients_after(
        self, query: ClientQuery, cursor: int, limit: int
    ) -> tuple[list[ClientView], int]:
        """Clients that are wanted from a cursor on, in no order; 0 starts, 0 ends."""
        rows, following = _call(self._native.clients_after, query, cursor, limit)
        return [ClientView._make(row) for row in rows], following

    def client_view(self, client_id: str) -> ClientView | None:
        """A client, connected or away."""
        row = _call(self._native.client_view, client_id)
        return None if row is None else ClientView._make(row)

    def subscriptions_page(
        self, query: SubscriptionQuery, offset: int, limit: int
    ) -> tuple[list[SubscriptionView], int]:
        """Subscriptions that are wanted, and how many in all."""
        rows, count = _call(self._native.subscriptions_page, query, min(offset, OFFSET_MAX), limit)
        return [SubscriptionView._make(row) for row in rows], count

    def topics_page(self, query: TopicQuery, offset: int, limit: int) -> tuple[list[str], int]:
        """Topic filters that are wanted of those that somebody subscribed to, and how many."""
        return _call(self._native.topics_page, query, min(offset, OFFSET_MAX), limit)

    def has_topic(self, topic_filter: str) -> bool:
        """Whether somebody subscribed to a filter."""
        return _call(self._native.has_topic, topic_filter)

    def retained_page(
        self, query: MessageQuery, offset: int, limit: int
    ) -> tuple[list[MessageHead], int]:
        """Retained messages that are wanted, and how many."""
        rows, count = _call(self._native.retained_page, query, min(offset, OFFSET_MAX), limit)
        return [MessageHead._make(row) for row in rows], count

    def retained(self, topic: str) -> Message | None:
        """The retained message of a topic."""
        row = _call(self._native.retained, topic)
        return None if row is None else Message.from_row(row)

    def retain(self, messages: Sequence[Message]) -> int:
        """Keep messages as the retained ones of their topics; how many there was room for.

        Nobody is told.

        Raises:
            BadRequestError: one is no message that MQTT allows.
        """
        try:
            return _call(self._native.retain, [message.to_row() for message in messages])
        except (ValueError, OverflowError) as error:
            raise BadRequestError(str(error)) from None

    def remove_retained(self, topic_filter: str | None) -> int:
        """Forget retained messages that match (none: all); how many. Nobody is told."""
        return _call(self._native.remove_retained, topic_filter)

    def delayed_page(
        self, query: MessageQuery, offset: int, limit: int
    ) -> tuple[list[tuple[int, MessageHead]], int]:
        """Delayed messages that are wanted with their time in ms since 1970, and how many; without
        an order the next one comes first.
        """
        rows, count = _call(self._native.delayed_page, query, min(offset, OFFSET_MAX), limit)
        return [(due_ms, MessageHead._make(head)) for due_ms, head in rows], count

    def delayed(self, message_id: int) -> tuple[int, Message] | None:
        """A delayed message and its time in ms since 1970."""
        row = _call(self._native.delayed, message_id)
        return None if row is None else (row[0], Message.from_row(row[1]))

    def remove_delayed(self, message_id: int) -> bool:
        """Forget a delayed message; whether it still waited."""
        return _call(self._native.remove_delayed, message_id)

    def remove_delayed_to(self, topic: str) -> int:
        """Forget the delayed messages for a topic; how many still waited."""
        return _call(self._native.remove_delayed_to, topic)

    def publish_all(self, publications: Iterable[Publication]) -> list[PublishOutcome]:
        """Publish messages; what became of each.

        Raises:
            BadRequestError: a Topic Name breaks a rule of MQTT; then none was sent.
        """
        outcomes = _call(self._native.publish_all, list(publications))
        return [PublishOutcome._make(outcome) for outcome in outcomes]

    def kick_all(self, client_ids: Sequence[str]) -> int:
        """End connections and sessions of clients; how many were there."""
        return _call(self._native.kick_all, list(client_ids))

    def move_all(self, client_ids: Sequence[str]) -> int:
        """End connections as :meth:`set_redirect` says, sessions stay; how many there were."""
        return _call(self._native.move_all, list(client_ids))

    def set_redirect(
        self, *, is_on: bool, for_good: bool = False, server_reference: str | None = None
    ) -> None:
        """Send clients that connect from now on elsewhere, or take them again."""
        _call(self._native.set_redirect, is_on, for_good, server_reference)

    def subscribe_client(
        self, client_id: str, filters: Sequence[SubscribeRequest]
    ) -> list[Subscribed] | None:
        """Subscribe for a client that is there or away; none when there is no such client."""
        rows = _call(self._native.subscribe_client, client_id, list(filters))
        if rows is None:
            return None
        return [
            Subscribed(None if row is None else SubscriptionInfo.from_row(row), reason)
            for row, reason in rows
        ]

    def unsubscribe_client(self, client_id: str, filters: Sequence[str]) -> list[int] | None:
        """Unsubscribe for a client; the reason code of each filter."""
        found = _call(self._native.unsubscribe_client, client_id, list(filters))
        return None if found is None else list(found)

    def set_keep_alive(self, client_id: str, interval_s: int) -> bool:
        """Give a connected client another Keep Alive; whether it is connected."""
        return _call(self._native.set_keep_alive, client_id, interval_s)

    def acl_cache(self, client_id: str) -> list[KeptAnswer] | None:
        """Answers that are kept about a client's topics."""
        rows = _call(self._native.acl_cache, client_id)
        return None if rows is None else [KeptAnswer._make(row) for row in rows]

    def client_messages(
        self,
        client_id: str,
        *,
        in_flight: bool,
        after: MessagePlace | None,
        limit: int,
        bytes_max: int,
    ) -> tuple[list[WaitingMessage], MessagePlace | None] | None:
        """Messages in flight to a client, or queued for it, and where to go on.

        Args:
            client_id: The client.
            in_flight: Those in flight, else those queued.
            after: Where the last page ended.
            limit: Most messages.
            bytes_max: Most bytes of payloads; the first message comes in any case.
        """
        found = _call(self._native.client_messages, client_id, in_flight, after, limit, bytes_max)
        if found is None:
            return None
        rows, following = found
        messages = [
            WaitingMessage(Message.from_row(row), qos, priority, place)
            for row, qos, priority, place in rows
        ]
        return messages, following

    def count_topics(self, topics: Iterable[str]) -> None:
        """Count messages of exactly these topics from now on; those that were counted go on."""
        _call(self._native.count_topics, list(topics))

    def topic_counts(self) -> list[TopicCounts]:
        """What was counted, by topic."""
        rows: list[tuple[Any, ...]] = _call(self._native.topic_counts)
        return [TopicCounts._make(row) for row in rows]
