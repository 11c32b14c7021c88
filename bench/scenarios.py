"""The rows of the table: load, brokers and bounds, as data.

A row is measured on several cells (a broker, perhaps with its own options or
load). A bound compares a figure of one cell with that of another, or with a
fixed limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from brokers import Options

Load = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """One broker of a row."""

    label: str
    peer: str
    options: Options = Options()
    load: Load = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """`figure` of `cell` is at most `limit` times that of `than`, or `limit` itself."""

    figure: str
    limit: float
    than: str = ""
    cell: str = "rookery"


@dataclass(frozen=True)
class Row:
    """One scenario."""

    id: str
    title: str
    load: Load
    cells: tuple[Cell, ...]
    bounds: tuple[Bound, ...] = ()
    figures: tuple[str, ...] = ("cpu",)
    runs: int = 5
    # A program of the project that prints nanoseconds, in place of a broker and its load.
    micro: tuple[str, str] = ("", "")  # package, example
    # Loads made before a restart whose time is the figure.
    prepare: tuple[Load, ...] = ()


ROOKERY = Cell("rookery", "rookery")
MOSQUITTO = Cell("mosquitto", "mosquitto")
# Its default drops what exceeds 1,000 messages per subscriber.
MOSQUITTO_UNLIMITED = Cell("mosquitto", "mosquitto", Options(unlimited_queue=True))
RELAY = Cell("relay", "relay")
ALL = (ROOKERY, MOSQUITTO, RELAY)
OTHERS = tuple(Cell(name, name) for name in ("nats", "aedes", "amqtt", "rmqttd"))


def cpu(mosquitto: float | None = None, relay: float | None = None) -> tuple[Bound, ...]:
    """Bounds of the CPU per message."""
    pairs = (("mosquitto", mosquitto), ("relay", relay))
    return tuple(Bound("cpu", limit, than) for than, limit in pairs if limit is not None)


def pairs(count: int, qos: int, window: int, **more: Any) -> Load:
    """Load of publisher-subscriber pairs."""
    return {"mode": "pairs", "publishers": count, "qos": qos, "window": window, **more}


def fanout(publishers: int, subscribers: int, window: int, **more: Any) -> Load:
    """Load where everyone gets everything, QoS 0."""
    head = {"mode": "fanout", "publishers": publishers, "subscribers": subscribers}
    return {**head, "window": window, **more}


def shared(batch: int) -> Load:
    """500 publishers, each sending its next batch when the last has been delivered.

    A window that is refilled message by message would make every publication a packet of its own:
    deliveries come back in the order of the group, not of a publisher.
    """
    head = {"mode": "shared", "publishers": 500, "subscribers": 5, "qos": 1}
    return {**head, "window": batch, "refill": batch}


PAIRS_QOS0 = pairs(100, 0, 16)
PAIRS_QOS1 = pairs(100, 1, 16)
FANOUT = fanout(1, 500, 4)
PACED = pairs(1000, 0, 1, rate=10_000)

BASE = (
    Row("pairs-q0-w16", "100 pairs, QoS 0, window 16", PAIRS_QOS0, ALL + OTHERS, cpu(0.13, 3.5)),
    Row("pairs-q1-w16", "100 pairs, QoS 1, window 16", PAIRS_QOS1, ALL + OTHERS, cpu(0.075, 2.2)),
    Row("pairs-q2-w16", "100 pairs, QoS 2, window 16", pairs(100, 2, 16), ALL + OTHERS, cpu(0.10)),
    Row("pairs-q0-w1", "100 pairs, QoS 0, window 1", pairs(100, 0, 1), ALL + OTHERS, cpu(1.0, 1.6)),
    Row("fanout-w4", "1 → 500 subscribers, QoS 0, window 4", FANOUT, ALL + OTHERS, cpu(0.25, 1.35)),
    Row(
        "paced",
        "1,000 pairs, 10,000 messages/s paced, QoS 0",
        PACED,
        ALL,
        (*cpu(1.1, 1.3), Bound("p99", 1.25, "mosquitto")),
        ("cpu", "p99"),
        runs=7,
    ),
    Row(
        "shared",
        "500 publishers → 5 shared subscribers, QoS 1, batches of 8",
        shared(8),
        (ROOKERY, MOSQUITTO_UNLIMITED),
        cpu(0.15),
    ),
    Row(
        "shared-w1",
        "500 publishers → 5 shared subscribers, QoS 1, one message at a time",
        shared(1),
        (ROOKERY, MOSQUITTO_UNLIMITED),
    ),
    Row(
        "idle",
        "15,000 idle connections, 60 s after the last connect: PSS each",
        {"mode": "conn", "idle_connections": 15_000, "duration_s": 60, "keep_alive_s": 300},
        (ROOKERY, MOSQUITTO),
        (Bound("pss_per_connection", 2000),),
        ("pss_per_connection",),
        runs=1,
    ),
    Row(
        "churn",
        "connect + subscribe + disconnect cycles: CPU per cycle",
        {"mode": "churn", "publishers": 10},
        (ROOKERY, MOSQUITTO),
        cpu(1.0),
    ),
    Row(
        "saturated-q0",
        "saturated: 32 pairs, 16 B, QoS 0, window 110",
        pairs(32, 0, 110, payload_bytes=16),
        ALL + OTHERS,
        cpu(0.08),
    ),
    Row(
        "saturated-q1",
        "saturated: 32 pairs, 16 B, QoS 1, window 110",
        pairs(32, 1, 110, payload_bytes=16),
        ALL,
        cpu(0.07),
    ),
    Row(
        "saturated-q2",
        "saturated: 32 pairs, 16 B, QoS 2, window 110",
        pairs(32, 2, 110, payload_bytes=16),
        ALL,
        cpu(0.08),
    ),
    Row(
        "saturated-fanout",
        "saturated: 5 publishers → 500 subscribers each, 16 B, QoS 0",
        fanout(5, 500, 16, payload_bytes=16),
        ALL + OTHERS,
        cpu(0.085),
    ),
)


def variations() -> tuple[Row, ...]:
    """Rows 1, 2 and 5 with larger payloads, over MQTT 5, and with many topics."""
    changes: tuple[tuple[str, str, Load], ...] = (
        ("1k", "1 KB payload", {"payload_bytes": 1024}),
        ("8k", "8 KB payload", {"payload_bytes": 8192}),
        ("v5", "MQTT 5", {"protocol": "5"}),
        ("100k-topics", "100,000 topics", {"topics": 100_000}),
    )
    rows = []
    for base in (row for row in BASE if row.id in ("pairs-q0-w16", "pairs-q1-w16", "fanout-w4")):
        for suffix, words, change in changes:
            load = {**base.load, **change}
            if base.id == "fanout-w4" and "topics" in change:
                # By name this would be 50 million subscriptions.
                load["subscribe_wildcard"] = True
            rows.append(
                Row(f"{base.id}-{suffix}", f"{base.title}; {words}", load, ALL, base.bounds)
            )
    return tuple(rows)


def quiet(subscriptions: int) -> Load:
    """Subscriptions that match nothing, made by 100 ordinary clients."""
    return {
        "idle_connections": 100,
        "idle_subscriptions": subscriptions,
        "set_up_timeout_s": 300,
    }


ROUTING = Row(
    "routing",
    "100 pairs, QoS 0, window 16 beside 1,000,000 subscriptions that do not match",
    PAIRS_QOS0,
    (
        Cell("rookery", "rookery", load=quiet(1_000_000)),
        Cell("rookery beside 1,000", "rookery", load=quiet(1_000)),
        Cell("mosquitto", "mosquitto", load=quiet(1_000_000)),
    ),
    (Bound("cpu", 1.3, "rookery beside 1,000"), Bound("idle_set_up_s", 20)),
    ("cpu", "idle_set_up_s", "pss_per_subscription"),
    runs=3,
)

TWO_WORKERS = tuple(
    Row(
        f"two-workers-{name}",
        f"two workers, 40 % load, random placement: {words}",
        load,
        (
            Cell("rookery", "rookery", Options(workers=2, cores=(0, 1))),
            Cell("one worker", "rookery"),
        ),
        # Half of the messages cross: at most 1.15 over all is at most 1.3 for one that crosses.
        (Bound("cpu", 1.15, "one worker"),),
    )
    for name, words, load in (
        ("q0", "100 pairs, QoS 0", pairs(100, 0, 1, rate=20_000)),
        ("q1", "100 pairs, QoS 1", pairs(100, 1, 1, rate=12_000)),
    )
)

# The same load for each worker: what two carry together is twice what one carries.
TWO_WORKERS_EACH = tuple(
    Row(
        f"two-workers-{name}-each",
        f"two workers, 40 % load on each, random placement: {words} for each worker",
        pairs(100, qos, 1, rate=rate),
        (
            Cell(
                "rookery",
                "rookery",
                Options(workers=2, cores=(0, 1)),
                {"publishers": 200, "rate": 2 * rate},
            ),
            Cell("one worker", "rookery"),
        ),
        (Bound("cpu", 1.15, "one worker"),),
    )
    for name, words, qos, rate in (
        ("q0", "100 pairs, QoS 0, 20,000 messages/s", 0, 20_000),
        ("q1", "100 pairs, QoS 1, 12,000 messages/s", 1, 12_000),
    )
)


def over(transport: str, certificate: str = "ec") -> tuple[Cell, ...]:
    """Rookery and mosquitto, both reached in the same way."""
    options = Options(transport=transport, certificate=certificate)
    return (Cell("rookery", "rookery", options), Cell("mosquitto", "mosquitto", options))


def handshakes(**more: Any) -> Load:
    """TCP and TLS, nothing else, on ten connections at a time."""
    return {"mode": "handshake", "publishers": 10, **more}


TLS = (
    Row("tls-q0-w16", "TLS: 100 pairs, QoS 0, window 16", PAIRS_QOS0, over("tls"), cpu(0.35)),
    Row("tls-q1-w16", "TLS: 100 pairs, QoS 1, window 16", PAIRS_QOS1, over("tls"), cpu(0.35)),
    Row("tls-q0-w1", "TLS: 100 pairs, QoS 0, window 1", pairs(100, 0, 1), over("tls"), cpu(1.0)),
    # At least as many for the same CPU is at most as much CPU for each.
    *(
        Row(
            f"tls-handshakes-{name}",
            f"TLS handshakes, {words}: CPU each",
            handshakes(**load),
            over("tls", kind),
            cpu(1.0),
            ("cpu", "cycles"),
        )
        for name, words, kind, load in (
            ("ec", "full, EC P-256", "ec", {}),
            ("rsa", "full, RSA 2048", "rsa", {}),
            ("tls12", "full, EC P-256, TLS 1.2", "ec", {"tls_version": "1.2"}),
            ("tickets", "session tickets, EC P-256", "ec", {"tls_session_tickets": True}),
        )
    ),
    Row(
        "tls-churn",
        "TLS: connect + subscribe + disconnect cycles, full handshakes: CPU per cycle",
        {"mode": "churn", "publishers": 10},
        over("tls"),
        cpu(1.0),
        ("cpu", "cycles"),
    ),
    Row(
        "tls-idle",
        "TLS: 10,000 idle connections, 60 s after the last connect: PSS each",
        {"mode": "conn", "idle_connections": 10_000, "duration_s": 60, "keep_alive_s": 300},
        over("tls"),
        (Bound("pss_per_connection", 1.0, "mosquitto"),),
        ("pss_per_connection", "idle_set_up_s"),
        runs=1,
    ),
)

WEBSOCKET = tuple(
    Row(
        f"{transport}-q0-w{window}",
        f"{words}: 100 pairs, QoS 0, window {window}",
        pairs(100, 0, window),
        (*over(transport), Cell(f"rookery, {than}", "rookery", Options(transport=than))),
        # Over TLS the same frames are behind the cipher: what it adds is not bounded by itself.
        (Bound("cpu", 1.3, f"rookery, {than}"),) if transport == "ws" else (),
    )
    for transport, than, words in (("ws", "tcp", "WebSocket"), ("wss", "tls", "secure WebSocket"))
    for window in (16, 1)
)

ACCESS = Row(
    "acl-100",
    "one check of access control against 100 rules: CPU, the slowest kind of rules",
    {},
    (ROOKERY,),
    (Bound("check_ns", 1000),),
    ("check_ns",),
    micro=("rookery-core", "access_bench"),
)

RULES = (
    Row(
        "rules-none",
        "100 pairs, QoS 0, window 16 beside 1,000 rules that want nothing of it",
        PAIRS_QOS0,
        (
            Cell("rookery", "rookery", Options(rules=1_000)),
            Cell("rookery without rules", "rookery"),
        ),
        (Bound("cpu", 1.05, "rookery without rules"),),
        runs=7,
    ),
    Row(
        "rule-republish",
        "a rule with WHERE on a JSON field and a republish: CPU on top of two messages",
        {},
        (ROOKERY,),
        (Bound("check_ns", 2000),),
        ("check_ns",),
        micro=("rookery-core", "rule_path"),
    ),
)

DURABLE = Row(
    "durable",
    "100 pairs, QoS 1, window 16, to sessions with expiry",
    pairs(100, 1, 16, protocol="5", clean_start=False, session_expiry_interval_s=3600),
    (
        *(
            Cell(f"rookery, sync {sync}", "rookery", Options(sync=sync))
            for sync in ("always", "interval", "never")
        ),
        Cell("mosquitto, persistence", "mosquitto", Options(sync="never")),
    ),
    figures=("cpu", "rate", "p99"),
)

START = (
    Row(
        "start",
        "start to first CONNACK, empty store",
        {},
        (ROOKERY, MOSQUITTO),
        (Bound("start_ms", 300),),
        ("start_ms",),
    ),
    Row(
        "start-loaded",
        "start to first CONNACK, 1,000,000 retained messages and 100,000 sessions",
        {},
        (Cell("rookery", "rookery", Options(sync="interval")),),
        (Bound("start_ms", 10_000),),
        ("start_ms",),
        runs=1,
        prepare=(
            {
                "mode": "pub",
                "publishers": 10,
                "qos": 1,
                "window": 100,
                "topics": 1_000_000,
                "retain": True,
                "messages": 1_000_000,
                "warm_up_s": 0,
                "duration_s": 600,
            },
            {
                "mode": "churn",
                "publishers": 50,
                "protocol": "5",
                "clean_start": False,
                "session_expiry_interval_s": 7200,
                "qos": 1,
                "messages": 100_000,
                "warm_up_s": 0,
                "duration_s": 600,
            },
        ),
    ),
)

ROWS = (
    *BASE,
    *variations(),
    ROUTING,
    *TWO_WORKERS,
    *TWO_WORKERS_EACH,
    *TLS,
    *WEBSOCKET,
    ACCESS,
    *RULES,
    DURABLE,
    *START,
)
