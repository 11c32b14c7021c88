"""What ``/cluster/links`` takes and gives."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, RootModel

from rookery.config.json_schema import JsonSchema, json_schema
from rookery.config.schema.links import LINK
from rookery.web.models import Row, Settings

Status: TypeAlias = Literal[
    "connected", "connecting", "disconnected", "inconsistent", "running", "stopped"
]

POSTED = {
    "name": "emqx-eu-west",
    "server": "mqtts://mqtt.eu-west.example.com:8883",
    "username": "clink-user:us-east",
    "password": "a long secret",
    "clientid": "clink-us-east",
    "topics": ["global/#", "fwd/#", "cluster/+/status"],
    "ssl": {"enable": True, "verify": "verify_peer"},
    "accept": {"username": "clink-user:eu-west"},
}
SENT = {key: value for key, value in POSTED.items() if key != "name"}
SHOWN = {
    **POSTED,
    "password": "******",
    "enable": True,
    "status": "connected",
    "status_reason": "",
    "status_reason_zh": "",
    "hint": "",
    "hint_zh": "",
    "warning": "",
    "warning_zh": "",
    "node_status": [{"node": "rookery@127.0.0.1", "status": "connected"}],
}
METRICS_SHOWN = {
    "router": {"routes": 10240, "sent_routes": 12},
    "forwarding": {
        "matched": 120, "success": 118, "failed": 0, "dropped": 0, "retried": 1, "queuing": 1,
        "inflight": 1, "queued_bytes": 512, "stored": 0, "stored_bytes": 0, "rate": 2.5, "rate_last5m": 1.2, "rate_max": 10.0,
    },
    "receiving": {"received": 99, "refused": 0},
}  # fmt: skip

_SHAPE = json_schema(LINK)


def _shape(about: str, *, named: bool) -> JsonSchema:
    properties = dict(_SHAPE["properties"])
    # Told in words by the schema of the configuration, which checks them.
    properties["name"] = {"type": "string", "description": properties["name"]["description"]}
    properties["server"] = {"type": "string", "description": properties["server"]["description"]}
    properties["topics"] = {
        "type": "array",
        "items": {"type": "string"},
        "description": properties["topics"]["description"],
    }
    required = list(_SHAPE["required"])
    if not named:
        del properties["name"]
        required.remove("name")
    return {
        "type": "object",
        "description": about,
        "properties": properties,
        "required": required,
        "additionalProperties": True,
        "examples": [POSTED if named else SENT],
    }


class NewLink(Settings):
    """A link to create."""

    shape: ClassVar[JsonSchema] = _shape("A link to another cluster.", named=True)


class LinkUpdate(Settings):
    """All settings of a link."""

    shape: ClassVar[JsonSchema] = _shape("A link; what is not named gets its default.", named=False)


class LinksBody(RootModel[list[NewLink] | NewLink]):
    """All links, or one of them."""


class NodeLinkStatus(Row):
    """How a link does on one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    status: Status = Field(description="Whether it works there.", examples=["connected"])
    code: str | None = Field(
        None, description="Why it does not, for programs.", examples=["unknown_cluster"]
    )
    reason: str | None = Field(
        None, description="Why it does not.", examples=["emqx-eu-west has no link to emqx-us-east"]
    )
    reason_zh: str | None = Field(
        None,
        description="The same in Chinese.",
        examples=["emqx-eu-west 上没有到 emqx-us-east 的连接"],
    )
    hint: str | None = Field(None, description="What to do about it, and where.", examples=[""])
    hint_zh: str | None = Field(None, description="The same in Chinese.", examples=[""])
    since: str | None = Field(
        None, description="Since when.", examples=["2026-01-31T12:00:00.000+00:00"]
    )
    replication: str | None = Field(
        None,
        description="State of the connection that tells the other side what is wanted here.",
        examples=["online"],
    )
    server: str | None = Field(
        None, description="The address in use.", examples=["mqtt.eu-west.example.com:8883"]
    )
    pool_connected: int | None = Field(
        None, description="Connections for messages that stand.", examples=[8]
    )
    routes: int = Field(0, description="Topic filters that the other side wants.", examples=[12])
    sent_routes: int = Field(
        0, description="Topic filters that the other side was told.", examples=[9]
    )
    queuing: int = Field(0, description="Messages that wait.", examples=[0])
    stored: int = Field(
        0, description="Messages on disk until the other side has them.", examples=[0]
    )
    stored_bytes: int = Field(0, description="Bytes of their files.", examples=[0])
    stored_since: str | None = Field(
        None,
        description="When the oldest of them came. Left out where there is none.",
        examples=["2026-01-31T12:00:00.000+00:00"],
    )
    store: str | None = Field(
        None,
        description="Whether messages are kept on disk until the other side has them: `agreed`, "
        "`not_agreed` by the other side, or `failed: …`. Left out where they are not to be.",
        examples=["agreed"],
    )
    received: int = Field(0, description="Messages from the other side.", examples=[99])
    rate: float = Field(0, description="Messages per second to it, lately.", examples=[2.5])


