"""The tuples that cross the boundary; ``crates/rookery-py`` makes and takes them in this order."""

from __future__ import annotations

from typing import Any, TypeAlias

ClientRow: TypeAlias = tuple[
    str, str | None, bool, str | None, str | None, int, int, bool,
    int, int, int, int, int,
    int, int, int, int, int, bool,
]  # fmt: skip
"""
client_id, username, connected, peer, listener, proto_ver, keepalive_s, clean_start,
expiry_interval_s, created_at_ms, connected_at_ms, disconnected_at_ms, generation,
subscriptions, inflight, mqueue, mqueue_dropped, awaiting_rel, durable
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

CertificateOutcomeRow: TypeAlias = tuple[str, bool, str | None]
"""listener, whether its files hold something new that is in use now, what is wrong with them"""

CertificateInfoRow: TypeAlias = tuple[str, str, str, str, int]
"""listener, file, the setting that names it, subject, end of validity in seconds since 1970"""

RecoveryRow: TypeAlias = tuple[int, int, int, list[str], float]
"""sessions, retained messages, queued messages, problems, elapsed seconds"""

PublishRow: TypeAlias = tuple[str, bytes, int, bool, bytes, int | None, str, bool]
"""
topic_name, payload, qos, retain, properties (encoded), message expiry interval in seconds,
client_id, sys
"""

AskId: TypeAlias = tuple[int, int, int, int]
"""shard, connection slot, its generation, number"""

AuthorizeRow: TypeAlias = tuple[str, str | None, bool, str, int, bool]
"""client_id, username, is a PUBLISH (else SUBSCRIBE), topic name or filter, qos, retain"""

EventRow: TypeAlias = tuple[Any, ...]
"""
The kind, then what belongs to it:
("connected", ClientRow)
("disconnected", ClientRow, reason)
("refused", peer, listener, client_id, reason, what to do)
("subscribed", client_id, SubscriptionRow)
("unsubscribed", client_id, topic_filter)
("delivery", slot, MessageRow, qos)
("ask", AskId, "authenticate", ClientRow, password | None)
("ask", AskId, "authorize", AuthorizeRow, None)
("ask", AskId, "publish", MessageRow, None)
("certificate", listener, what is wrong with its new files | None, what happened in one line)
("log", "debug" | "info" | "warning" | "error", text)
"""

AnswerRow: TypeAlias = tuple[AskId, str, int | MessageRow | None]
"""
Which question, the verdict, and what belongs to it:
id, "allow" | "allow_superuser" | "drop", None
id, "deny", reason code
id, "replace", MessageRow
"""
