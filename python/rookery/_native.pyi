# ruff: noqa: PYI021  -- this stub is the reference: what a call promises stands here
"""The native core. Only ``rookery.native`` imports it; this file is the contract of the boundary.

What crosses is plain: frozen dataclasses of ``rookery.native.config`` go down, the tuples of
``rookery.native.rows`` come up. Every call that can wait releases the
interpreter. Every failure is a :class:`NativeError`. Nothing may be used in a fork of the process
that started the node.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

from rookery.native.actions import ActionField, ActionItem, BufferSpec, JsonText, Undefined
from rookery.native.cluster import ClusterPeer
from rookery.native.config import (
    Ban,
    BrokerConfig,
    HookSwitches,
    ListenerConfig,
    NodeConfig,
    ObserveConfig,
)
from rookery.native.lazy import LazyMessage
from rookery.native.links import Link
from rookery.native.lists import (
    ClientQuery,
    MessageQuery,
    SubscribeRequest,
    SubscriptionQuery,
    TopicQuery,
)
from rookery.native.models import Message
from rookery.native.plugins import PluginRoute
from rookery.native.rows import (
    AclDecisionRow,
    AclSubject,
    AnswerRow,
    AskId,
    CertificateInfoRow,
    CertificateOutcomeRow,
    ClientRow,
    EventRow,
    LinkStatusRow,
    ListenerOutcomeRow,
    ListenerRow,
    MessageRow,
    PartnerStatusRow,
    PeerStatusRow,
    PublishRow,
    RecoveryRow,
    RuleAroundRow,
    RuleCountsRow,
    RuleEventRow,
    RuleFunctionRow,
    RuleOutputRow,
    RuleRow,
    SaidRow,
    SlowRow,
    SubscriptionRow,
    WorkerRow,
)

__all__ = [
    "ActionBuffer",
    "ActionHub",
    "NativeError",
    "Node",
    "PluginBridge",
    "PluginDecoder",
    "SourceMessage",
    "check_regex",
    "compile_rule",
    "encode_answers",
    "parse_hocon",
    "render_template",
    "republish_problem",
    "rule_events",
    "rule_functions",
    "rule_messages",
    "run_bench",
    "try_rule",
    "version",
]

class NativeError(Exception):
    """A call into the native core failed.

    ``kind`` is ``bind``, ``tls``, ``config``, ``store``, ``topic``, ``io``, ``not_found``,
    ``stopping``, ``busy``, ``late``, ``forked``, ``rule``, ``template`` or ``internal``. ``listener`` is set for
    ``bind`` and ``tls``, ``address`` and ``errno`` for ``bind`` only, ``rule`` and ``place`` (line and
    column) for ``rule`` where they are known, ``said`` for what is wrong with SQL.
    """

    kind: str
    message: str
    listener: str | None
    address: str | None
    errno: int | None
    rule: str | None
    place: tuple[int, int] | None
    said: SaidRow | None

@final
class Node:
    """A broker node of this process: its threads run until :meth:`stop`."""

    @staticmethod
    def open(config: NodeConfig) -> Node:
        """Open the store, recover it, bind every listener, start the threads.

        Clients wait to be accepted. When anything fails nothing stays open.
        """

    def accept(self) -> None:
        """Let clients in. May be repeated."""

    def stop(self, grace_s: float) -> None:
        """Tell clients (DISCONNECT 0x8B), close, write queues, end the threads. May be repeated."""

    def listeners(self) -> list[ListenerRow]:
        """Every listener with the address it got."""

    def apply_listeners(self, listeners: list[ListenerConfig]) -> list[ListenerOutcomeRow]:
        """Make the listeners those of the list; what became of each, those that are gone last."""

    def restart_listener(self, listener_id: str) -> None:
        """Disconnect the clients of a listener and start it anew."""

    def reload_certificates(self) -> list[CertificateOutcomeRow]:
        """Read certificates again; what became of those of each listener that has some."""

    def certificates(self) -> list[CertificateInfoRow]:
        """Every certificate in the files of listeners."""

    def recovery(self) -> RecoveryRow:
        """What was found in the data directory."""

    def publish(self, request: PublishRow) -> tuple[int, int]:
        """Publish; the message's 128-bit id and the number of sessions it went to."""

    def publish_many(self, requests: list[PublishRow]) -> None:
        """Publish without learning what became of it."""

    def subscribe(self, topic_filter: str, qos: int) -> int:
        """Subscribe this process; the slot that deliveries will name."""

    def unsubscribe(self, slot: int) -> None:
        """End a subscription of this process."""

    def kick(self, client_id: str) -> bool:
        """End a client's connection and session; whether it was there."""

    def clients(self, cursor: int, limit: int) -> tuple[list[ClientRow], int]:
        """A page of clients and the cursor of the next page; 0 starts, 0 ends."""

    def client(self, client_id: str) -> ClientRow | None:
        """One client."""

    def subscriptions(self, client_id: str) -> list[SubscriptionRow] | None:
        """A client's subscriptions; none when there is no such client."""

    def metrics(self) -> list[tuple[str, int]]:
        """Counters by EMQX's metric names."""

    def stats(self) -> list[tuple[str, int]]:
        """Gauges by EMQX's stats names."""

    def apply_config(self, broker: BrokerConfig) -> None:
        """Replace the settings that can change while the node runs."""

    def set_hooks(self, hooks: HookSwitches) -> None:
        """Replace what is asked and told."""

    def open_plugins(self) -> PluginBridge:
        """Open the way to the worker processes of plugins."""

    def cluster_open(
        self,
        name: str,
        incarnation: int,
        bind: str,
        secret: bytes,
        takeover_timeout_ms: int,
        tls: tuple[Path, Path, Path] | None,
    ) -> int:
        """Open the lanes to other nodes, once per process; the port where they are taken."""

    def cluster_peers(self, peers: list[ClusterPeer]) -> None:
        """Make the other nodes those of the list: all that run."""

    def cluster_expect(self, names: list[str]) -> None:
        """Say which members may run of which nothing was heard yet."""

    def cluster_lost(self, names: list[str], may_adopt: bool, is_alone: bool) -> None:
        """The complete list of members that died, as far as those who run may say so."""

    def cluster_leave_for(self, name: str, most: int) -> None:
        """Offer sessions of clients that are away to another node, at most that many."""

    def cluster_partner(self) -> PartnerStatusRow:
        """Who else keeps the sessions of this node."""

    def cluster_status(self) -> list[PeerStatusRow]:
        """How it stands with each of them."""

    def cluster_close(self) -> None:
        """Close the lanes for good."""

    def apply_links(
        self, cluster_name: str, node_name: str, incarnation: int, links: list[Link]
    ) -> None:
        """Make the links to other clusters those of the list, all of them."""

    def links_status(self) -> list[LinkStatusRow]:
        """How it stands with each of them."""

    def links_reset(self, name: str) -> None:
        """Let the counters of a link begin at zero."""

    def links_probe(self, link: Link) -> str | None:
        """Connect once as that link would; why it does not work."""

    def put_rules(self, wanted: list[RuleRow], around: RuleAroundRow) -> None:
        """Replace all rules, whole or not at all; every thread has them when this returns."""

    def rule_counters(self) -> list[RuleCountsRow]:
        """What each rule counted."""

    def reset_rule_counters(self, rule_id: str) -> None:
        """Let a rule count from zero again."""

    def rule_ingest(
        self, source_id: str, columns: list[tuple[str, object]], json: list[tuple[str, str]]
    ) -> int:
        """Give rules what a source brought in; how many had a result."""

    def rule_event(
        self, name: str, columns: list[tuple[str, object]], json: list[tuple[str, str]]
    ) -> int:
        """Tell rules of an event outside the core; how many had a result."""

    def actions(
        self, item: type[ActionItem], json_text: type[JsonText], undefined: Undefined
    ) -> ActionHub:
        """The buffers of actions. What comes out of them is made of the types given."""

    def apply_bans(self, bans: list[Ban]) -> None:
        """Replace the bans alone; whoever they fit is disconnected."""

    def check_acl(
        self,
        subject: AclSubject,
        action: str,
        topic: str,
        qos: int,
        retain: bool,
        after: str | None,
    ) -> AclDecisionRow:
        """What the rules say; ``after`` goes on behind the source of that name.

        ``action`` is ``publish`` or ``subscribe``.
        """

    def check_client_acl(
        self, client_id: str, action: str, topic: str, qos: int, retain: bool
    ) -> AclDecisionRow | None:
        """The same for a connected client, its own rules first; none when it is not connected."""

    def purge_acl_cache(self, client_id: str | None) -> None:
        """Forget answers about a client, or about all."""

    def set_observe(self, observe: ObserveConfig) -> None:
        """Replace what is looked at closer. Every worker has it when this returns."""

    def slow_subs(self, forget: bool) -> list[SlowRow]:
        """The slowest subscriptions, the slowest first; ``forget`` empties the list."""

    # Lists and operations of the management plane; the rows are those of rookery.native.lists.

    def clients_page(
        self, query: ClientQuery, offset: int, limit: int
    ) -> tuple[list[tuple[Any, ...]], int]:
        """``ClientView`` of a page of clients, and how many are wanted in all."""

    def clients_after(
        self, query: ClientQuery, cursor: int, limit: int
    ) -> tuple[list[tuple[Any, ...]], int]:
        """``ClientView`` of the clients from a cursor on, and the next cursor."""

    def client_view(self, client_id: str) -> tuple[Any, ...] | None:
        """``ClientView`` of one client."""

    def subscriptions_page(
        self, query: SubscriptionQuery, offset: int, limit: int
    ) -> tuple[list[tuple[Any, ...]], int]:
        """``SubscriptionView`` of a page of subscriptions, and how many are wanted in all."""

    def topics_page(self, query: TopicQuery, offset: int, limit: int) -> tuple[list[str], int]:
        """A page of topic filters, and how many are wanted in all."""

    def has_topic(self, topic_filter: str) -> bool:
        """Whether somebody subscribed to a filter."""

    def retained_page(
        self, query: MessageQuery, offset: int, limit: int
    ) -> tuple[list[tuple[Any, ...]], int]:
        """``MessageHead`` of a page of retained messages, and how many are wanted in all."""

    def retained(self, topic: str) -> MessageRow | None:
        """The retained message of a topic."""

    def retain(self, rows: Sequence[MessageRow]) -> int:
        """Keep messages as retained ones; how many there was room for.

        Raises:
            ValueError: a row is no message.
        """

    def remove_retained(self, topic_filter: str | None) -> int:
        """Forget retained messages; how many."""

    def delayed_page(
        self, query: MessageQuery, offset: int, limit: int
    ) -> tuple[list[tuple[int, tuple[Any, ...]]], int]:
        """Time and ``MessageHead`` of a page of delayed messages, and how many are wanted in all."""

    def delayed(self, id: int) -> tuple[int, MessageRow] | None:
        """Time of a delayed message, and the message."""

    def remove_delayed(self, id: int) -> bool:
        """Forget a delayed message; whether it waited."""

    def remove_delayed_to(self, topic: str) -> int:
        """Forget the delayed messages for a topic; how many waited."""

    def publish_all(self, requests: list[PublishRow]) -> list[tuple[int, int]]:
        """Publish; id and number of sessions of each message."""

    def kick_all(self, client_ids: list[str]) -> int:
        """End connections and sessions; how many were there."""

    def move_all(self, client_ids: list[str]) -> int:
        """End connections as :meth:`set_redirect` says; how many there were. Sessions stay."""

    def set_redirect(self, is_on: bool, for_good: bool, server_reference: str | None) -> None:
        """Send clients that connect elsewhere (0x9C, for good 0x9D), or take them again."""

    def subscribe_client(
        self, client_id: str, filters: list[SubscribeRequest]
    ) -> list[tuple[SubscriptionRow | None, int]] | None:
        """Subscribe for a client; what was granted or none, and the reason code of each filter."""

    def unsubscribe_client(self, client_id: str, filters: list[str]) -> bytes | None:
        """Unsubscribe for a client; the reason code of each filter."""

    def set_keep_alive(self, client_id: str, interval_s: int) -> bool:
        """Give a connected client another Keep Alive; whether it is connected."""

    def acl_cache(self, client_id: str) -> list[tuple[Any, ...]] | None:
        """``KeptAnswer`` of the answers kept about a client's topics."""

    def client_messages(
        self,
        client_id: str,
        in_flight: bool,
        after: tuple[int, int] | None,
        limit: int,
        bytes_max: int,
    ) -> tuple[list[tuple[MessageRow, int, int, tuple[int, int]]], tuple[int, int] | None] | None:
        """Message, QoS, priority and place of messages on their way to a client; the last place."""

    def count_topics(self, topics: list[str]) -> None:
        """Count messages of these topics from now on."""

    def topic_counts(self) -> list[tuple[Any, ...]]:
        """``TopicCounts`` of each topic that is counted."""

    def fileno(self) -> int:
        """A descriptor that is readable while :meth:`drain` has something."""

    def drain(self, max: int) -> list[EventRow]:
        """Take at most ``max`` events without waiting."""

    def answer(self, answers: list[AnswerRow]) -> None:
        """Answer questions; one that is answered already or timed out is ignored."""