class LinkRow(Row):
    """A link: its settings, and how it does."""

    model_config: ClassVar = {"extra": "allow"}

    name: str = Field(description="The other cluster.", examples=["emqx-eu-west"])
    enable: bool = Field(description="Whether it runs.", examples=[True])
    server: str = Field(
        description="Where the other cluster takes MQTT.", examples=[POSTED["server"]]
    )
    topics: list[str] = Field(
        description="What this cluster wants of the other one.", examples=[POSTED["topics"]]
    )
    clientid: str | None = Field(
        None, description="What its client identifiers begin with.", examples=["clink-us-east"]
    )
    username: str | None = Field(None, description="User name there.", examples=[None])
    password: str | None = Field(None, description="Always hidden.", examples=["******"])
    ssl: dict[str, Any] = Field(
        default_factory=dict, description="TLS of the link.", examples=[POSTED["ssl"]]
    )
    pool_size: int = Field(8, description="Connections for messages.", examples=[8])
    retry_interval: str = Field("15s", description="When is sent again.", examples=["15s"])
    max_inflight: int = Field(32, description="Most without PUBACK.", examples=[32])
    resource_opts: dict[str, Any] = Field(
        default_factory=dict,
        description="Buffers and checks.",
        examples=[{"request_ttl": "45s", "max_buffer_bytes": "256MB"}],
    )
    accept: dict[str, Any] = Field(
        default_factory=dict,
        description="Who may speak for the other cluster here.",
        examples=[POSTED["accept"]],
    )
    extensions: dict[str, Any] = Field(
        default_factory=dict,
        description="What goes beyond EMQX's protocol.",
        examples=[
            {
                "store": {"enable": True, "max_bytes": "1GB", "max_age": "7d"},
                "retained": True,
                "rules": False,
            }
        ],
    )
    status: Status = Field(
        description="What all nodes say alike, else `inconsistent`.", examples=["connected"]
    )
    status_reason: str = Field("", description="Why it does not work.", examples=[""])
    status_reason_zh: str = Field("", description="The same in Chinese.", examples=[""])
    hint: str = Field("", description="What to do about it, and where.", examples=[""])
    hint_zh: str = Field("", description="The same in Chinese.", examples=[""])
    warning: str = Field("", description="What is unsafe about its settings.", examples=[""])
    warning_zh: str = Field("", description="The same in Chinese.", examples=[""])
    node_status: list[NodeLinkStatus]


class RouterFigures(Row):
    """Routes, as the node has most of them."""

    routes: int = Field(description="Topic filters that the other side wants.", examples=[10240])
    sent_routes: int = Field(
        description="Topic filters that the other side was told.", examples=[12]
    )


class ForwardingFigures(Row):
    """Messages to the other side."""

    matched: int = Field(description="Messages that it wants.", examples=[120])
    success: int = Field(description="Messages that it took.", examples=[118])
    failed: int = Field(description="Messages that it refused.", examples=[0])
    dropped: int = Field(description="Messages that were given up.", examples=[0])
    retried: int = Field(description="Messages that were sent again.", examples=[1])
    queuing: int = Field(description="Messages that wait.", examples=[1])
    inflight: int = Field(description="Messages under way.", examples=[1])
    queued_bytes: int = Field(description="Bytes that wait.", examples=[512])
    stored: int = Field(description="Messages on disk until the other side has them.", examples=[0])
    stored_bytes: int = Field(description="Bytes of their files.", examples=[0])
    rate: float = Field(description="Messages per second, lately.", examples=[2.5])
    rate_last5m: float = Field(description="The rate of the last 5 minutes.", examples=[1.2])
    rate_max: float = Field(description="The highest rate there was.", examples=[10.0])


class ReceivingFigures(Row):
    """Messages from the other side."""

    received: int = Field(description="Messages that came in.", examples=[99])
    refused: int = Field(description="Messages that nobody asked for.", examples=[0])


class LinkFigures(Row):
    """Figures of a link. In the vocabulary of the document there is `routers` alone."""

    routers: int | None = Field(None, description="`router.routes`.", examples=[10240])
    router: RouterFigures | None = None
    forwarding: ForwardingFigures | None = None
    receiving: ReceivingFigures | None = None


class NodeLinkFigures(Row):
    """The same on one node."""

    node: str = Field(description="The node.", examples=["rookery@127.0.0.1"])
    metrics: LinkFigures


class LinkMetrics(Row):
    """Figures of a link."""

    metrics: LinkFigures
    node_metrics: list[NodeLinkFigures]


def settings_of(body: LinksBody) -> list[dict[str, Any]] | dict[str, Any]:
    """What was sent, plain."""
    if isinstance(body.root, list):
        return [item.root for item in body.root]
    return body.root.root
