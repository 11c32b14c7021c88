"""Hooks: what a program can decide about clients and messages, and what it can be told.

A hook is a function with one of the names below, or a method of that name on any object; it may be
``async``. Deriving from :class:`Hooks` is a way to have the signatures checked, not a duty.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from rookery.errors import BadRequestError
from rookery.native.config import HookSwitches
from rookery.native.models import Client, ConnAck, Message, SubscriptionInfo

_T = TypeVar("_T")

Now: TypeAlias = Awaitable[_T] | _T
"""A value, or something to await for it."""

Action: TypeAlias = Literal["publish", "subscribe"]
Fallback: TypeAlias = Literal["deny", "allow"]

BAD_USER_NAME_OR_PASSWORD = 0x86
NOT_AUTHORIZED = 0x87
_REFUSALS_MIN = 0x80


class Identity(NamedTuple):
    """Who asks for something."""

    client_id: str
    username: str | None


@dataclass(frozen=True, slots=True)
class Deny:
    """Refuse, and say why.

    Attributes:
        reason_code: A reason code of MQTT-5.0 section 2.4, 0x80 or above; 3.x clients are told
            what comes closest to it.
    """

    reason_code: int = NOT_AUTHORIZED

    def __post_init__(self) -> None:
        if not _REFUSALS_MIN <= self.reason_code <= 0xFF:
            raise BadRequestError(f"0x{self.reason_code:02x} is not a reason code that refuses")


@dataclass(frozen=True, slots=True)
class Allow:
    """Admit.

    Attributes:
        is_superuser: Whether this client's actions are not authorized one by one.
        client_attrs: Attributes for rules and templates, ``${client_attrs.NAME}``.
        expire_at_ms: When the connection ends, milliseconds since 1970; none: never.
    """

    is_superuser: bool = False
    client_attrs: tuple[tuple[str, str], ...] = ()
    expire_at_ms: int | None = None


class Hooks:
    """Every hook with its signature and its contract. Implement those you need.

    A decision that raises, is not made before the broker's deadline, or is neither of the values
    named here counts as not made: then the broker's ``unanswered`` decides, which refuses unless
    it was told otherwise. Where several hooks decide the same thing they are asked in the order
    of registration, until one refuses.
    """

    def on_authenticate(
        self, client: Client, password: bytes | None
    ) -> Now[bool | Allow | Deny | None]:
        """Decide whether a client may connect, after its CONNECT was read.

        ``True`` admits and ``False`` refuses with 0x86 (Bad User Name or Password). ``None`` is no
        opinion: of a plugin the next one is asked; in a program it refuses.
        With this hook nobody is admitted for being on the same machine.
        """
        raise NotImplementedError

    def on_authorize(
        self, client: Identity, action: Action, topic: str, qos: int, retain: bool
    ) -> Now[bool | Deny | None]:
        """Decide whether a client may publish to a Topic Name or subscribe to a Topic Filter.

        ``None`` is no opinion, as above. ``retain`` is the flag of a PUBLISH and false for SUBSCRIBE. ``False`` refuses with 0x87
        (Not authorized). An answer is remembered for the connection and the topic for a minute.
        """
        raise NotImplementedError

    def on_publish(self, message: Message) -> Now[Message | Deny | None]:
        """See every message before it goes anywhere.

        The message that is returned goes on: the one given, or ``dataclasses.replace(message,
        …)``. ``None`` takes it and delivers it to nobody; :class:`Deny` refuses it.
        """
        raise NotImplementedError

    def on_connect(self, client: Client) -> Now[None]:
        """A CONNECT without a fault was read; nobody has decided about it yet."""
        raise NotImplementedError

    def on_connack(self, connack: ConnAck) -> Now[None]:
        """A CONNACK was sent, whether it admits or refuses."""
        raise NotImplementedError

    def on_connected(self, client: Client) -> Now[None]:
        """A client was admitted and has its CONNACK."""
        raise NotImplementedError

    def on_disconnected(self, client: Client, reason: str) -> Now[None]:
        """An admitted client is gone; ``reason`` is EMQX's word, such as ``keepalive_timeout``."""
        raise NotImplementedError

    def on_subscribe(
        self, client_id: str, subscriptions: tuple[SubscriptionInfo, ...]
    ) -> Now[Sequence[SubscriptionInfo | Deny] | Deny | None]:
        """Change what a client subscribes to, after it was authorized filter by filter.

        ``None`` leaves everything as it is. A sequence has one item for each subscription, in
        order: the one given, ``dataclasses.replace(subscription, …)``, or :class:`Deny`, which
        refuses that one; :class:`Deny` alone refuses all. What was not authorized is refused
        whatever is said here, and what is put in its place is not authorized again.
        """
        raise NotImplementedError

    def on_unsubscribe(
        self, client_id: str, topic_filters: tuple[str, ...]
    ) -> Now[Sequence[str | Deny] | Deny | None]:
        """Change which subscriptions a client ends.

        ``None`` leaves everything as it is. A sequence has one item for each filter, in order:
        a Topic Filter, or :class:`Deny`, which leaves that subscription alone.
        """
        raise NotImplementedError

    def on_session_created(self, client: Client) -> Now[None]:
        """A session was made for a client."""
        raise NotImplementedError

    def on_session_resumed(self, client: Client) -> Now[None]:
        """A client came back to its session."""
        raise NotImplementedError

    def on_session_discarded(self, client: Client) -> Now[None]:
        """A connection with Clean Start ended the session of another connection."""
        raise NotImplementedError

    def on_session_takenover(self, client: Client) -> Now[None]:
        """A connection took the session of another connection of the same client."""
        raise NotImplementedError

    def on_session_terminated(self, client: Client) -> Now[None]:
        """A session is gone, with its connection or when it expired."""
        raise NotImplementedError

    def on_subscribed(self, client_id: str, subscription: SubscriptionInfo) -> Now[None]:
        """A client made a subscription, or made it anew."""
        raise NotImplementedError

    def on_unsubscribed(self, client_id: str, topic_filter: str) -> Now[None]:
        """A client ended a subscription."""
        raise NotImplementedError

    def on_puback(self, client_id: str, message: Message, reason_code: int) -> Now[None]:
        """A message of QoS 1 gets its PUBACK; ``client_id`` is the publisher's.

        0x10 means that nobody subscribes to it. It is sent once the message is on disk, where it
        has to be.
        """
        raise NotImplementedError

    def on_delivered(self, client_id: str, message: Message) -> Now[None]:
        """A message was sent to a client; ``message.qos`` is the QoS it was sent with."""
        raise NotImplementedError

    def on_acked(self, client_id: str, message: Message) -> Now[None]:
        """A client acknowledged a message: PUBACK, or PUBREC for QoS 2."""
        raise NotImplementedError

    def on_dropped(self, message: Message, reason: str) -> Now[None]:
        """A message went to nobody: ``no_subscribers`` or ``blocked_by_hook``."""
        raise NotImplementedError

    def on_delivery_dropped(self, client_id: str, message: Message, reason: str) -> Now[None]:
        """A message for one client was dropped.

        ``reason`` is ``no_local``, ``qos0_msg``, ``queue_full``, ``expired`` or ``too_large``.
        """
        raise NotImplementedError

    def on_alarm_activated(self, alarm: dict[str, Any]) -> Now[None]:
        """A condition holds: ``name``, ``message``, ``details``, ``activate_at`` (microseconds).

        Told to plugins only; a broker in a program has no alarms.
        """
        raise NotImplementedError

    def on_alarm_deactivated(self, alarm: dict[str, Any]) -> Now[None]:
        """It holds no longer; with ``deactivate_at``. Told to plugins only."""
        raise NotImplementedError


