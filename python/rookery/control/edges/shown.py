"""What the operations about edge services take and give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, StringConstraints

from rookery.contracts.agent_edge import EdgeNode
from rookery.contracts.agent_fields import MessageError
from rookery.control.clusters.store import (
    DESCRIPTION_LENGTH_MAX,
    LABEL_LENGTH_MAX,
    LABELS_MAX,
    NAME_LENGTH_MAX,
)
from rookery.control.edges.adopting import AGENT_MODE
from rookery.control.edges.models import Adopted, DialedIn, short_id
from rookery.control.edges.overview import FIGURE_MAX
from rookery.control.edges.rules import (
    NAME_LENGTH_MAX as ADOPTED_NAME_MAX,
)
from rookery.control.edges.rules import PATTERN_LENGTH_MAX, RULES_MAX, AdoptionRule
from rookery.control.edges.store import EdgeAgentRow
from rookery.control.rest.models import Given, Id, Shown, Time

AgentStateName: TypeAlias = Literal["pending", "managed", "rejected"]
PresenceName: TypeAlias = Literal["unknown", "online", "offline"]
ServiceStateName: TypeAlias = Literal["waiting", "running", "abnormal", "offline", "left"]
ModeName: TypeAlias = Literal["agent", "direct"]
RUNNING, CONNECTED = 3, 1

Label = Annotated[str, StringConstraints(min_length=1, max_length=LABEL_LENGTH_MAX)]
AgentId = Annotated[
    str,
    Field(
        pattern="^edge-[0-9a-f]{16}$",
        description="`edge-` and sixteen hexadecimal digits.",
        examples=["edge-4f0c9a1b2d3e5f60"],
    ),
]
ShortId = Annotated[
    str, Field(description="Its first eight digits, as pages show it.", examples=["4f0c9a1b"])
]
NewName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=ADOPTED_NAME_MAX),
    Field(description="What people call it; one of a kind in its project.", examples=["hall-3"]),
]
Labels = Annotated[
    list[Label],
    Field(max_length=LABELS_MAX, description="Words to find it by.", examples=[["site=east"]]),
]


class DialedInShown(Shown):
    """An edge service that dialed in."""

    id: AgentId
    short_id: ShortId
    kind: Literal["edge"] = Field(default="edge", description="What it is.", examples=["edge"])
    description: str = Field(description="Its own words for itself.", examples=["Hall 3"])
    state: AgentStateName = Field(description="What was decided about it.", examples=["pending"])
    presence: PresenceName = Field(
        description="Whether it is connected and was heard lately.", examples=["online"]
    )
    presence_at: Time | None = Field(description="Since when it is connected, or not.")
    last_report_at: Time | None = Field(description="When its last report came.")
    report_age_ms: int | None = Field(description="How old that is.", examples=[4200])
    version: str = Field(description="Of it.", examples=["0.10.0"])
    host_name: str = Field(description="What its machine calls itself.", examples=["gw-7"])
    address: str = Field(description="Where it came from.", examples=["10.0.0.7"])
    register_id: str = Field(
        description="Its own name for itself.", examples=["9a1b2c3d-4f0c9a1b2d3e5f60"]
    )
    enrolled_at: Time = Field(description="When it came first.")
    reject_reason: str = Field(description="Why it was rejected.", examples=[""])
    has_left: bool = Field(description="Whether it left, at the edge.", examples=[False])
    org_id: str | None = Field(description="Of which organization; none: not managed.")
    org_name: str | None = Field(description="Its name.", examples=["Factory East"])
    project_id: str | None = Field(description="Of which project; none: not managed.")
    project_name: str | None = Field(description="Its name.", examples=["Plant 1"])
    service_id: str | None = Field(description="What it is there; none: not managed.")
    service_name: str | None = Field(description="Its name.", examples=["hall-3"])


class AdoptionGiven(Given):
    """As what it is adopted."""

    name: NewName
    org_id: Id
    project_id: Id
    labels: Labels = Field(default_factory=list)


class AdoptionItem(Given):
    """One of many."""

    agent_id: AgentId
    name: NewName


class AdoptionsGiven(Given):
    """Many, for one project."""

    org_id: Id
    project_id: Id
    labels: Labels = Field(default_factory=list)
    items: list[AdoptionItem] = Field(
        min_length=1, max_length=200, description="Which, and what each is called."
    )


class OutcomeShown(Shown):
    """What became of one."""

    agent_id: str = Field(description="Which.", examples=["edge-4f0c9a1b2d3e5f60"])
    service_id: str | None = Field(description="Its edge service; none: it was not adopted.")
    code: str = Field(description="Why not, for programs; empty: it was.", examples=[""])
    message: str = Field(description="The same for people.", examples=[""])


class OutcomesShown(Shown):
    """What became of many."""

    results: list[OutcomeShown] = Field(description="In the order of what was asked.")


class RejectionGiven(Given):
    """Why."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=300)] = Field(
        description="The edge service is told it.", examples=["not one of ours"]
    )


