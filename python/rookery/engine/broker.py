"""The broker inside a Python program: the real one, on a free port."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, get_args

from rookery.clock import SystemClock
from rookery.engine.hooks import Fallback, HookTable
from rookery.engine.lifecycle import HookLives
from rookery.engine.rule_engine import Rules
from rookery.engine.runtime import STOP_GRACE_S, NodeRuntime
from rookery.engine.settings import Settings, native_config
from rookery.engine.subscription import Subscription, WhenFull
from rookery.errors import BadRequestError, ConfigError, ConflictError, UnavailableError
from rookery.native.config import AclRule, Admission, Ban, SyncPolicy
from rookery.native.models import Client, Listener, SubscriptionInfo
from rookery.native.node import Node, Publication
from rookery.native.properties import Properties, encode_properties
from rookery.native.rows import EventRow
from rookery.observability.emqx import complete_metrics, complete_stats

if TYPE_CHECKING:
    from rookery.config.snapshot import AccessConfig
    from rookery.engine.access import ConfiguredAccess
    from rookery.native.actions import ActionHub

_P = ParamSpec("_P")
_T = TypeVar("_T")
_CallbackT = TypeVar("_CallbackT", bound=Callable[..., Any])

CertificateWatcher = Callable[[str, str | None], None]

CLIENTS_LIMIT_MAX = 10_000
EXPIRY_S_MAX = 0xFFFF_FFFF
PORT_MAX = 0xFFFF


@dataclass(frozen=True, slots=True)
class ClientPage:
    """Some of the clients, and where to go on; ``cursor`` is none after the last page."""

    clients: tuple[Client, ...]
    cursor: int | None


GIVEN_UP_GRACE_S = 1.0
"""For a stop that is cancelled: as long as this its caller waits all the same."""


class Broker:
    """An MQTT broker (3.1, 3.1.1, 5.0) that runs while its ``async with`` block does.

        async with rookery.Broker() as broker:
            async with broker.subscribe("greetings/#") as messages:
                await broker.publish("greetings/hello", b"world")
                print((await messages.get()).payload)

    Clients connect to :attr:`url`; they are served by threads of their own, not by the event loop.
    Methods belong to the event loop on which the broker was started.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        listeners: Mapping[str, str] | None = None,
        admission: Admission = "loopback",
        hooks: Iterable[object] = (),
        hook_deadline_s: float = 5.0,
        unanswered: Fallback = "deny",
        config: Mapping[str, object] | None = None,
        data_dir: str | os.PathLike[str] | None = None,
        sync: SyncPolicy = "interval",
        workers: int = 1,
        node_name: str = "rookery@127.0.0.1",
    ) -> None:
        """Describe a broker; nothing is opened before it is started.

        Args:
            host: Address to listen on; an IPv6 address without brackets.
            port: TCP port to listen on; 0 takes a free one.
            listeners: Instead of ``host`` and ``port``: addresses by listener id, for example
                ``{"tcp:default": "127.0.0.1:1883", "ws:default": "[::1]:8083"}``.
            admission: Who may connect while no ``on_authenticate`` hook decides: ``"loopback"``,
                clients of this machine over TCP, or ``"everyone"``.
            hooks: Functions named like a method of :class:`rookery.Hooks`, or objects with such
                methods. An object's ``start`` is called before the first client comes in and its
                ``stop`` after the last hook, where it has them; both may be ``async``.
            hook_deadline_s: Seconds that a hook may take for a decision.
            unanswered: What it means that a hook failed or took longer: ``"deny"`` or ``"allow"``.
            config: Settings by their path in a configuration file, for example
                ``{"mqtt.max_inflight": 10, "mqtt.session_expiry_interval": "1h"}``; also
                ``"authentication"``, ``"authorization.sources"`` and
                ``"listeners.ssl.default.ssl_options"``. Hooks decide on top of those.
            data_dir: Where sessions, queued and retained messages survive; none: nowhere.
            sync: When a durable message reaches the disk: ``"always"`` before it is acknowledged,
                ``"interval"`` at most 100 ms later, ``"never"`` when the system sees fit.
            workers: Threads that serve clients; 0: one for each processor.
            node_name: ``name@host``, shown in ``$SYS`` topics.
        """
        self._listeners = dict(listeners) if listeners is not None else _single(host, port)
        self._admission: Admission = admission
        given = list(hooks)
        self._hooks = HookTable(given)
        self._lives = HookLives(given)
        self._hook_deadline_s = hook_deadline_s
        self._unanswered: Fallback = unanswered
        self._options = dict(config or {})
        self._data_dir = data_dir
        self._sync: SyncPolicy = sync
        self._workers = workers
        self._node_name = node_name
        self._runtime: NodeRuntime | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._access: ConfiguredAccess | None = None
        self._bans: tuple[Ban, ...] = ()
        self._built_in: tuple[AclRule, ...] = ()
        self._bound: list[Listener] = []
        self._certificate_watchers: list[CertificateWatcher] = []
        self._changing = asyncio.Lock()

    # -- life ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open everything and return when clients are accepted.

        Raises:
            PortInUseError: an address is taken.
            StartError: an address or the data directory cannot be used.
            ConfigError: a setting is unknown or wrong.
            ConflictError: it runs already.
            Exception: what ``start`` of a hook raised.
        """
        async with self._changing:
            if self._runtime is not None:
                raise ConflictError("the broker is running")
            self._check_hook_settings()
            await self._read_tables()
            settings = self._settings()
            # No client comes in before they are ready.
            await self._lives.start()
            try:
                node, access = await self._open(settings)
            except BaseException:
                await self._lives.stop()
                raise
            runtime = NodeRuntime(
                node,
                self._hooks,
                unanswered=self._unanswered,
                deadline_s=self._hook_deadline_s,
                watchers=(self._tell_certificates,),
                access=access,
                send_rest=node.drain_actions,
            )
            self._bound = node.listeners()
            runtime.open()
            self._runtime = runtime
            self._loop = asyncio.get_running_loop()
            self._access = access

    async def _open(self, settings: Settings) -> tuple[Node, ConfiguredAccess | None]:
        node = await asyncio.to_thread(Node, settings.node)
        try:
            access = None
            if settings.access is not None:
                access = await self._open_access(node, settings.access)
        except BaseException:
            await asyncio.to_thread(node.stop, 0.0)
            raise
        return node, access

    async def _read_tables(self) -> None:
        """What the last run left: nobody connects before bans and rules hold."""
        self._bans, self._built_in = (), ()
        if self._data_dir is None or not self._options:
            return
        from rookery.engine.stores import read_tables  # noqa: PLC0415

        self._bans, self._built_in = await asyncio.to_thread(
            read_tables, Path(self._data_dir), SystemClock()
        )

    async def _open_access(self, node: Node, settings: AccessConfig) -> ConfiguredAccess:
        # Its libraries are for those who have users or rules.
        from rookery.engine.access import ConfiguredAccess  # noqa: PLC0415

        data_dir = None if self._data_dir is None else Path(self._data_dir)
        if data_dir is not None:
            data_dir.mkdir(mode=0o750, parents=True, exist_ok=True)

        def apply_bans(bans: Sequence[Ban]) -> None:
            node.apply_bans(bans)
            self._bans = tuple(bans)

        access = ConfiguredAccess(node.check_acl, SystemClock(), data_dir, apply_bans=apply_bans)
        try:
            await access.use(settings)
        except BaseException:
            await access.close()
            raise
        return access

    async def stop(self, grace_s: float = STOP_GRACE_S) -> None:
        """Tell clients goodbye (5.0: DISCONNECT 0x8B), close, end subscriptions; may be repeated.

        Args:
            grace_s: Seconds for all of it: first for those who serve :attr:`actions` to send what
                waits there, then for clients to take their last bytes. A fifth of it, one second at
                most, is kept for the clients.
        """
        async with self._changing:
            if self._runtime is not None:
                access, self._access = self._access, None
                try:
                    await self._close(self._runtime, grace_s)
                finally:
                    self._runtime = None
                    if access is not None:
                        await access.close()
                    await self._lives.stop()

    async def _close(self, runtime: NodeRuntime, grace_s: float) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + grace_s
        try:
            # While clients are served: what they publish until they are told goes out later.
            await runtime.node.drain_actions(grace_s - min(grace_s / 5, GIVEN_UP_GRACE_S))
        except asyncio.CancelledError:
            # Nobody could close it later: it closes now, with a moment for its listeners.
            end_s = min(end_s, loop.time() + GIVEN_UP_GRACE_S)
            raise
        finally:
            await runtime.close(max(end_s - loop.time(), 0.0))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def is_running(self) -> bool:
        return self._runtime is not None

    # -- where it is -----------------------------------------------------------------------

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Every listener with the address it got, in the order given."""
        self._running()
        return tuple(self._bound)

    @property
    def host(self) -> str:
        """Address of the first listener."""
        return self._first().host

    @property
    def port(self) -> int:
        """Port of the first listener."""
        return self._first().port

    @property
    def url(self) -> str:
        """``mqtt://address:port`` of the first listener (``ws://address:port/mqtt``)."""
        listener = self._first()
        if listener.id.startswith("ws:"):
            return f"ws://{listener.address}/mqtt"
        return f"mqtt://{listener.address}"

    async def reload_certificates(self) -> None:
        """Read the files of TLS listeners again; what they hold now is shown from the next connection on.

        Files that change are noticed without this, a moment later. When something is wrong with them,
        what was read before stays.

        Raises:
            UnavailableError: the broker is not running.
        """
        await asyncio.to_thread(self._running().node.reload_certificates)

    def watch_certificates(self, watcher: CertificateWatcher) -> None:
        """Call ``watcher`` when TLS files that changed were read again.

        It is given the listener, such as ``ssl:default``, and why what the files hold was not taken;
        none: it was, and is shown.
        """
        self._certificate_watchers.append(watcher)

    def _tell_certificates(self, rows: list[EventRow]) -> None:
        for row in rows:
            if row[0] == "certificate":
                for watcher in self._certificate_watchers:
                    watcher(row[1], row[2])

    # -- messages --------------------------------------------------------------------------

    async def publish(
        self,
        topic: str,
        payload: bytes | bytearray | memoryview | str = b"",
        *,
        qos: int = 0,
        retain: bool = False,
        message_expiry_interval: int | None = None,
        payload_format_indicator: int | None = None,
        content_type: str | None = None,
        response_topic: str | None = None,
        correlation_data: bytes | None = None,
        user_properties: Iterable[tuple[str, str]] | Mapping[str, str] = (),
        client_id: str = "",
    ) -> int:
        """Publish a message, as a client would; hooks are not asked.

        Args:
            topic: Topic Name.
            payload: The payload; text is sent as UTF-8.
            qos: 0, 1 or 2.
            retain: Whether it replaces the retained message of the topic; an empty payload then
                removes it.
            message_expiry_interval: Seconds after which it is delivered to nobody, MQTT-5.0
                section 3.3.2.3.3; none: never.
            payload_format_indicator: 1 for UTF-8 text, 0 for bytes.
            content_type: Content Type.
            response_topic: Response Topic.
            correlation_data: Correlation Data.
            user_properties: User Properties: pairs in order, or a mapping.
            client_id: Client Identifier that is shown as the publisher's.

        Returns:
            The number of sessions and subscriptions of this process that it went to.

        Raises:
            BadRequestError: the topic or a property breaks a rule of MQTT.
            UnavailableError: the broker is not running, or was started on another event loop.
        """
        pairs = user_properties.items() if isinstance(user_properties, Mapping) else user_properties
        properties = Properties(
            payload_format_indicator,
            content_type,
            response_topic,
            correlation_data,
            tuple(pairs),
        )
        if qos not in (0, 1, 2):
            raise BadRequestError("qos is 0, 1 or 2")
        if message_expiry_interval is not None and not 0 <= message_expiry_interval <= EXPIRY_S_MAX:
            raise BadRequestError(f"message_expiry_interval is 0 to {EXPIRY_S_MAX} seconds")
        publication = Publication(
            topic,
            payload.encode() if isinstance(payload, str) else bytes(payload),
            qos,
            retain,
            encode_properties(properties),
            message_expiry_interval,
            client_id,
        )
        node = self._running().node
        if asyncio.get_running_loop() is not self._loop:
            raise UnavailableError(
                "the broker was started on another event loop: publish on that one, from other "
                "threads with asyncio.run_coroutine_threadsafe"
            )
        if self._data_dir is None:
            return node.publish(publication).matched  # answered from memory
        return (await asyncio.to_thread(node.publish, publication)).matched

    def subscribe(
        self,
        topic_filter: str,
        *,
        qos: int = 2,
        queue_max: int = 1000,
        queue_bytes_max: int | None = None,
        when_full: WhenFull = "drop_oldest",
    ) -> Subscription:
        """Subscribe this process. Use the result with ``async with`` or ``async for``.

        Args:
            topic_filter: Topic Filter; retained messages that match come first.
            qos: Highest QoS that messages are delivered with.
            queue_max: Messages that may wait to be read.
            queue_bytes_max: Bytes of their payloads; none: as many as they have.
            when_full: Which one is dropped then: ``"drop_oldest"`` or ``"drop_new"``.

        Raises:
            BadRequestError: ``qos`` or ``queue_max`` is none; the Topic Filter is checked when the
                subscription begins.
            NotAvailableError: a ``$share/``, ``$queue/`` or ``$exclusive/`` subscription.
            UnavailableError: the broker is not running.
        """
        return Subscription(
            self._running().events,
            topic_filter,
            qos=qos,
            queue_max=queue_max,
            when_full=when_full,
            queue_bytes_max=queue_bytes_max,
        )

    # -- clients ---------------------------------------------------------------------------

    async def clients(self, *, limit: int = 100, cursor: int | None = None) -> ClientPage:
        """A page of the clients, connected or with a session, in no particular order.

        Args:
            limit: Most clients in the page, 1 to 10,000.
            cursor: Where to go on: what the page before says.
        """
        if not 1 <= limit <= CLIENTS_LIMIT_MAX:
            raise BadRequestError(f"limit is 1 to {CLIENTS_LIMIT_MAX}")
        page, following = await self._ask(self._running().node.clients, cursor or 0, limit)
        return ClientPage(tuple(page), following or None)

    async def client(self, client_id: str) -> Client | None:
        """One client; none when there is no session of that Client Identifier."""
        return await self._ask(self._running().node.client, client_id)

    async def subscriptions(self, client_id: str) -> tuple[SubscriptionInfo, ...] | None:
        """A client's subscriptions; none when there is no session of that Client Identifier."""
        found = await self._ask(self._running().node.subscriptions, client_id)
        return None if found is None else tuple(found)

    async def kick(self, client_id: str) -> bool:
        """End a client's connection (5.0: DISCONNECT 0x98) and session; whether it was there."""
        return await self._ask(self._running().node.kick, client_id)

    # -- figures ---------------------------------------------------------------------------

    def stats(self) -> dict[str, int]:
        """What there is at the moment, by EMQX's names, such as ``connections.count``."""
        return complete_stats(self._running().node.stats())

    def metrics(self) -> dict[str, int]:
        """Counters since the start, by EMQX's names, such as ``messages.received``."""
        runtime = self._running()
        return complete_metrics(runtime.node.metrics()) | runtime.dispatcher.counters

    # -- rules -----------------------------------------------------------------------------

    @property
    def rules(self) -> Rules:
        """What is made of messages and events on the way."""
        return Rules(self._running().node, self._ask)

    # -- actions ---------------------------------------------------------------------------

    @property
    def actions(self) -> ActionHub:
        """Where the results of rules wait for whoever sends them."""
        return self._running().node.actions

    # -- hooks -----------------------------------------------------------------------------

    def hook(self, callback: _CallbackT) -> _CallbackT:
        """Register a function by its name, as a decorator; also while the broker runs.

        @broker.hook
        async def on_publish(message):
            return message

        Raises:
            BadRequestError: it is not named like a method of :class:`rookery.Hooks`.
        """
        self._hooks.add(callback)
        if self._runtime is not None:
            self._runtime.node.apply_config(self._settings().node.broker)
        return callback

    # -- inside ----------------------------------------------------------------------------

    def _running(self) -> NodeRuntime:
        if self._runtime is None:
            raise UnavailableError("the broker is not running")
        return self._runtime

    def _first(self) -> Listener:
        self._running()
        if not self._bound:
            raise UnavailableError("the broker has no listener")
        return self._bound[0]

    async def _ask(self, function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        # Goes round every worker, each of which answers at the end of what it is doing.
        return await asyncio.get_running_loop().run_in_executor(
            None, partial(function, *args, **kwargs)
        )

    def _check_hook_settings(self) -> None:
        """The core checks what it is told; these two stay here."""
        problems = []
        if self._unanswered not in get_args(Fallback):
            problems.append(f"unanswered: {self._unanswered!r} is not one of 'deny', 'allow'")
        deadline_s: object = self._hook_deadline_s
        if not isinstance(deadline_s, int | float) or not 0 < deadline_s < math.inf:
            problems.append(f"hook_deadline_s: {deadline_s!r} is no number of seconds above 0")
        if problems:
            raise ConfigError(problems)

    def _settings(self) -> Settings:
        return native_config(
            node_name=self._node_name,
            options=self._options,
            listeners=self._listeners,
            admission="ask" if self._hooks["on_authenticate"] else self._admission,
            hooks=self._hooks.switches(
                unanswered=self._unanswered, deadline_s=self._hook_deadline_s
            ),
            data_dir=self._data_dir,
            sync=self._sync,
            workers=self._workers,
            bans=self._bans,
            built_in=self._built_in,
        )


def _single(host: str, port: Any) -> dict[str, str]:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= PORT_MAX:
        raise BadRequestError(f"port is 0 to {PORT_MAX}, not {port!r}")
    return {"tcp:default": f"[{host}]:{port}" if ":" in host else f"{host}:{port}"}
