"""``/orgs/{org}/projects/{project}/monitoring/edge``: edge services at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field

from rookery.contracts.agent_edge import RULE_PLUGIN
from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.edges.overview import NodeSeen
from rookery.control.edges.shown import TrafficShown, bounded, traffic_of
from rookery.control.rest.guard import requires
from rookery.control.rest.models import Id, Shown
from rookery.control.tenancy.permissions import Level, Resource
from rookery.web.language import LanguageQuery
from rookery.web.rest import errors

Sees = Annotated[Access, requires(Resource.EDGE_SERVICES, Level.VIEW)]


class EdgesShown(Shown):
    """How many edge services."""

    total: int = Field(description="All.", examples=[12])
    online: int = Field(description="Connected and heard lately.", examples=[11])
    offline: int = Field(description="The others.", examples=[1])


class NodesShown(Shown):
    """Drivers, or applications, of edge services that are online."""

    total: int = Field(description="All.", examples=[30])
    running: int = Field(description="Those that run.", examples=[29])
    connected: int = Field(description="Those that run and are connected.", examples=[28])
    error: int = Field(description="Those that run and are not connected.", examples=[1])


class RulesShown(Shown):
    """Rules of edge services that are online."""

    total: int = Field(description="All.", examples=[4])
    running: int = Field(description="Those that run.", examples=[3])
    stopped: int = Field(description="The others.", examples=[1])
    error: int = Field(description="Those that run and do not work.", examples=[0])


class TagsShown(Shown):
    """Tags. There is no licence for them: what is allocated is what somebody configured."""

    allocated: int = Field(
        description="Those that are configured, at edge services that are online and others.",
        examples=[4200],
    )
    used: int = Field(
        description="Those of drivers that run and are connected, at edge services that are online.",
        examples=[4150],
    )


class StreamsShown(Shown):
    """What goes through the rules of edge services that are online."""

    in_total: int = Field(
        description="Messages that came to rules since they were started.", examples=[81000]
    )
    out_total: int = Field(description="Results that they had.", examples=[5400])
    in_per_second: float = Field(description="Of late.", examples=[120.5])
    out_per_second: float = Field(description="Of late.", examples=[8.0])


class NodeSeenShown(Shown):
    """A node that is not as it should be."""

    service_id: Id
    service_name: str = Field(description="Of which edge service.", examples=["hall-3"])
    version: str = Field(description="Of that.", examples=["0.10.0"])
    node: str = Field(description="Its name.", examples=["plc"])
    kind: Literal["driver", "app", "rule"] = Field(
        description="What it is; a rule is an application, too.", examples=["driver"]
    )
    address: str = Field(description="Where its edge service came from.", examples=["10.0.0.7"])
    state: int = Field(
        ge=1, le=4, description="1 init, 2 ready, 3 running, 4 stopped.", examples=[3]
    )
    link: int = Field(ge=0, le=1, description="Whether it is connected.", examples=[0])
    error: str = Field(description="Why, in the language of the caller.", examples=[""])


class EdgeOverviewShown(Shown):
    """Edge services of a project at a glance."""

    edges: EdgesShown = Field(description="How many.")
    drivers: NodesShown = Field(description="Their drivers.")
    apps: NodesShown = Field(description="Their applications, without rules.")
    rules: RulesShown = Field(description="Their rules.")
    tags: int = Field(description="Tags of those that are online.", examples=[4200])
    tag_counts: TagsShown = Field(description="Tags, allocated and used.")
    streams: StreamsShown = Field(description="What goes through their rules.")
    traffic: TrafficShown = Field(description="What goes through those that are online.")
    not_running: list[NodeSeenShown] = Field(description="Nodes that do not run.")
    abnormal: list[NodeSeenShown] = Field(description="Nodes that run and are not connected.")


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Monitoring"])

    @api.get(
        "/orgs/{org}/projects/{project}/monitoring/edge",
        summary="Edge services of a project at a glance",
        responses=errors("NOT_FOUND"),
    )
    async def overview(access: Sees, language: LanguageQuery) -> EdgeOverviewShown:
        """As they last reported."""
        found = await control.edges.overview.of_project(access)
        return EdgeOverviewShown(
            edges=EdgesShown(
                total=found.edges, online=found.online, offline=found.edges - found.online
            ),
            drivers=_nodes(found.nodes, "drivers"),
            apps=_nodes(found.nodes, "apps", found.figures),
            rules=_rules(found.figures),
            tags=found.tags,
            tag_counts=TagsShown(
                allocated=found.tags_everywhere, used=_count(found.figures, "tags.in_use")
            ),
            streams=StreamsShown(
                in_total=_count(found.figures, "rules.in"),
                out_total=_count(found.figures, "rules.out"),
                in_per_second=round(bounded(found.figures.get("rules.in_rate", 0)), 1),
                out_per_second=round(bounded(found.figures.get("rules.out_rate", 0)), 1),
            ),
            traffic=traffic_of(found.figures),
            not_running=[_seen(one, language) for one in found.not_running],
            abnormal=[_seen(one, language) for one in found.abnormal],
        )

    return api


def _nodes(
    counts: Mapping[str, int], kind: str, figures: Mapping[str, float] | None = None
) -> NodesShown:
    """``figures``: those of rules, which are not to be among them."""
    rules = figures or {}

    def others(count: str, of_rules: str) -> int:
        return max(0, counts[f"{kind}_{count}"] - round(rules.get(f"rules.{of_rules}", 0)))

    running, error = others("running", "running"), others("abnormal", "abnormal")
    return NodesShown(
        total=others("total", "total"),
        running=running,
        connected=max(0, running - error),
        error=error,
    )


def _rules(figures: Mapping[str, float]) -> RulesShown:
    total, running, error = (
        _count(figures, f"rules.{name}") for name in ("total", "running", "abnormal")
    )
    return RulesShown(total=total, running=running, stopped=max(0, total - running), error=error)


def _count(figures: Mapping[str, float], name: str) -> int:
    return round(bounded(figures.get(name, 0)))


def _seen(one: NodeSeen, language: str) -> NodeSeenShown:
    node = one.node
    return NodeSeenShown(
        service_id=one.service_id,
        service_name=one.service_name,
        version=one.version,
        node=node.name,
        kind="rule" if node.plugin == RULE_PLUGIN else node.kind,  # type: ignore[arg-type]
        address=one.address,
        state=node.state,
        link=node.link,
        error=node.error_zh or node.error if language == "zh" else node.error,
    )