class EnrolmentShown(Shown):
    """What people need to know to connect an edge service."""

    is_open: bool = Field(description="Whether somebody new may come.", examples=[True])
    is_default_password: bool = Field(
        description="Whether the account has the password that everybody knows.", examples=[True]
    )
    addresses: list[str] = Field(
        description="Where edge services connect.", examples=[["mqtt://control.example.com:31883"]]
    )


class RelayShown(Shown):
    """The broker that edge services dial into, as this process has it."""

    tcp_port: int | None = Field(description="Without encryption; none: closed.", examples=[31883])
    tls_port: int | None = Field(description="With TLS; none: closed.", examples=[38883])
    connected: int = Field(description="Edge services that are connected.", examples=[12])
    enrolling: int = Field(description="Those that ask for a name now.", examples=[0])


class AccountShown(Shown):
    """The account that edge services make themselves known with."""

    is_open: bool = Field(description="Whether somebody new may come.", examples=[True])
    username: str = Field(description="Its user name.", examples=["admin"])
    is_default_password: bool = Field(
        description="Whether it has the password that everybody knows.", examples=[True]
    )
    relay: RelayShown = Field(description="The broker.")


class AccountGiven(Given):
    """How the account is to be."""

    is_open: bool = Field(description="Whether somebody new may come.", examples=[True])
    username: str = Field(
        min_length=1, max_length=256, description="Its user name.", examples=["admin"]
    )
    password: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="Its password; absent: as it is.",
        examples=["not-public"],
        json_schema_extra={"format": "password"},
    )


class RuleModel(Shown):
    """A rule that adopts edge services as they come."""

    name: str = Field(
        min_length=1, max_length=100, description="For people.", examples=["pumps of plant 1"]
    )
    is_enabled: bool = Field(default=True, description="Whether it holds.", examples=[True])
    description: str = Field(
        default="",
        max_length=PATTERN_LENGTH_MAX,
        description="Pattern with `*` and `?` for the description; empty: any.",
        examples=["pump-*"],
    )
    host_name: str = Field(
        default="",
        max_length=PATTERN_LENGTH_MAX,
        description="The same for the name of the machine.",
        examples=[""],
    )
    org_id: Id
    project_id: Id
    name_template: str = Field(
        default="{shortId}",
        min_length=1,
        max_length=100,
        description="What it is called: text with `{shortId}`, `{hostName}`, `{description}`.",
        examples=["{hostName}-{shortId}"],
    )
    labels: Labels = Field(default_factory=list)


class RuleGiven(RuleModel):
    """The same."""

    model_config = Given.model_config


class RulesShown(Shown):
    """The rules, in their order: the first that fits counts."""

    rules: list[RuleModel] = Field(description="In their order.")


class RulesGiven(Given):
    """The same."""

    rules: list[RuleGiven] = Field(max_length=RULES_MAX, description="In their order.")


class CountsShown(Shown):
    """Nodes of one kind."""

    total: int = Field(description="All.", examples=[3])
    running: int = Field(description="Those that run.", examples=[3])
    abnormal: int = Field(description="Those that run and are not connected.", examples=[0])


class EdgeShown(Shown):
    """An edge service of a project."""

    id: Id
    org_id: Id
    project_id: Id
    name: str = Field(description="What people call it.", examples=["hall-3"])
    description: str = Field(description="For people.", examples=["Hall 3"])
    labels: list[str] = Field(description="Words to find it by.", examples=[["site=east"]])
    mode: ModeName = Field(description="How it is reached.", examples=["agent"])
    state: ServiceStateName = Field(description="How it is.", examples=["running"])
    presence: PresenceName = Field(
        description="Whether it is connected and was heard lately.", examples=["online"]
    )
    presence_at: Time | None = Field(description="Since when it is connected, or not.")
    last_report_at: Time | None = Field(description="When its last report came.")
    report_age_ms: int | None = Field(description="How old that is.", examples=[4200])
    version: str = Field(description="Of it.", examples=["0.10.0"])
    host_name: str = Field(description="What its machine calls itself.", examples=["gw-7"])
    started_at: Time | None = Field(description="When it started.")
    agent_id: str | None = Field(
        description="Its agent; none: it is reached at an address.",
        examples=["edge-4f0c9a1b2d3e5f60"],
    )
    agent_short_id: str | None = Field(description="As pages show it.", examples=["4f0c9a1b"])
    drivers: CountsShown = Field(description="Its drivers.")
    apps: CountsShown = Field(description="Its applications.")
    tags: int = Field(description="How many it has.", examples=[420])
    created_at: Time = Field(description="When it was adopted.")