@final
class PluginBridge:
    """The way to the worker processes of plugins; ends with its node."""

    def set_plugins(self, plugins: list[PluginRoute]) -> None:
        """Make the plugins those of the list, in the order in which they are asked."""

    def attach(self, plugin: int, worker: int) -> int:
        """A new socket for a worker process; the number of the descriptor for its end."""

    def begin(self, plugin: int, worker: int) -> None:
        """The worker process is ready: it is asked from now on."""

    def hold(self, plugin: int) -> None:
        """Keep what a plugin would be asked and told for its next processes."""

    def detach(self, plugin: int, worker: int) -> None:
        """Close the socket of a worker process."""

    def tell(self, hookpoint: str, json: str) -> None:
        """Tell every plugin that has this hookpoint."""

    def workers(self) -> list[WorkerRow]:
        """Counters of every worker process."""

    def close(self) -> None:
        """Give every hookpoint back. May be repeated."""

@final
class PluginDecoder:
    """Takes what comes down to a worker process apart, and asks its hook about messages."""

    def __new__(
        cls,
        on_publish: Callable[[Message], object] | None = None,
        message_type: type[LazyMessage] | None = None,
    ) -> PluginDecoder: ...
    def feed(
        self, bytes: bytes
    ) -> tuple[bytes, list[tuple[AskId, LazyMessage, Any, bool]], list[EventRow], bool]:
        """Adds bytes, asks ``on_publish`` about messages, and gives the rest as rows.

        The answers as bytes; questions that the hook did not answer plainly, with what it returned
        or raised; rows; whether more is whole.
        """

