"""What edge services and the control plane say beside what all agents do.

An edge service dials in with nothing but an account that many share. It gets a name of its own for the
credential that it made itself, and from then on uses its own topics alone:

    enrol      edge → control   :class:`Enrol`, on a connection named ``enrol-…`` that may nothing else
    enrolled   control → edge   :class:`Enrolled`
    report     edge → control   :class:`EdgeReport`
    desired    control → edge   :class:`EdgeStanding`, retained
    evt        edge → control   :class:`EdgeLeaving`

The credential never travels while enrolling: its SHA-256 does. Whoever asks again with the same one gets
the same name. :class:`rookery.contracts.agent_v1.Request` goes to the edge's own interface: with the credential
*key* as an administrator, with *viewer* as a viewer.

Importing this module makes its messages known to :func:`rookery.contracts.agent_v1.parse`; an agent of a
cluster takes them as *not for me*.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from rookery.contracts.agent_fields import (
    Flag,
    Integer,
    Listing,
    Mapped,
    Number,
    Part,
    Record,
    Rule,
    Text,
    Word,
)
from rookery.contracts.agent_v1 import (
    AGENT_ID,
    REPORT_BYTES_MAX,
    REPORT_INTERVAL_S,
    TYPES,
    Message,
)

EDGE_PREFIX = "edge-"
"""What the names of edge services begin with."""
ENROL_PREFIX = "enrol-"
"""What the Client Identifier of a connection begins with that may do nothing but enrol."""
ENROL_ID = r"enrol-[0-9a-f]{32}"
_ENROL_ID = re.compile(ENROL_ID)
DEFAULT_USERNAME = "admin"
DEFAULT_PASSWORD = "public"  # noqa: S105 - of the documents; control warns until it is changed
NODES_LISTED_MAX = 300
RULE_PLUGIN = "Rule"
"""Applications of this kind are rules: they have figures and an alarm of their own."""
FIGURES_MAX = 64
DELIVERIES_MAX = 50
_TIME_MAX = 1 << 53

_TIME = Integer(0, _TIME_MAX)
_COUNT = Integer(0, 1 << 31)
_SENTENCE = Text(512)


def is_enrol_id(client_id: str) -> bool:
    """Whether that is a connection which may do nothing but enrol."""
    return _ENROL_ID.fullmatch(client_id) is not None


@dataclass(frozen=True)
class Enrol(Message):
    """An edge service wants in. ``register_id`` is its own name for itself, the same for good."""

    secret_hash: str
    register_id: str
    description: str = ""
    agent_version: str = ""
    host_name: str = ""

    TYPE: ClassVar[str] = "enrol"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "secret_hash": Text(64, shortest=64, pattern=r"[0-9a-f]+"),
        "register_id": Text(64, shortest=8, pattern=r"[0-9a-f]+-[0-9a-f]+"),
        "description": Text(256),
        "agent_version": Text(64),
        "host_name": Text(256),
    }


@dataclass(frozen=True)
class Enrolled(Message):
    """The name, which is the user name and the Client Identifier from now on; or why there is none."""

    agent_id: str = ""
    code: str = ""
    text: str = ""
    text_zh: str = ""

    TYPE: ClassVar[str] = "enrolled"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "agent_id": Text(64, pattern=f"(?:{AGENT_ID})?"),
        "code": Text(64, pattern=r"[A-Z0-9_]*"),
        "text": _SENTENCE,
        "text_zh": _SENTENCE,
    }


@dataclass(frozen=True)
class EdgeNode(Record):
    """A driver or an application. ``state`` and ``link`` are the numbers of the edge's own interface."""

    name: str
    plugin: str
    kind: str
    state: int
    link: int = 0
    error: str = ""
    error_zh: str = ""

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "name": Text(128, shortest=1),
        "plugin": Text(128),
        "kind": Word("driver", "app"),
        "state": Integer(1, 4),
        "link": Integer(0, 1),
        "error": Text(300),
        "error_zh": Text(300),
    }


@dataclass(frozen=True)
class NodeCounts(Record):
    """Nodes of one kind. *Abnormal* is what shall run and is not connected."""

    total: int = 0
    running: int = 0
    abnormal: int = 0

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "total": _COUNT,
        "running": _COUNT,
        "abnormal": _COUNT,
    }


@dataclass(frozen=True)
class EdgeDelivered(Record):
    """What was delivered of one template last. *Changed*: it is not as it was delivered any more."""

    template: str
    version: int
    delivery: str
    is_changed: bool = False

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "template": Text(64, shortest=1),
        "version": _COUNT,
        "delivery": Text(64),
        "is_changed": Flag(),
    }


@dataclass(frozen=True)
class EdgeReport(Message):
    """How the edge service is. ``nodes`` are its nodes, abnormal ones first, without ``nodes_left_out``;
    ``deliveries`` none: it is of a version that takes none.
    """

    agent_version: str
    clock_ms: int
    sequence: int = 0
    boot_id: str = ""
    started_at_ms: int | None = None
    host_name: str = ""
    description: str = ""
    drivers: NodeCounts = NodeCounts()
    apps: NodeCounts = NodeCounts()
    tags: int = 0
    nodes: tuple[EdgeNode, ...] = ()
    nodes_left_out: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    deliveries: tuple[EdgeDelivered, ...] | None = None

    TYPE: ClassVar[str] = "edge_report"
    HEADER_MAX: ClassVar[int] = REPORT_BYTES_MAX
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "agent_version": Text(64),
        "clock_ms": _TIME,
        "sequence": _TIME,
        "boot_id": Text(64),
        "started_at_ms": _TIME,
        "host_name": Text(256),
        "description": Text(256),
        "drivers": Part(NodeCounts),
        "apps": Part(NodeCounts),
        "tags": _COUNT,
        "nodes": Listing(Part(EdgeNode), NODES_LISTED_MAX),
        "nodes_left_out": _COUNT,
        "figures": Mapped(Number(), FIGURES_MAX, name=Text(64, shortest=1)),
        "deliveries": Listing(Part(EdgeDelivered), DELIVERIES_MAX),
    }
    NAMES: ClassVar[Mapping[str, str]] = {"clock_ms": "clock", "started_at_ms": "startedAt"}


@dataclass(frozen=True)
class EdgeStanding(Message):
    """What the edge service is to the control plane.

    *pending* waits for somebody to adopt it, *managed* belongs to ``project``, *rejected* was turned away
    for ``reason`` and stays away until somebody at the edge says otherwise; *removed* too, without its name.
    """

    version: int
    state: str
    reason: str = ""
    service: str = ""
    project: str = ""
    organization: str = ""
    report_interval_s: int = REPORT_INTERVAL_S

    TYPE: ClassVar[str] = "edge_standing"
    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "version": _TIME,
        "state": Word("pending", "managed", "rejected", "removed"),
        "reason": _SENTENCE,
        "service": Text(256),
        "project": Text(256),
        "organization": Text(256),
        "report_interval_s": Integer(1, 3600),
    }


@dataclass(frozen=True)
class EdgeLeaving(Message):
    """The edge service leaves of its own accord. With ``forgets`` its credential is no good any more."""

    forgets: bool = False

    TYPE: ClassVar[str] = "edge_leaving"
    SHAPE: ClassVar[Mapping[str, Rule]] = {"forgets": Flag()}


EDGE_TYPES: tuple[type[Message], ...] = (Enrol, Enrolled, EdgeReport, EdgeStanding, EdgeLeaving)

TYPES.update({kind.TYPE: kind for kind in EDGE_TYPES})