class TrafficShown(Shown):
    """What goes through an edge service, or several."""

    reads: int = Field(description="Values read since its nodes were started.", examples=[81000])
    read_errors: int = Field(description="Values that could not be read.", examples=[3])
    sent: int = Field(description="Messages sent.", examples=[5400])
    send_errors: int = Field(description="Messages that could not be sent.", examples=[0])
    received: int = Field(description="Messages received.", examples=[12])
    cached: int = Field(description="Messages that wait to be sent.", examples=[0])
    dropped: int = Field(description="Messages for which there was no room.", examples=[0])
    reads_per_second: float = Field(description="Of late.", examples=[120.5])
    sent_per_second: float = Field(description="Of late.", examples=[8.0])


class MachineShown(Shown):
    """The machine that it runs on, and its process."""

    process_memory: int | None = Field(description="Octets of the process.", examples=[90000000])
    memory_used: int | None = Field(description="Octets of the machine.", examples=[900000000])
    memory_total: int | None = Field(description="Octets of the machine.", examples=[2000000000])
    load1: float | None = Field(description="Load of the last minute.", examples=[0.4])


class EdgeNodeShown(Shown):
    """A driver or an application of an edge service."""

    name: str = Field(description="Its name.", examples=["plc"])
    plugin: str = Field(description="What it is made with.", examples=["Modbus TCP"])
    kind: Literal["driver", "app"] = Field(description="Which of the two.", examples=["driver"])
    state: int = Field(
        ge=1, le=4, description="1 init, 2 ready, 3 running, 4 stopped.", examples=[3]
    )
    link: int = Field(ge=0, le=1, description="Whether it is connected.", examples=[1])
    is_abnormal: bool = Field(description="It runs and is not connected.", examples=[False])
    error: str = Field(description="Why, in the language of the caller.", examples=[""])


class EdgeDetail(EdgeShown):
    """An edge service with its nodes."""

    nodes: list[EdgeNodeShown] = Field(description="As it reports them, abnormal ones first.")
    nodes_left_out: int = Field(description="So many more it has.", examples=[0])
    traffic: TrafficShown = Field(description="What goes through it.")
    machine: MachineShown = Field(description="Where it runs; null: it does not say.")


class EdgeGiven(Given):
    """What people say about it."""

    name: NewName
    description: Annotated[
        str,
        StringConstraints(max_length=DESCRIPTION_LENGTH_MAX),
        Field(description="For people.", examples=["Hall 3"]),
    ] = ""
    labels: Labels = Field(default_factory=list)


class EdgeDeletionGiven(Given):
    """Confirms a deletion."""

    name: str = Field(
        max_length=NAME_LENGTH_MAX,
        description="The name of the edge service, typed by who deletes it.",
        examples=["hall-3"],
    )


class EdgeTransferGiven(Given):
    """Where it moves to."""

    org_id: Id
    project_id: Id


class EdgeFilters(Shown):
    """What a list can be filtered by."""

    labels: list[str] = Field(description="Labels that there are.", examples=[["site=east"]])
    versions: list[str] = Field(description="Versions that there are.", examples=[["0.10.0"]])


def to_dialed_in(found: DialedIn) -> DialedInShown:
    """As the interface shows it."""
    row, service = found.row, found.service
    return DialedInShown(
        id=row.id,
        short_id=short_id(row.id),
        description=row.description,
        state=row.state,  # type: ignore[arg-type]
        presence=found.presence,  # type: ignore[arg-type]
        presence_at=row.presence_at,
        last_report_at=row.reported_at,
        report_age_ms=_age(row, found.now_ms),
        version=row.version,
        host_name=row.host_name,
        address=row.address,
        register_id=row.register_id,
        enrolled_at=row.enrolled_at,
        reject_reason=row.reason,
        has_left=row.left_at is not None,
        org_id=None if service is None else service.org_id,
        org_name=None if service is None else found.org_name,
        project_id=None if service is None else service.project_id,
        project_name=None if service is None else found.project_name,
        service_id=None if service is None else service.id,
        service_name=None if service is None else service.name,
    )


