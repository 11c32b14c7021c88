"""A node of this process, with types and with our errors.

Every method may be called from any thread. What goes through a worker of the node (all but
:meth:`Node.drain`, :meth:`Node.answer` and the attributes) waits for that worker: microseconds as
a rule, the disk's time when a durable message is published with ``durability.sync = always``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar

from rookery import _native
from rookery.errors import ConfigError
from rookery.native.config import (
    Ban,
    BrokerConfig,
    HookSwitches,
    ListenerConfig,
    NodeConfig,
    ObserveConfig,
    TopicAction,
)
from rookery.native.errors import translate, translate_start
from rookery.native.models import (
    AclDecision,
    Certificate,
    CertificateOutcome,
    Client,
    Listener,
    ListenerOutcome,
    PublishOutcome,
    Recovery,
    SlowSubscription,
    SubscriptionInfo,
)
from rookery.native.rows import AclSubject, AnswerRow, EventRow

if TYPE_CHECKING:
    from pathlib import Path

    from rookery.native.actions import ActionBuffer, ActionHub, BufferSpec
    from rookery.native.cluster import ClusterPeer, PartnerStatus, PeerStatus
    from rookery.native.links import Link, LinkStatus
    from rookery.native.lists import Lists
    from rookery.native.plugins import PluginBridge
    from rookery.native.rules import RuleCounters, RuleSpec

_P = ParamSpec("_P")
_T = TypeVar("_T")


def version() -> str:
    """The version of the native core, which is the version of the distribution."""
    return _native.version()


class Publication(NamedTuple):
    """A message that the node itself publishes; the order is that of ``PublishRow``."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    properties: bytes = b""  # encoded, see rookery.native.properties
    expiry_s: int | None = None
    client_id: str = ""
    sys: bool = False


