"""What the operations of monitoring give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from rookery.control.monitoring.overview import Overview, Troubled
from rookery.control.monitoring.search import Asked, Outcome
from rookery.control.rest.models import Id, Shown, Time

KindName = Literal["rule", "connector", "action", "source"]
_PAGES = {"rule": "rules", "connector": "connectors", "action": "actions", "source": "sources"}


class ConnectionsShown(Shown):
    """Connections of all clusters that are counted."""

    total: int = Field(description="Sessions, connected or not.", examples=[950])
    live: int = Field(description="Clients that are connected.", examples=[812])


class RulesShown(Shown):
    """Rules of all clusters that are counted."""

    total: int = Field(description="How many there are.", examples=[12])
    running: int = Field(description="Those that are switched on.", examples=[11])
    stopped: int = Field(description="Those that are not.", examples=[1])
    abnormal: int = Field(
        description="Running ones with an output or a source that does not work.", examples=[1]
    )


class ConnectorsShown(Shown):
    """Connectors (or actions, or sources) of all clusters that are counted."""

    total: int = Field(description="How many there are.", examples=[4])
    connected: int = Field(description="Those that work.", examples=[3])
    disconnected: int = Field(description="All others, the stopped ones too.", examples=[1])
    stopped: int = Field(description="Those of them that somebody switched off.", examples=[0])


class NotCountedShown(Shown):
    """A cluster whose figures are old or were never told."""

    id: Id
    name: str = Field(description="What it is called.", examples=["plant-1"])
    state: str = Field(description="Its state.", examples=["abnormal"])


class NotReadShown(Shown):
    """What could not be read of a cluster."""

    cluster_id: Id
    cluster_name: str = Field(description="What it is called.", examples=["plant-1"])
    kind: KindName = Field(description="Of what nothing is known.", examples=["rule"])
    reason: str = Field(
        description="What the agent says about it.", examples=["ANSWER: HTTP status 500"]
    )


class OverviewShown(Shown):
    """Counts over a project's clusters."""

    clusters: int = Field(description="How many there are.", examples=[3])
    counted: int = Field(description="Of how many the figures are fresh.", examples=[2])
    connections: ConnectionsShown = Field(description="Connections.")
    rules: RulesShown = Field(description="Rules.")
    connectors: ConnectorsShown = Field(description="Connectors.")
    actions: ConnectorsShown = Field(description="Actions.")
    sources: ConnectorsShown = Field(description="Sources.")
    not_counted: list[NotCountedShown] = Field(description="The others; a hundred at most.")
    not_read: list[NotReadShown] = Field(description="What could not be read.")
    left_out: int = Field(
        description="Objects not well that are counted, but not in the list: a report names 500.",
        examples=[0],
    )


class TroubledShown(Shown):
    """A rule, connector, action or source that is in no normal state."""

    cluster_id: Id
    cluster_name: str = Field(description="Its cluster.", examples=["plant-1"])
    kind: KindName = Field(description="What it is.", examples=["connector"])
    id: str = Field(description="What its cluster names it by.", examples=["http:plant_service"])
    name: str = Field(description="What people call it.", examples=["plant_service"])
    type: str = Field(description="Its type; a rule has none.", examples=["http"])
    status: str = Field(
        description="`stopped`: switched off; `abnormal`: of a rule, an output does not work; "
        "else what the cluster says.",
        examples=["disconnected"],
    )
    is_abnormal: bool = Field(description="False for what somebody switched off.", examples=[True])
    reason: str = Field(description="Why, in the cluster's words.", examples=["Connection refused"])
    since: Time = Field(description="In no normal state since then.")
    is_stale: bool = Field(
        description="Whether nothing was heard of the cluster since.", examples=[False]
    )
    page: str = Field(
        description="Its page in the cluster's dashboard, for entering it there.",
        examples=["/connectors/http:plant_service"],
    )


class ClientShown(Shown):
    """A client, and in which cluster it is."""

    cluster_id: Id
    cluster_name: str = Field(description="Its cluster.", examples=["plant-1"])
    clientid: str = Field(description="Client Identifier.", examples=["plc-3"])
    username: str = Field(description="User name.", examples=["line3"])
    connected: bool = Field(description="Whether it is connected.", examples=[True])
    address: str = Field(description="Where it comes from.", examples=["10.0.0.7:50123"])
    node: str = Field(
        description="The node that it is connected to.", examples=["rookery@10.0.0.1"]
    )
    protocol: str = Field(description="Protocol and version.", examples=["MQTT 5"])
    connected_at: str = Field(
        description="Since when, as the cluster writes it.", examples=["2026-01-31T08:00:00.000Z"]
    )
    page: str = Field(
        description="Its page in the cluster's dashboard.", examples=["/clients/plc-3"]
    )


