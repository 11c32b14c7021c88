"""The tuples that cross the boundary; ``crates/rookery-py`` makes and takes them in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from rookery.native.config import AclRule

ClientRow: TypeAlias = tuple[
    str, str | None, bool, str | None, str | None, int, int | None, bool | None,
    int, int, int | None, int, int,
    int, int, int, int, int, bool,
    str | None, str | None, list[tuple[str, str]], bool, str | None, str,
]  # fmt: skip
"""
client_id, username, connected, peer, listener, proto_ver, keepalive_s, clean_start,
expiry_interval_s, created_at_ms, connected_at_ms, disconnected_at_ms, generation,
subscriptions, inflight, mqueue, mqueue_dropped, awaiting_rel, durable,
cert_common_name, cert_subject, client_attrs, is_superuser, zone, mountpoint
"""

CertificateRow: TypeAlias = tuple[str | None, str | None, bytes | None, bool]
"""common_name, subject_dn, DER, whether a PROXY header told it (then there is no DER)"""

AuthDetailRow: TypeAlias = tuple[int, CertificateRow | None, str | None, bytes | None]
"""
sockport (the local port), client certificate, Authentication Method and Authentication Data of
enhanced authentication (MQTT-5.0 section 4.12)
"""

SubscriptionRow: TypeAlias = tuple[str, int, bool, bool, int]
"""topic_filter, qos, no_local, retain_as_published, retain_handling"""

MessageRow: TypeAlias = tuple[
    int, int, int, int, bool, bool, str, bytes, bytes, str, str | None, str | None, str | None
]
"""
id, timestamp_ms, expires_at_ms (0 = never), qos, retain, sys, topic_name, payload,
properties (encoded), client_id, username, origin_node, origin_link
"""

ListenerRow: TypeAlias = tuple[str, str, int, int, str, str | None]
"""
id, address:port, connections, max_connections (0 = no bound), kind, why it does not stand (none:
it stands)
"""

ListenerOutcomeRow: TypeAlias = tuple[str, str, str | None, str | None]
"""
id, "unchanged" | "started" | "stopped" | "restarted" | "changed" | "failed", why it failed, the
address if that is taken
"""

PartnerStatusRow: TypeAlias = tuple[str, bool, int, int, int, int, int, str]
"""name, is_whole, since_ms, lag, lag_bytes, unconfirmed, restarts, last_error"""

PeerStatusRow: TypeAlias = tuple[str, int, bool, int, int, int, int, int, int, int, str]
"""
name, incarnation, is_connected, since_ms, routes, sent, received, resent, dropped, queued_bytes,
last_error
"""

LinkStatusRow: TypeAlias = tuple[
    str, Literal["connected", "connecting", "disconnected"], str | None, int, str, str | None, int, int, int, int, int, int, int, int, int, int,
    int, int, int, int, str | None, int, int | None,
]  # fmt: skip
"""
name, status, reason, since_ms, replication, server, pool_connected, routes, sent_routes, matched,
success, failed, dropped, retried, queuing, inflight, queued_bytes, received, refused, stored, store,
stored_bytes, stored_since_ms
"""

CertificateOutcomeRow: TypeAlias = tuple[str, bool, str | None]
"""listener, whether its files hold something new that is in use now, what is wrong with them"""

CertificateInfoRow: TypeAlias = tuple[str, str, str, str, int]
"""listener, file, the setting that names it, subject, end of validity in seconds since 1970"""

SlowRow: TypeAlias = tuple[str, str, int, int]
"""client_id, topic_name, longest time in ms, when last (ms since 1970)"""

TraceRow: TypeAlias = tuple[
    str, tuple[int, ...], int, str, str, str, str | None, str | None, str | None, str,
    bytes | None, int,
]  # fmt: skip
"""
"trace", numbers of the traces it belongs to, when (microseconds since 1970), part of the broker,
what happened, client_id, username, peer, topic, words, beginning of the payload, its whole length
"""

SpanRow: TypeAlias = tuple[str, int, int, int, str, int, int, str, str, int, bool, int, int]
"""
"span", trace_id, span_id, parent's span_id (0: none), name, start (ms since 1970), end
(microseconds since 1970), client_id, topic_name, qos, retain, bytes of the payload, message id
"""

RecoveryRow: TypeAlias = tuple[int, int, int, list[str], float]
"""sessions, retained messages, queued messages, problems, elapsed seconds"""

PublishRow: TypeAlias = tuple[str, bytes, int, bool, bytes, int | None, str, bool]
"""
topic_name, payload, qos, retain, properties (encoded), message expiry interval in seconds,
client_id, sys
"""

AskId: TypeAlias = tuple[int, int, int, int]
"""shard, connection slot, its generation, number"""

AuthorizeRow: TypeAlias = tuple[str, str | None, bool, str, int, bool, str | None, ClientRow]
"""
client_id, username, is a PUBLISH (else SUBSCRIBE), topic name or filter, qos, retain,
the source of kind ``ask`` that was reached (none: no source fitted, hooks are asked), the client
"""

EventRow: TypeAlias = tuple[Any, ...]
"""
The kind, then what belongs to it:
("connected", ClientRow)
("disconnected", ClientRow, reason)
("refused", peer, listener, client_id, reason, what to do)
("subscribed", client_id, SubscriptionRow)
("unsubscribed", client_id, topic_filter)
("delivery", slot, MessageRow, qos)
("flapping", client_id, username | None, peer)
("crowded", number of this turn, whether it begins, connected clients, max_connections)
    those of several workers may come out of order: the highest number holds
