"""``/neuron/version``, ``/neuron/metrics``, and about the machine."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as package_version
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import PlainTextResponse, Response

from rookery.edge.api.names import NodeName
from rookery.edge.context import EdgeContext
from rookery.edge.model import NodeKind, NodeMetrics
from rookery.native.node import version
from rookery.observability.machine import Machine
from rookery.web.models import Row

PACKAGES = ("pymodbus", "pyserial", "asyncua", "openpyxl")
METRICS_TYPE = "text/plain; version=0.0.4"


class VersionShown(Row):
    """Which version this is."""

    version: str = Field(description="Of the product.", examples=["0.9.0"])
    revision: str = Field(default="", description="Empty.")
    build_date: str = Field(default="", description="Empty.")


class SystemShown(Row):
    """The service and the machine it runs on."""

    version: str = Field(description="Of the product.", examples=["0.9.0"])
    python: str = Field(description="Of the interpreter.", examples=["3.12.4"])
    system: str = Field(description="The operating system.", examples=["Linux 6.8"])
    machine: str = Field(description="Its processor.", examples=["aarch64"])
    host_name: str = Field(description="Its name.", examples=["edge-7"])
    data_dir: str = Field(description="Where the service keeps its data.")
    started_at: int = Field(description="In milliseconds since 1970.", examples=[1769846400000])
    uptime_ms: int = Field(description="Since then.", examples=[360000])
    process_memory: int = Field(description="Bytes of this process.", examples=[90000000])
    memory_used: int = Field(description="Bytes of the machine.", examples=[900000000])
    memory_total: int = Field(description="Bytes of the machine.", examples=[2000000000])
    disk_used: int = Field(description="Bytes where the data is.", examples=[4000000000])
    disk_total: int = Field(description="Bytes where the data is.", examples=[16000000000])
    load_1m: float = Field(description="Load of the last minute.", examples=[0.4])
    cpus: int = Field(description="Processors.", examples=[4])
    drivers: int = Field(description="How many there are.", examples=[3])
    apps: int = Field(description="How many there are.", examples=[1])
    tags: int = Field(description="How many there are.", examples=[420])
    packages: dict[str, str] = Field(
        description="Versions of what drivers need; empty: not installed.",
        examples=[{"pymodbus": "3.11.2"}],
    )


def router(edge: EdgeContext) -> APIRouter:
    api = APIRouter(prefix="/neuron", tags=["System"])

    @api.get("/version", summary="Version")
    async def version_() -> VersionShown:
        """Of the product."""
        return VersionShown(version=version())

    @api.get("/system", summary="The service and its machine")
    async def system() -> SystemShown:
        """Figures of the moment."""
        return await asyncio.to_thread(_system, edge)

    @api.get(
        "/metrics",
        summary="Metrics",
        response_class=PlainTextResponse,
        responses={200: {"content": {"text/plain": {}}, "description": "Prometheus' text format"}},
    )
    async def metrics(
        category: Annotated[
            Literal["global", "driver", "app"],
            Query(description="Of all nodes, of drivers, or of applications."),
        ] = "global",
        node: Annotated[NodeName, Query(description="Only of this one.", examples=[""])] = "",
    ) -> Response:
        """In the text format of Prometheus, by Neuron's names."""
        found = (edge.service.metrics_of(node),) if node else edge.service.metrics()
        kind = {"driver": NodeKind.DRIVER, "app": NodeKind.APP}.get(category)
        rows = [one for one in found if kind is None or one.kind is kind]
        uptime_s = (edge.clock.now_ms() - edge.started_at_ms) // 1000
        text = "\n".join([*_own(uptime_s, rows), *_exposed(rows), ""])
        return PlainTextResponse(text, media_type=METRICS_TYPE)

    return api


def _system(edge: EdgeContext) -> SystemShown:
    machine = Machine()
    memory, disk = machine.memory(), machine.disk(edge.config.data_dir)
    nodes = edge.service.nodes.list()
    groups = edge.service.groups.all()
    return SystemShown(
        version=version(),
        python=sys.version.split()[0],
        system=f"{platform.system()} {platform.release()}",
        machine=platform.machine(),
        host_name=platform.node(),
        data_dir=str(edge.config.data_dir),
        started_at=edge.started_at_ms,
        uptime_ms=edge.clock.now_ms() - edge.started_at_ms,
        process_memory=machine.process_memory(),
        memory_used=memory.used,
        memory_total=memory.total,
        disk_used=disk.used,
        disk_total=disk.total,
        load_1m=round(machine.load()[0], 2),
        cpus=os.cpu_count() or 1,
        drivers=sum(node.kind is NodeKind.DRIVER for node in nodes),
        apps=sum(node.kind is NodeKind.APP for node in nodes),
        tags=sum(len(group.tags) for _, group in groups),
        packages={name: _package(name) for name in PACKAGES},
    )


def _package(name: str) -> str:
    try:
        return package_version(name)
    except PackageNotFoundError:
        return ""


def _own(uptime_s: int, rows: Iterable[NodeMetrics]) -> Iterator[str]:
    for name, value in (
        ("core_uptime_seconds", uptime_s),
        ("nodes_total", len(list(rows))),
    ):
        yield f"# TYPE {name} gauge"
        yield f"{name} {value}"


def _exposed(rows: Iterable[NodeMetrics]) -> Iterator[str]:
    """Figure by figure, as the format wants them."""
    figures: dict[str, list[str]] = {}
    for one in rows:
        labels = f'{{node="{_escaped(one.node)}"}}'
        figures.setdefault("node_state", []).append(f"node_state{labels} {int(one.status.state)}")
        figures.setdefault("link_state", []).append(f"link_state{labels} {int(one.status.link)}")
        for name, value in one.figures.items():
            figures.setdefault(name, []).append(f"{name}{labels} {value}")
        for group in one.groups:
            inside = f'{{node="{_escaped(one.node)}",group="{_escaped(group.name)}"}}'
            for name, count in (
                ("group_tags_total", group.tags_total),
                ("group_cycles_total", group.cycles_total),
                ("group_missed_cycles_total", group.missed_cycles_total),
                ("group_last_timer_ms", group.last_cycle_ms),
                ("group_last_error_code", group.last_error),
                ("group_last_error_timestamp_ms", group.last_error_at_ms),
            ):
                figures.setdefault(name, []).append(f"{name}{inside} {count}")
    for name, lines in figures.items():
        yield f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}"
        yield from lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