NAMES = tuple(name for name in vars(Hooks) if name.startswith("on_"))
"""The methods of :class:`Hooks`."""

Callback: TypeAlias = Callable[..., Any]


class HookTable:
    """Who is to be asked and told, by the name of the hook, in the order of registration."""

    def __init__(self, hooks: Iterable[object] = ()) -> None:
        self._callbacks: dict[str, tuple[Callback, ...]] = {}
        for hook in hooks:
            self.add(hook)

    def __getitem__(self, name: str) -> tuple[Callback, ...]:
        return self._callbacks.get(name, ())

    @property
    def names(self) -> tuple[str, ...]:
        """The hooks that somebody registered for."""
        return tuple(self._callbacks)

    def add(self, hook: object) -> None:
        """Register a function by its name, or every hook that an object has.

        Raises:
            BadRequestError: it is neither.
        """
        found = _callbacks_of(hook)
        if not found:
            raise BadRequestError(f"{hook!r} is no hook; hooks are called {', '.join(NAMES)}")
        for name, callback in found.items():
            self._callbacks[name] = (*self[name], callback)

    def switches(self, *, unanswered: Fallback, deadline_s: float) -> HookSwitches:
        """What the core has to be told for these hooks to be called."""
        return HookSwitches(
            authorize=bool(self["on_authorize"]),
            publish=bool(self["on_publish"]),
            client_events=bool(self["on_connected"] or self["on_disconnected"]),
            subscription_events=bool(self["on_subscribed"] or self["on_unsubscribed"]),
            connect_events=bool(self["on_connect"] or self["on_connack"]),
            session_events=any(self[name] for name in NAMES if name.startswith("on_session_")),
            subscribe=bool(self["on_subscribe"]),
            unsubscribe=bool(self["on_unsubscribe"]),
            puback=bool(self["on_puback"]),
            delivered=bool(self["on_delivered"]),
            acked=bool(self["on_acked"]),
            dropped=bool(self["on_dropped"] or self["on_delivery_dropped"]),
            unanswered_allows=unanswered == "allow",
            deadline_ms=max(1, round(deadline_s * 1000)),
        )


def _callbacks_of(hook: object) -> dict[str, Callback]:
    own_name = getattr(hook, "__name__", None)
    if own_name in NAMES and callable(hook):
        return {own_name: hook}
    found: dict[str, Callback] = {}
    for name in NAMES:
        callback = getattr(hook, name, None)
        # What is inherited from `Hooks` only describes.
        if callable(callback) and getattr(callback, "__func__", None) is not getattr(Hooks, name):
            found[name] = callback
    return found