def _call(function: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    try:
        return function(*args, **kwargs)
    except _native.NativeError as error:
        raise translate(error) from None


class Node:
    """A broker whose threads run until :meth:`stop`."""

    def __init__(self, config: NodeConfig, *, accepts: bool = True) -> None:
        """Open the store, recover it, bind every listener; return when clients are accepted.

        Without ``accepts`` they wait in the system's backlog until :meth:`accept`.

        Raises:
            PortInUseError: an address is taken.
            StartError: the data directory, an address or a certificate cannot be used.
            ConfigError: a setting that only the core can judge is wrong.
        """
        try:
            self._native = _native.Node.open(config)
        except _native.NativeError as error:
            raise translate_start(error) from None
        except (ValueError, OverflowError) as error:  # a value out of the range of its type
            raise ConfigError([str(error)]) from None
        if accepts:
            self.accept()

    def accept(self) -> None:
        """Let clients in. May be called twice."""
        _call(self._native.accept)

    def stop(self, grace_s: float = 5.0) -> None:
        """Tell clients, close, write queues, end the threads. May be called twice."""
        _call(self._native.stop, grace_s)

    def listeners(self) -> list[Listener]:
        """Every listener, in the order of the configuration."""
        return [Listener(*row) for row in _call(self._native.listeners)]

    def apply_listeners(self, listeners: Iterable[ListenerConfig]) -> list[ListenerOutcome]:
        """Make the listeners those of this list; what became of each, those that are gone last.

        New ones start; missing ones stop and disconnect their clients (5.0: 0x98). What changes is
        changed without disconnecting anybody, unless it is the address or the kind. One that fails
        goes on as it was; the others do not notice.

        Raises:
            ConfigError: an id stands twice, or a value is out of its range; nothing changes.
            UnavailableError: the node is stopping.
        """
        try:
            rows = _call(self._native.apply_listeners, list(listeners))
        except (ValueError, OverflowError) as error:
            raise ConfigError([str(error)]) from None
        return [ListenerOutcome.from_row(row) for row in rows]

    def restart_listener(self, listener_id: str) -> None:
        """Disconnect the clients of a listener and start it anew.

        Raises:
            NotFoundError: there is none of this name.
            StartError: it cannot stand; one that stood goes on as it was.
        """
        try:
            self._native.restart_listener(listener_id)
        except _native.NativeError as error:
            raise translate_start(error) from None

    def reload_certificates(self) -> list[CertificateOutcome]:
        """Read certificates and keys again; what became of those of each listener.

        No connection is dropped, except of clients whose certificate does not hold any more.
        """
        return [CertificateOutcome(*row) for row in _call(self._native.reload_certificates)]

    def certificates(self) -> list[Certificate]:
        """Every certificate of every listener, those of its CAs included."""
        return [Certificate(*row) for row in _call(self._native.certificates)]

    def recovery(self) -> Recovery:
        """What was found in the data directory."""
        return Recovery(*_call(self._native.recovery))

    def publish(self, publication: Publication) -> PublishOutcome:
        """Publish a message.

        Raises:
            BadRequestError: the Topic Name breaks a rule of MQTT.
            UnavailableError: the node is stopping.
        """
        return PublishOutcome(*_call(self._native.publish, publication))

    def publish_many(self, publications: Iterable[Publication]) -> None:
        """Publish messages without learning what became of them."""
        _call(self._native.publish_many, list(publications))

    def subscribe(self, topic_filter: str, qos: int) -> int:
        """Subscribe this process; deliveries name the slot returned.

        Raises:
            BadRequestError: the Topic Filter breaks a rule of MQTT.
        """
        return _call(self._native.subscribe, topic_filter, qos)

    def unsubscribe(self, slot: int) -> None:
        _call(self._native.unsubscribe, slot)

    def kick(self, client_id: str) -> bool:
        """End a client's connection and session; whether it was there."""
        return _call(self._native.kick, client_id)

    def clients(self, cursor: int, limit: int) -> tuple[list[Client], int]:
        """A page of clients and the cursor of the next one; 0 starts, 0 ends."""
        rows, following = _call(self._native.clients, cursor, limit)
        return [Client.from_row(row) for row in rows], following

    def client(self, client_id: str) -> Client | None:
        row = _call(self._native.client, client_id)
        return None if row is None else Client.from_row(row)

    def subscriptions(self, client_id: str) -> list[SubscriptionInfo] | None:
        """A client's subscriptions; none when there is no such client."""
        rows = _call(self._native.subscriptions, client_id)
        return None if rows is None else [SubscriptionInfo.from_row(row) for row in rows]

    def metrics(self) -> dict[str, int]:
        """Counters since the start, by EMQX's metric names."""
        return dict(_call(self._native.metrics))

    def stats(self) -> dict[str, int]:
        """What there is at the moment, by EMQX's stats names."""
        return dict(_call(self._native.stats))

    def apply_config(self, broker: BrokerConfig) -> None:
        """Replace the settings that can change while the node runs.

        Raises:
            ConfigError: the core refuses one; the old settings stay.
        """
        try:
            _call(self._native.apply_config, broker)
        except (ValueError, OverflowError) as error:
            raise ConfigError([str(error)]) from None

    def set_hooks(self, hooks: HookSwitches) -> None:
        """Replace what the core asks and tells."""
        _call(self._native.set_hooks, hooks)

    def open_plugins(self) -> PluginBridge:
        """Open the way to the worker processes of plugins."""
        # Loaded by nodes that have plugins.
        from rookery.native.plugins import PluginBridge as Bridge  # noqa: PLC0415

        return Bridge(_call(self._native.open_plugins))

    def cluster_open(
        self,
        *,
        name: str,
        incarnation: int,
        bind: str,
        secret: bytes,
        takeover_timeout_s: float = 3.0,
        tls: tuple[Path, Path, Path] | None = None,
    ) -> int:
        """Open the lanes to other nodes, once per process; the port where they are taken.

        Args:
            name: The name of this node.
            incarnation: Higher than that of any earlier start of the node.
            bind: An address and a port, like ``127.0.0.1:0``; 0: any port.
            secret: What every node of the cluster knows and nobody else, 16 octets or more.
            takeover_timeout_s: How long a client that connects waits for nodes that may have its
                session.
            tls: This node's certificate, its key, and the CA of all nodes; none: nothing is encrypted.

        Raises:
            ConfigError: a value is no good, or they were opened before.
            InternalError: the address is taken or not one of this machine.
            ListenerTlsError: a certificate cannot be used.
        """
        takeover_ms = int(takeover_timeout_s * 1000)
        return _call(self._native.cluster_open, name, incarnation, bind, secret, takeover_ms, tls)

    def cluster_peers(self, peers: Iterable[ClusterPeer]) -> None:
        """Make the other nodes those of the list, which has all that run.

        One that is missing is forgotten, with its routes and what waits for it. One with a higher
        incarnation than before is a new process: everything with it begins anew.

        Raises:
            ConfigError: the lanes are not open, or an address cannot be used; nothing changes.
        """
        _call(self._native.cluster_peers, list(peers))

    def cluster_expect(self, names: Iterable[str]) -> None:
        """Say which members may run of which nothing was heard yet.

        For those of the first call clients that want their sessions wait, five seconds at most.

        Raises:
            ConfigError: the lanes are not open.
        """
        _call(self._native.cluster_expect, list(names))

    def cluster_lost(
        self, names: Iterable[str], *, may_adopt: bool = False, is_alone: bool = False
    ) -> None:
        """Make the nodes that died those of the list: members that are silent without having said that
        they stop, where those who run may speak for the cluster.

        Wills of their clients and delayed messages that they kept are published by the others. Sessions
        that were on them go on at the nodes that keep them as well, with ``may_adopt``: more than half of
        the cluster runs. With ``is_alone`` there is no other member, and acknowledgements wait for nobody.

        Raises:
            InvalidConfigError: the lanes are not open.
        """
        _call(self._native.cluster_lost, list(names), may_adopt, is_alone)

    def cluster_leave_for(self, name: str, most: int) -> None:
        """Offer sessions of clients that are away to another node that runs, at most that many. It takes
        those that it can have; each stays here until it is stored there.

        Raises:
            InvalidConfigError: the lanes are not open.
        """
        _call(self._native.cluster_leave_for, name, most)

    def cluster_status(self) -> list[PeerStatus]:
        """How it stands with each of the other nodes; nothing where there is no cluster."""
        # Loaded by nodes of a cluster.
        from rookery.native.cluster import PeerStatus as Status  # noqa: PLC0415

        return [Status(*row) for row in _call(self._native.cluster_status)]

    def cluster_partner(self) -> PartnerStatus:
        """Who else keeps the sessions of this node; nobody where there is no cluster."""
        # Loaded by nodes of a cluster.
        from rookery.native.cluster import PartnerStatus as Status  # noqa: PLC0415

        return Status(*_call(self._native.cluster_partner))

    def cluster_close(self) -> None:
        """Close the lanes for good. May be called twice."""
        _call(self._native.cluster_close)

    def apply_links(
        self, cluster: str, node_name: str, incarnation: int, links: Iterable[Link]
    ) -> None:
        """Make the links to other clusters those of the list, all of them.

        What is gone is closed, what is another one connects again, what is the same does not notice.

        Args:
            cluster: The name of this cluster.
            node_name: The name of this node.
            incarnation: Higher than that of any earlier start of the node.
            links: Also those that are switched off: the other side is told so.

        Raises:
            ConfigError: a value is no good; nothing changes.
        """
        try:
            _call(self._native.apply_links, cluster, node_name, incarnation, list(links))
        except (ValueError, OverflowError) as error:
            raise ConfigError([str(error)]) from None

    def links_status(self) -> list[LinkStatus]:
        """How it stands with each link; nothing where there are none."""
        # Loaded by nodes that have links.
        from rookery.native.links import LinkStatus as Status  # noqa: PLC0415

        return [Status(*row) for row in _call(self._native.links_status)]

    def links_reset(self, name: str) -> None:
        """Let the counters of a link begin at zero again.

        Raises:
            NotFoundError: there is no link of that name.
        """
        _call(self._native.links_reset, name)

    def links_probe(self, link: Link) -> str | None:
        """Connect once as that link would, and shake hands: why that does not work, or nothing.

        Takes as long as the link's connect timeout, twice.

        Raises:
            ConfigError: a value is no good.
        """
        try:
            return _call(self._native.links_probe, link)
        except (ValueError, OverflowError) as error:
            raise ConfigError([str(error)]) from None

    def apply_bans(self, bans: Iterable[Ban]) -> None:
        """Replace the bans alone; whoever they fit is disconnected (5.0: 0x98).

        Raises:
            ConfigError: an address, network or regular expression is none; the old bans stay.
        """
        _call(self._native.apply_bans, list(bans))

    def check_acl(
        self,
        subject: AclSubject,
        action: TopicAction,
        topic: str,
        *,
        qos: int = 0,
        retain: bool = False,
        after: str | None = None,
    ) -> AclDecision:
        """What the rules say about somebody, connected or not; nobody is asked.

        Args:
            subject: Who.
            action: ``publish`` or ``subscribe``.
            topic: Topic Name or Topic Filter.
            qos: QoS of the PUBLISH or asked for by the SUBSCRIBE.
            retain: RETAIN of the PUBLISH.
            after: Go on behind the source of this name, which was asked and knows nothing.

        Raises:
            BadRequestError: the topic breaks a rule of MQTT, or no source has that name.
        """
        return AclDecision.from_row(
            _call(self._native.check_acl, subject, action, topic, qos, retain, after)
        )

    def check_client_acl(
        self,
        client_id: str,
        action: TopicAction,
        topic: str,
        *,
        qos: int = 0,
        retain: bool = False,
    ) -> AclDecision | None:
        """The same for a connected client as it is, rules of its authentication included."""
        row = _call(self._native.check_client_acl, client_id, action, topic, qos, retain)
        return None if row is None else AclDecision.from_row(row)

    def purge_acl_cache(self, client_id: str | None = None) -> None:
        """Forget what was answered about a client, or about all."""
        _call(self._native.purge_acl_cache, client_id)

    def set_observe(self, observe: ObserveConfig) -> None:
        """Replace what is looked at closer: traces, slow subscriptions, spans.

        Raises:
            ConfigError: a topic filter or an address is none; what was holds.
        """
        try:
            _call(self._native.set_observe, observe)
        except (ValueError, OverflowError) as error:
            raise ConfigError([str(error)]) from None

    def slow_subs(self, *, forget: bool = False) -> list[SlowSubscription]:
        """The slowest subscriptions, the slowest first; ``forget`` empties the list."""
        return [SlowSubscription(*row) for row in _call(self._native.slow_subs, forget)]

    @cached_property
    def lists(self) -> Lists:
        """Lists and operations of the management plane, which a start does without."""
        from rookery.native.lists import Lists  # noqa: PLC0415

        return Lists(self._native)

    @cached_property
    def actions(self) -> ActionHub:
        """The buffers between rules and actions, which a start does without."""
        from rookery.native import actions  # noqa: PLC0415

        hub = _call(self._native.actions, actions.ActionItem, actions.JsonText, actions.UNDEFINED)
        return actions.ActionHub(hub)

    def open_action(self, action_id: str, spec: BufferSpec) -> ActionBuffer:
        """Open the buffer of an action; see :meth:`ActionHub.open`."""
        return self.actions.open(action_id, spec)

    async def drain_actions(self, grace_s: float) -> None:
        """See :meth:`ActionHub.drain`."""
        if "actions" in vars(self):
            await self.actions.drain(grace_s)

    def close_actions(self) -> None:
        """Close every buffer, on the loop that reads them. May be called twice."""
        if "actions" in vars(self):
            self.actions.close()

    def put_rules(self, rules: Iterable[RuleSpec], *, ignore_sys_message: bool = True) -> None:
        """Replace all rules; every worker has them when this returns.

        Counters of a rule whose id stays go on, also of one that does not run.

        Args:
            rules: All of them.
            ignore_sys_message: Messages of the node itself (``$SYS``) are not for rules.

        Raises:
            BadRuleError: a rule cannot be used, or names an action that is not open; then nothing
                changes.
        """
        from rookery.native.rules import rule_rows, surroundings  # noqa: PLC0415

        _call(self._native.put_rules, rule_rows(rules), surroundings(ignore_sys_message))

    def rule_counters(self) -> dict[str, RuleCounters]:
        """What each rule counted, by its id."""
        from rookery.native.rules import RuleCounters  # noqa: PLC0415

        rows = _call(self._native.rule_counters)
        return {row[0]: RuleCounters(*row[1:]) for row in rows}

    def reset_rule_counters(self, rule_id: str) -> None:
        """Let a rule count from zero again.

        Raises:
            NotFoundError: there is no such rule.
        """
        _call(self._native.reset_rule_counters, rule_id)

    def rule_ingest(self, source_id: str, columns: Mapping[str, object]) -> int:
        """Give rules what a source brought in; how many had a result.

        Args:
            source_id: ``type:name``, what stands behind ``$bridges/`` in SQL.
            columns: By the names that sources have. A list or a dict is an array or a map.

        Raises:
            BadRequestError: sources have no such column.
        """
        from rookery.native.rules import column_rows  # noqa: PLC0415

        return _call(self._native.rule_ingest, source_id, *column_rows(columns))

    def rule_event(self, name: str, columns: Mapping[str, object]) -> int:
        """Tell rules of an event outside the core, such as ``$events/sys/alarm_activated``.

        Raises:
            BadRequestError: there is no such event or column.
        """
        from rookery.native.rules import column_rows  # noqa: PLC0415

        return _call(self._native.rule_event, name, *column_rows(columns))

    def fileno(self) -> int:
        """A descriptor that is readable while :meth:`drain` has something."""
        return _call(self._native.fileno)

    def drain(self, batch_max: int) -> list[EventRow]:
        """Take at most ``batch_max`` events without waiting."""
        return _call(self._native.drain, batch_max)

    def answer(self, answers: list[AnswerRow]) -> None:
        """Answer questions; one that is answered already or timed out is ignored."""
        _call(self._native.answer, answers)