("links",)
    it stands otherwise with some link; told once until ``Node.links_status`` is asked
("ask", AskId, "authenticate", ClientRow, password | None, AuthDetailRow)
    a client that is connected already authenticates again (AUTH 0x19)
("ask", AskId, "first_authenticate", ClientRow, password | None, AuthDetailRow)
    to hooks that may leave it to what is configured (verdict "ignore")
("ask", AskId, "auth_continue", ClientRow, None, AuthDetailRow)
    the next step of the exchange; ``AskId[:3]`` is the same in all its steps
("ask", AskId, "authorize", AuthorizeRow, None)
("ask", AskId, "publish", MessageRow, None)
("ask", AskId, "subscribe", (client_id, [SubscriptionRow]), None)
("ask", AskId, "unsubscribe", (client_id, [topic_filter]), None)
("certificate", listener, what is wrong with its new files | None, what happened in one line)
TraceRow, SpanRow
("log", "debug" | "info" | "warning" | "error", text)
("connect", ClientRow)
("connack", client_id, peer, listener, reason code)
("session_created" | "session_resumed" | "session_discarded" | "session_takenover" |
 "session_terminated", ClientRow)
("puback", client_id, MessageRow, reason code)
("delivered", client_id, MessageRow, qos)
("acked", client_id, MessageRow)
("dropped", MessageRow, reason)
("delivery_dropped", client_id, MessageRow, reason)
("alarm_activated" | "alarm_deactivated", JSON)
    to worker processes of plugins only
("store", whether it takes writes from now on, why not)
"""


class AdmitRow(NamedTuple):
    """What belongs to the verdict ``admit``.

    ``expire_at_ms`` (since 1970) ends the connection. ``acl`` is looked at before every source.
    ``auth_data`` is the last Authentication Data of enhanced authentication, for CONNACK or AUTH.
    """

    is_superuser: bool = False
    client_attrs: tuple[tuple[str, str], ...] = ()
    expire_at_ms: int | None = None
    acl: tuple[AclRule, ...] | None = None
    client_id_override: str | None = None
    auth_data: bytes | None = None


class ContinueRow(NamedTuple):
    """What belongs to the verdict ``continue``: the next AUTH (0x18) to the client."""

    auth_data: bytes
    reason_string: str | None = None


FilterRow: TypeAlias = SubscriptionRow | int
"""what stands in the place of a filter, or the reason code with which it is refused"""

AnswerRow: TypeAlias = tuple[
    AskId, str, int | MessageRow | AdmitRow | ContinueRow | list[FilterRow] | None
]
"""
Which question, the verdict, and what belongs to it:
id, "allow" | "allow_superuser" | "drop" | "ignore", None
id, "deny", reason code
id, "replace", MessageRow
id, "admit", AdmitRow
id, "continue", ContinueRow
id, "filters", [FilterRow]: one for each filter that was asked about
"""


WorkerRow: TypeAlias = tuple[int, int, bool, tuple[int, int, int, int, int, int, int]]
"""plugin, worker, is_attached, (asked, answered, late, failed, told, dropped, open)"""


RuleOutputRow: TypeAlias = (
    tuple[Literal["console"]]
    | tuple[Literal["action"], str, tuple[tuple[str, str], ...]]
    | tuple[Literal["republish"], tuple[str, str, str, str, str], tuple[tuple[str, str], ...], bool]
)
"""
The kind of an output, and what belongs to it:
"console"
"action", id of the action, fields as kind and template
"republish", (topic, qos, retain, payload, user properties), MQTT properties, direct dispatch
"""

RuleRow: TypeAlias = tuple[str, str, bool, list[RuleOutputRow]]
"""id, SQL, whether it runs, outputs"""

RuleAroundRow: TypeAlias = tuple[int, list[tuple[int, int]], list[tuple[str, str]], bool]
"""
seconds that local time is ahead of UTC, the changes to come (from when, in seconds since 1970, by how
many seconds), variables, whether ``$SYS`` messages are ignored
"""

RuleCountsRow: TypeAlias = tuple[str, int, int, int, int, int, int, int, int, int, int, int]
"""id, then the items of ``rookery.native.rules.RuleCounters``"""

RuleEventRow: TypeAlias = tuple[
    str, str | None, str, str, str, list[tuple[str, str]], list[tuple[str, str, str, str]]
]
"""
name, older name, title in English and Chinese, a rule, columns with an example as JSON, and what a
person fills in: column, example as JSON, what it is in English and Chinese
"""

RuleFunctionRow: TypeAlias = tuple[str, str, str, int, int | None, str, str, list[tuple[str, str]]]
"""The items of ``rookery.native.rules.RuleFunction``."""


SaidRow: TypeAlias = "tuple[str, str, list[tuple[str, str | SaidRow]]]"
"""key, English text, values by name: each is text, or such a row itself"""


class AclSubject(NamedTuple):
    """Whom a check is about. ``peerhost`` is an address without a port."""

    client_id: str
    username: str | None = None
    peerhost: str | None = None
    listener: str = ""
    zone: str = "default"
    cert_common_name: str | None = None
    client_attrs: tuple[tuple[str, str], ...] = ()
    is_superuser: bool = False


AclDecisionRow: TypeAlias = tuple[Literal["allow", "deny", "ask"], str, int]
"""
verdict, what decided, line of the rule (0: none).

What decided is the name of a source, or ``superuser``, ``client_acl`` (rules that came with the
authentication), ``sys_topics`` (``$SYS``), ``reserved`` (``$LINK`` and what only the server may
publish to) or ``no_match``. ``ask`` names the source of kind ``ask`` that is next.
"""