@final
class SourceMessage:
    """A message as it came down to a worker process."""

    def get(self, name: str) -> Any:
        """An attribute of ``Message``; ``properties`` are encoded."""

    def changed(self, changes: dict[str, Any]) -> SourceMessage | None:
        """The source of a message with another topic, payload, QoS or RETAIN; none: something else."""

def encode_answers(answers: list[AnswerRow]) -> bytes:
    """The bytes with which a worker process answers."""

def parse_hocon(text: str, source: str, environ: dict[str, str]) -> str:
    """Parse configuration text into JSON: ``{"sources": […], "root": V}``.

    Every ``V`` is ``[source, line, value]``. ``include`` reads files beside ``source``; ``${NAME}``
    falls back to ``environ``. What is wrong with the text is a ``NativeError`` of kind ``config``.
    """

def run_bench(
    config_json: str, progress: Callable[[str, float, float, tuple[int, int, int]], bool]
) -> str:
    """Make one run of the load generator; its report as JSON.

    ``progress`` is called several times a second with the phase (``set_up``, ``warm_up``,
    ``measure``, ``drain``), the seconds since the start, the share of the phase that is done and
    the numbers of connections, messages sent and messages received; false ends the run.
    """

def check_regex(text: str) -> str | None:
    """Why a text is no regular expression of rules and bans; none when it is one."""