def to_edge(found: Adopted) -> EdgeShown:
    """As lists show it."""
    return EdgeShown(**_members(found))


def to_edge_detail(found: Adopted, language: str) -> EdgeDetail:
    """With its nodes."""
    agent = found.agent
    stored = [] if agent is None else agent.nodes
    nodes = [shown for item in stored if (shown := _node(item, language)) is not None]
    left_out = 0 if agent is None else agent.nodes_left_out
    figures = {} if agent is None else agent.figures
    return EdgeDetail(
        **_members(found),
        nodes=nodes,
        nodes_left_out=left_out,
        traffic=traffic_of(figures),
        machine=MachineShown(
            process_memory=_whole(figures.get("process.memory")),
            memory_used=_whole(figures.get("memory.used")),
            memory_total=_whole(figures.get("memory.total")),
            load1=figures.get("load1"),
        ),
    )


TRAFFIC = {
    "reads": "tag_reads_total",
    "read_errors": "tag_read_errors_total",
    "sent": "send_msgs_total",
    "send_errors": "send_msg_errors_total",
    "received": "recv_msgs_total",
    "cached": "cached_msgs",
    "dropped": "dropped_msgs_total",
    "reads_per_second": "tag_reads_total_rate",
    "sent_per_second": "send_msgs_total_rate",
}
"""Members of the interface, and the figures of reports that they are."""


def traffic_of(figures: Mapping[str, float]) -> TrafficShown:
    """As the interface shows it."""
    found: dict[str, Any] = {
        name: round(bounded(figures.get(figure, 0)), 1 if name.endswith("second") else None)
        for name, figure in TRAFFIC.items()
    }
    return TrafficShown(**found)


def bounded(figure: float) -> float:
    """What an edge service may say of itself and everything can add up and show."""
    return min(max(figure, 0), FIGURE_MAX)


def _whole(figure: float | None) -> int | None:
    return None if figure is None else round(bounded(figure))


def rule_of(given: RuleGiven) -> AdoptionRule:
    """As it is kept."""
    return AdoptionRule(**{**given.model_dump(), "labels": tuple(given.labels)})


def rule_shown(rule: AdoptionRule) -> RuleModel:
    """As it is shown."""
    return RuleModel(**rule.to_json())


def _members(found: Adopted) -> dict[str, Any]:
    row, agent = found.row, found.agent
    # One at an address has none, whatever stands in its place.
    dialed_in = row.agent_id if row.mode == AGENT_MODE else None
    return {
        "id": row.id,
        "org_id": row.org_id,
        "project_id": row.project_id,
        "name": row.name,
        "description": row.description,
        "labels": list(found.labels),
        "mode": row.mode,
        "state": found.state,
        "presence": found.presence,
        "presence_at": None if agent is None else agent.presence_at,
        "last_report_at": None if agent is None else agent.reported_at,
        "report_age_ms": None if agent is None else _age(agent, found.now_ms),
        "version": "" if agent is None else agent.version,
        "host_name": "" if agent is None else agent.host_name,
        "started_at": None if agent is None else agent.started_at,
        "agent_id": dialed_in,
        "agent_short_id": None if dialed_in is None else short_id(dialed_in),
        "drivers": _counts(agent, "drivers"),
        "apps": _counts(agent, "apps"),
        "tags": 0 if agent is None else agent.tags,
        "created_at": row.created_at,
    }


def _counts(agent: EdgeAgentRow | None, kind: str) -> CountsShown:
    found = {
        name: 0 if agent is None else getattr(agent, f"{kind}_{name}")
        for name in ("total", "running", "abnormal")
    }
    return CountsShown(**found)


def _age(row: EdgeAgentRow, now_ms: int) -> int | None:
    return None if row.reported_at is None else max(0, now_ms - row.reported_at)


def _node(stored: Mapping[str, Any], language: str) -> EdgeNodeShown | None:
    try:
        node = EdgeNode.read(stored)
    except MessageError:
        return None  # of a later version
    error = node.error_zh or node.error if language == "zh" else node.error
    return EdgeNodeShown(
        name=node.name,
        plugin=node.plugin,
        kind=node.kind,  # type: ignore[arg-type]
        state=node.state,
        link=node.link,
        is_abnormal=node.state == RUNNING and node.link != CONNECTED,
        error=error,
    )
