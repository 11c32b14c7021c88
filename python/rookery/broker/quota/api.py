"""``/license``: the connection quota in the words of EMQX. There is no key, and none is needed."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from rookery.broker.management.context import NodeContext
from rookery.broker.management.rows import rfc3339
from rookery.broker.settings import NodeSettings
from rookery.config.problems import InvalidConfigError
from rookery.config.runtime import KeyPath
from rookery.errors import BadRequestError
from rookery.web.models import Model, Row
from rookery.web.rest import errors, example

UNBOUNDED = 1_000_000_000
"""What is said where nothing bounds a number: the largest bound that can be set."""

QUOTA = ("access", "max_connections")
LOW, HIGH = "connection_low_watermark", "connection_high_watermark"
_MEMBERS = {
    ".".join(QUOTA): "dynamic_max_connections",
    **{f"license.{name}": name for name in (LOW, HIGH)},
}
"""What a request calls these keys."""
INFINITY = "infinity"


class License(Row):
    """What this node may do."""

    type: Literal["community"] = Field(description="Open: nothing is locked.")
    customer: str = Field(description="Nobody in particular.", examples=["Rookery"])
    email: str = Field(description="Empty.", examples=[""])
    deployment: str = Field(description="Name of the cluster.", examples=["emqxcl"])
    customer_type: int = Field(description="EMQX's number for a community.", examples=[11])
    start_at: str = Field(description="Day on which the node was started.", examples=["2026-01-01"])
    expiry_at: str = Field(description="It does not expire.", examples=["9999-12-31"])
    expiry: bool = Field(description="It has not expired.", examples=[False])
    max_sessions: int = Field(
        description=f"Most sessions; {UNBOUNDED} where nothing bounds them.", examples=[UNBOUNDED]
    )
    max_connections: int = Field(
        description=f"Most connected clients; {UNBOUNDED} where nothing bounds them.",
        examples=[10_000],
    )
    connections: int = Field(description="Clients that are connected.", examples=[42])


class QuotaOwner(Model):
    """Who sets the quota from outside."""

    name: str = Field(
        pattern=r"^[^\x00-\x1f\x7f]{1,64}$",
        description="What it calls itself.",
        examples=["Rookery"],
    )
    url: str = Field(
        "",
        pattern=r"^(https?://[^\s\x00-\x1f\x7f]{1,2048})?$",
        description="Where its pages are.",
        examples=["https://control.example.com:8082"],
    )
    former_limit: int | Literal["infinity"] = Field(
        "infinity",
        description="The quota before it was managed, to be set again afterwards.",
        examples=[INFINITY],
    )


class QuotaSetting(Row):
    """The connection quota and its alarm."""

    connection_low_watermark: str = Field(
        description="Share of the quota below which the alarm ends.", examples=["75%"]
    )
    connection_high_watermark: str = Field(
        description="Share of the quota at which the alarm begins.", examples=["80%"]
    )
    dynamic_max_connections: int | Literal["infinity"] = Field(
        description="Most connected clients: `access.max_connections`.", examples=[10_000]
    )
    managed_by: QuotaOwner | None = Field(
        description="The control plane that sets the quota again when it is changed here; EMQX has no "
        "such member."
    )


class QuotaUpdate(Model):
    """What changes; what is left out stays."""

    connection_low_watermark: str | None = Field(
        None, description="Share of the quota below which the alarm ends.", examples=["75%"]
    )
    connection_high_watermark: str | None = Field(
        None, description="Share of the quota at which the alarm begins.", examples=["80%"]
    )
    dynamic_max_connections: int | Literal["infinity"] | None = Field(
        None, description="Most connected clients; who comes on top is refused.", examples=[10_000]
    )
    managed_by: QuotaOwner | None = Field(
        None,
        description="Who manages the quota from now on; null: nobody. EMQX has no such member.",
    )


_SETTING = {
    LOW: "75%",
    HIGH: "80%",
    "dynamic_max_connections": 10_000,
    "managed_by": {
        "name": "Rookery",
        "url": "https://control.example.com:8082",
        "former_limit": INFINITY,
    },
}
MANAGER = ("license", "manager")


def router(node: NodeContext) -> APIRouter:
    settings = node.services.settings
    api = APIRouter(tags=["License"])

    @api.get("/license", summary="Get the licence", response_model=License)
    async def get_license() -> Any:
        """What a manager of EMQX asks for. The product is open: only the connection quota bounds it,
        `PUT /license/setting` sets that.
        """
        config = settings.config
        stats = await asyncio.to_thread(node.stats.read)
        return {
            "type": "community",
            "customer": "Rookery",
            "email": "",
            "deployment": config["cluster.name"],
            "customer_type": 11,
            "start_at": rfc3339(node.started_at_ms)[:10],
            "expiry_at": "9999-12-31",
            "expiry": False,
            "max_sessions": config["limits.max_sessions"] or UNBOUNDED,
            "max_connections": config["access.max_connections"] or UNBOUNDED,
            "connections": stats.get("live_connections.count", 0),
        }

    @api.get(
        "/license/setting",
        summary="Get the connection quota",
        response_model=QuotaSetting,
        responses=example(_SETTING),
    )
    async def get_setting() -> Any:
        """The connection quota of this node, and when its alarm begins and ends."""
        return _setting(settings)

    @api.put(
        "/license/setting",
        summary="Update the connection quota",
        response_model=QuotaSetting,
        responses=errors("BAD_REQUEST", "BAD_CONFIG", "CONFLICT") | example(_SETTING),
    )
    async def put_setting(body: QuotaUpdate) -> Any:
        """Bound the clients that may be connected; it holds at once and after a restart. Clients
        that are connected stay, also above a smaller bound.
        """
        changes: dict[KeyPath, Any] = {
            ("license", name): value
            for name in (LOW, HIGH)
            if (value := getattr(body, name)) is not None
        }
        if body.dynamic_max_connections is not None:
            changes[QUOTA] = body.dynamic_max_connections
        if "managed_by" in body.model_fields_set:
            changes |= _manager(body.managed_by)
        if not changes:
            raise BadRequestError("nothing to change")
        try:
            await settings.change("update", "quota", changes, written_at=())
        except InvalidConfigError as error:
            raise error.named(_MEMBERS) from error
        return _setting(settings)

    return api


def _manager(wanted: QuotaOwner | None) -> dict[KeyPath, Any]:
    kept = {"name": "", "url": "", "former_limit": ""}
    if wanted is not None:
        kept = {name: str(value) for name, value in wanted.model_dump().items()}
    return {(*MANAGER, name): value for name, value in kept.items()}


def _setting(settings: NodeSettings) -> dict[str, Any]:
    shown = settings.config.effective()
    return {
        **{name: str(shown["license"][name]) for name in (LOW, HIGH)},
        "dynamic_max_connections": shown["access"]["max_connections"],
        "managed_by": _managed_by(shown["license"]["manager"]),
    }


def _managed_by(kept: dict[str, Any]) -> dict[str, Any] | None:
    if not kept["name"]:
        return None
    former = str(kept["former_limit"] or INFINITY)
    return {
        "name": kept["name"],
        "url": kept["url"],
        "former_limit": former if former == INFINITY else int(former),
    }