def version() -> str:
    """The version of the native core, which is the version of the distribution."""

def compile_rule(sql: str) -> tuple[list[str], list[str], list[str]]:
    """What a rule selects from: topic filters, events, ids of sources."""

def try_rule(sql: str, context: str, seed: int, surroundings: RuleAroundRow) -> list[str] | None:
    """The rows, as JSON, that a rule makes of columns (a JSON object); none when it takes nothing."""

def republish_problem(output: RuleOutputRow) -> tuple[str, str] | None:
    """Why a republish cannot be used: which part of it, and what is wrong; none when it can."""

def rule_events() -> list[RuleEventRow]:
    """Everything that a rule can select from."""

def rule_functions() -> list[RuleFunctionRow]:
    """Every function of rules, absent ones too."""

def rule_messages() -> list[tuple[str, str]]:
    """The key and the English text of everything that is said about rules."""

def render_template(template: str, row: str) -> str:
    """The text that a template makes of a row, which is a JSON object; ``ValueError``: it cannot."""

@final
class ActionHub:
    """The buffers of all actions of a node. No method waits for a thread of the node."""

    def open(self, action_id: str, spec: BufferSpec) -> ActionBuffer:
        """Open a buffer, or change the limits of an open one. Waits for the disk if it spills."""

    def fileno(self) -> int:
        """A descriptor that is readable while :meth:`ready` has something."""

    def ready(self) -> list[int]:
        """Numbers of buffers that have something since their ``take`` found everything taken."""

