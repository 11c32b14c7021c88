"""What an agent and the control plane say over HTTPS, before there is an MQTT connection.

    POST …/register     :class:`Registration` → :class:`Registered`
    GET  …/metadata     → :class:`Metadata`
    POST …/report       :class:`rookery.contracts.agent_v1.Report` as JSON, while MQTT is away
    POST …/unregister   nothing; the answer is empty

All below :data:`PATH`; all but the first with the agent's token as bearer.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from rookery.contracts.agent_fields import (
    Integer,
    Listing,
    Part,
    Record,
    Rule,
    Text,
    Word,
    parse_object,
    write_object,
)
from rookery.contracts.agent_v1 import AGENT_ID, HEADER_BYTES_MAX, REPORT_INTERVAL_S

PATH = "/api/clusters/agents"


class _Answer(Record):
    @classmethod
    def from_json(cls: type[_A], data: bytes) -> _A:
        """Read the body of an HTTP message.

        Raises:
            MessageError: it is not what it must be.
        """
        return cls.read(parse_object(data, HEADER_BYTES_MAX))

    def to_json(self) -> bytes:
        return write_object(self.written())


_A = TypeVar("_A", bound=_Answer)


@dataclass(frozen=True)
class Registration(_Answer):
    """Body of ``register``. ``node_id`` is the machine's, the same at every registration."""

    node_id: str
    registration_token: str
    kind: str = "cluster"
    agent_version: str = ""
    host_name: str = ""

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "node_id": Text(128, shortest=1),
        "registration_token": Text(256, shortest=1, pattern=r"[\x21-\x7e]+"),
        "kind": Word("cluster", "edge"),
        "agent_version": Text(64),
        "host_name": Text(256),
    }


@dataclass(frozen=True)
class Registered(_Answer):
    """Answer to it: the agent's name and its secret for HTTP and MQTT."""

    agent_id: str
    token: str

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "agent_id": Text(64, shortest=1, pattern=AGENT_ID),
        "token": Text(512, shortest=1, pattern=r"[\x21-\x7e]+"),
    }


@dataclass(frozen=True)
class MqttAccess(Record):
    """Where the relay is: ``mqtt://host:port`` or ``mqtts://host:port``, the first is preferred.

    The password is the agent's token, unless another is given.
    """

    servers: tuple[str, ...]
    username: str = ""
    password: str = ""

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "servers": Listing(Text(512, shortest=1, pattern=r"mqtts?://[^\s/@]+"), 16),
        "username": Text(256),
        "password": Text(512),
    }


@dataclass(frozen=True)
class ReportPlan(Record):
    """How often it reports."""

    interval_s: int = REPORT_INTERVAL_S

    SHAPE: ClassVar[Mapping[str, Rule]] = {"interval_s": Integer(1, 3600)}


@dataclass(frozen=True)
class Metadata(_Answer):
    """Answer to ``metadata``. ``clock_ms`` is the time at the control plane."""

    cluster_id: str
    mqtt: MqttAccess
    report: ReportPlan = field(default_factory=ReportPlan)
    clock_ms: int | None = None

    SHAPE: ClassVar[Mapping[str, Rule]] = {
        "cluster_id": Text(64, shortest=1),
        "mqtt": Part(MqttAccess),
        "report": Part(ReportPlan),
        "clock_ms": Integer(0, 1 << 53),
    }
    NAMES: ClassVar[Mapping[str, str]] = {"clock_ms": "clock"}
