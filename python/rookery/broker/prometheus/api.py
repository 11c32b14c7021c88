"""``/prometheus``: metrics and how they are handed out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from rookery.broker.management.context import NodeContext
from rookery.broker.prometheus.auth import auth_families
from rookery.broker.prometheus.data_integration import integration_families
from rookery.broker.prometheus.service import Mode
from rookery.broker.rest import roles
from rookery.config.runtime import KeyPath
from rookery.observability.exposition import CONTENT_TYPE, Family, to_json, to_text
from rookery.web.models import Model
from rookery.web.rest import Caller, errors, fast, maybe_caller

ModeQuery = Annotated[
    Mode,
    Query(
        description="`node`: this node. `all_nodes_aggregated`: the cluster, added up. "
        "`all_nodes_unaggregated`: every node under the label `node`.",
        examples=["node"],
    ),
]
_REFUSALS = ("AUTHORIZATION_HEADER_ERROR", "BAD_TOKEN", "UNAUTHORIZED_ROLE")
_SHOWN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The metrics.",
        "content": {
            "text/plain": {
                "schema": {"type": "string"},
                "example": "# HELP emqx_messages_received Messages received from clients\n"
                "# TYPE emqx_messages_received counter\nemqx_messages_received 1000\n",
            },
            "application/json": {
                "schema": {"type": "object"},
                "example": {"messages": {"emqx_messages_received": 1000}},
            },
        },
    }
}


class PushGateway(Model):
    """Pushing to a Pushgateway."""

    enable: bool = Field(default=False, description="Whether metrics are pushed.", examples=[False])
    url: str = Field(
        default="http://127.0.0.1:9091",
        description="Address of the Pushgateway.",
        examples=["http://127.0.0.1:9091"],
    )
    interval: str = Field(default="15s", description="How often.", examples=["15s"])
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="HTTP headers that are sent along; shown as `******`, which sent back means "
        "what is there.",
        examples=[{"Authorization": "******"}],
    )
    job_name: str = Field(
        default="${name}/instance/${name}~${host}",
        description="Job; `${name}` and `${host}` are the parts of the node name.",
        examples=["${name}/instance/${name}~${host}"],
    )


class Collectors(Model):
    """Collectors of the Erlang virtual machine, which is not there: they stay disabled."""

    mnesia: Literal["disabled", "enabled"] = "disabled"
    vm_dist: Literal["disabled", "enabled"] = "disabled"
    vm_memory: Literal["disabled", "enabled"] = "disabled"
    vm_msacc: Literal["disabled", "enabled"] = "disabled"
    vm_statistics: Literal["disabled", "enabled"] = "disabled"
    vm_system_info: Literal["disabled", "enabled"] = "disabled"


class PrometheusSettings(Model):
    """How metrics are handed out."""

    enable_basic_auth: bool = Field(
        default=False,
        description="Whether `/prometheus/stats` and the others ask who reads them.",
        examples=[False],
    )
    push_gateway: PushGateway = Field(
        default_factory=PushGateway, description="Pushing to a Pushgateway."
    )
    collectors: Collectors = Field(
        default_factory=Collectors, description="Taken for EMQX's sake, without effect."
    )


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Monitor"])
    settings = node.services.settings

    def shown() -> PrometheusSettings:
        found = settings.config.effective()["prometheus"]
        return PrometheusSettings(
            enable_basic_auth=found["enable_basic_auth"], push_gateway=found["push_gateway"]
        )

    @api.get("/prometheus", summary="Get the Prometheus settings")
    async def get_settings() -> PrometheusSettings:
        """How metrics are handed out."""
        return shown()

    @api.put(
        "/prometheus",
        summary="Change the Prometheus settings",
        responses=errors("BAD_CONFIG", "ALREADY_EXISTS"),
    )
    async def put_settings(body: PrometheusSettings) -> PrometheusSettings:
        """Replace them; members that are not sent get their default. Holds at once."""
        changes: dict[KeyPath, Any] = {
            ("prometheus", "enable_basic_auth"): body.enable_basic_auth,
            ("prometheus", "push_gateway"): body.push_gateway.model_dump(),
        }
        await settings.change("update", "prometheus", changes, written_at=("prometheus",))
        return shown()

    _reading(api, node)
    return api


def _reading(api: APIRouter, node: NodeContext) -> None:
    exporter, settings = node.services.exporter, node.services.settings

    def check(caller: Annotated[Caller | None, Depends(maybe_caller)]) -> None:
        if settings.config["prometheus.enable_basic_auth"]:
            roles.check(roles.known(caller), ("GET", "/prometheus/stats"))

    def answer(request: Request, families: Sequence[Family]) -> Response:
        if "application/json" in request.headers.get("accept", ""):
            return fast(to_json(families))
        return PlainTextResponse(to_text(families), headers={"content-type": CONTENT_TYPE})

    @api.get(
        "/prometheus/stats",
        summary="Read the metrics",
        response_class=PlainTextResponse,
        responses=_SHOWN | errors(*_REFUSALS),
        dependencies=[Depends(check)],
    )
    async def stats(request: Request, mode: ModeQuery = "node") -> Response:
        """Every counter and gauge in the text format of Prometheus, or as JSON by `Accept:
        application/json`. Open to everybody unless `enable_basic_auth` is set.
        """
        return answer(request, await exporter.families(mode))

    @api.get(
        "/prometheus/auth",
        summary="Read the metrics of access control",
        response_class=PlainTextResponse,
        responses=_SHOWN | errors(*_REFUSALS),
        dependencies=[Depends(check)],
    )
    async def auth(request: Request, mode: ModeQuery = "node") -> Response:
        """Providers, sources and bans, in the same two formats and under the same rule."""
        families = await auth_families(node.services.access, settings.config)
        return answer(request, exporter.by_mode(families, mode))

    @api.get(
        "/prometheus/data_integration",
        summary="Read the metrics of rules and connectors",
        response_class=PlainTextResponse,
        responses=_SHOWN | errors(*_REFUSALS),
        dependencies=[Depends(check)],
    )
    async def data_integration(request: Request, mode: ModeQuery = "node") -> Response:
        """Rules, actions and connectors, in the same two formats and under the same rule."""
        services = node.services
        families = await integration_families(services.rules, services.connectors, settings.config)
        return answer(request, exporter.by_mode(families, mode))