@final
class ActionBuffer:
    """The queue of one action."""

    @property
    def number(self) -> int:
        """Its number among the buffers of the node; that of an id never changes."""

    def take(self, max_items: int, max_bytes: int) -> tuple[list[ActionItem], bool]:
        """Items that are in flight from now on, and whether there may be more at once."""

    def settle(self, numbers: list[int], outcome: str) -> None:
        """Say how items ended: ``success``, ``failed``, ``dropped.<reason>``."""

    def give_back(self, numbers: list[int]) -> None:
        """Put items in flight back to where they were."""

    def expire(self) -> int:
        """Drop what waited too long, a bounded part of it; how many that were."""

    def pause(self, is_paused: bool) -> None:
        """Refuse what comes from now on, or take it again."""

    def offer_rows(self, rows: list[str], fields: list[ActionField], rule: str, key: int) -> int:
        """Offer rows, which are JSON objects; the number of those that were offered.

        ``ValueError``: a field is none.
        """

    def count(self, retried: int, received: int) -> None:
        """Count what only the sender knows."""

    def counters(
        self,
    ) -> tuple[int, int, int, int, int, int, int, int, int, int, int, int, int, int, int]:
        """In the order of ``rookery.native.actions.ActionCounters``."""

    def reset_counters(self) -> None:
        """Count from zero; what waits or is in flight counts as matched."""

    def close(self) -> None:
        """Drop everything and give memory and disk back; waits for the disk if it spilled."""