class AskedShown(Shown):
    """What became of one cluster."""

    cluster_id: Id
    cluster_name: str = Field(description="What it is called.", examples=["plant-1"])
    outcome: Outcome = Field(description="Whether it answered.", examples=["answered"])
    text: str = Field(description="Why not, in the language of the caller.", examples=[""])
    total: int | None = Field(description="How many clients it found.", examples=[1])


class FoundShown(Shown):
    """Clients of all clusters that answered, and what became of each cluster."""

    clients: list[ClientShown] = Field(description="Cluster by cluster.")
    clusters: list[AskedShown] = Field(description="In the order of their names.")
    is_complete: bool = Field(
        description="Whether every cluster answered, and with all that it found.", examples=[True]
    )


def to_overview(found: Overview) -> OverviewShown:
    """Counts as they are shown."""
    rules = found.counts["rule"]
    stopped = rules.get("stopped", 0)
    total = sum(rules.values())
    return OverviewShown(
        clusters=found.clusters,
        counted=found.counted,
        connections=ConnectionsShown(total=found.connections, live=found.live_connections),
        rules=RulesShown(
            total=total,
            running=total - stopped,
            stopped=stopped,
            abnormal=rules.get("abnormal", 0),
        ),
        connectors=_connectors(found.counts["connector"]),
        actions=_connectors(found.counts["action"]),
        sources=_connectors(found.counts["source"]),
        not_counted=[
            NotCountedShown(id=id_, name=name, state=state)
            for id_, name, state in found.not_counted
        ],
        not_read=[
            NotReadShown.model_validate(
                {"cluster_id": id_, "cluster_name": name, "kind": kind, "reason": reason}
            )
            for id_, name, kind, reason in found.not_read
        ],
        left_out=found.left_out,
    )


def _connectors(by_status: Mapping[str, int]) -> ConnectorsShown:
    total, connected = sum(by_status.values()), by_status.get("connected", 0)
    return ConnectorsShown(
        total=total,
        connected=connected,
        disconnected=total - connected,
        stopped=by_status.get("stopped", 0),
    )


def to_troubled(found: Troubled) -> TroubledShown:
    """A row of the list."""
    row = found.row
    return TroubledShown.model_validate(
        {
            "cluster_id": row.cluster_id,
            "cluster_name": found.cluster_name,
            "kind": row.kind,
            "id": row.object_id,
            "name": row.name or row.object_id,
            "type": row.type,
            "status": row.status,
            "is_abnormal": row.is_abnormal,
            "reason": row.reason,
            "since": row.since,
            "is_stale": found.is_stale,
            "page": page_of(_PAGES[row.kind], row.object_id),
        }
    )


def page_of(list_name: str, object_id: str) -> str:
    """Where the dashboard of a node shows an object."""
    return f"/{list_name}/{quote(object_id, safe=':')}"


def to_found(asked: Sequence[Asked], limit: int, language: str) -> FoundShown:
    """What a search found."""
    clients, clusters = [], []
    is_complete = True
    for one in asked:
        is_complete &= one.outcome == "answered" and (one.total or 0) <= len(one.clients)
        clients += [_client(one, row) for row in one.clients[:limit]]
        text = "" if one.text is None else one.text.zh if language == "zh" else one.text.en
        clusters.append(
            AskedShown(
                cluster_id=one.cluster_id,
                cluster_name=one.cluster_name,
                outcome=one.outcome,
                text=text,
                total=one.total,
            )
        )
    return FoundShown(clients=clients, clusters=clusters, is_complete=is_complete)


def _client(one: Asked, row: Mapping[str, Any]) -> ClientShown:
    clientid = _word(row.get("clientid"))
    address, port = _word(row.get("ip_address")), row.get("port")
    name, version = _word(row.get("proto_name")), row.get("proto_ver")
    return ClientShown(
        cluster_id=one.cluster_id,
        cluster_name=one.cluster_name,
        clientid=clientid,
        username=_word(row.get("username")),
        connected=row.get("connected") is True,
        address=f"{address}:{port}" if address and isinstance(port, int) else address,
        node=_word(row.get("node")),
        protocol=f"{name} {version}" if name and isinstance(version, int) else name,
        connected_at=_word(row.get("connected_at")),
        page=page_of("clients", clientid),
    )


def _word(value: object) -> str:
    return value[:512] if isinstance(value, str) else ""
