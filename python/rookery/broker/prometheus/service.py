"""Gathers every figure of the node under the names that dashboards for EMQX ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from rookery.native.models import Certificate
from rookery.observability.catalog import BY_NAME, PER_CERTIFICATE, Figure, prometheus_name
from rookery.observability.exposition import Family
from rookery.observability.machine import Machine

ReadFigures: TypeAlias = Callable[[], Mapping[str, int]]
ReadFamilies: TypeAlias = Callable[[], Awaitable[Sequence[Family]]]
Mode: TypeAlias = Literal["node", "all_nodes_aggregated", "all_nodes_unaggregated"]

_GROUPS: Mapping[str, str] = {
    "bytes": "packets",
    "packets": "packets",
    "messages": "messages",
    "delivery": "delivery",
    "client": "client",
    "session": "session",
    "authorization": "acl",
    "authentication": "authn",
}
"""The member of the JSON by the first word of a counter; the others stand in ``metrics``."""


class Exporter:
    """What ``/prometheus`` answers, and what is pushed."""

    def __init__(
        self,
        *,
        node_name: str,
        stats: ReadFigures,
        metrics: ReadFigures,
        certificates: Callable[[], Sequence[Certificate]],
        machine: Machine,
        cpu_use: Callable[[], float | None],
        started_at_ms: int,
    ) -> None:
        """``certificates`` are those in use; ``cpu_use`` is a share of one, none if not known."""
        self._node_name = node_name
        self._stats = stats
        self._metrics = metrics
        self._certificates = certificates
        self._machine = machine
        self._cpu_use = cpu_use
        self._started_at_ms = started_at_ms
        self._more: list[ReadFamilies] = []

    def add(self, read: ReadFamilies) -> None:
        """Show these as well."""
        self._more.append(read)

    async def families(self, mode: Mode = "node") -> list[Family]:
        """Everything, as it is at the moment."""
        found = await asyncio.to_thread(lambda: list(self._gather()))
        for read in self._more:
            found += await read()
        return self.by_mode(found, mode)

    def by_mode(self, families: Sequence[Family], mode: Mode) -> list[Family]:
        """With the name of the node where the nodes of a cluster are told apart."""
        if mode != "all_nodes_unaggregated":
            return list(families)
        return [family.labelled({"node": self._node_name}) for family in families]

    def _gather(self) -> Iterator[Family]:
        for name, value in sorted(self._stats().items()):
            if not name.startswith(PER_CERTIFICATE):
                yield _family(name, "gauge", value)
        for name, value in sorted(self._metrics().items()):
            yield _family(name, "counter", value)
        yield from self._machine_families()
        yield Family.single(
            "emqx_cluster_nodes_running", "gauge", "Nodes of the cluster that run", "cluster", 1
        )
        yield Family.single(
            "emqx_cluster_nodes_stopped", "gauge", "Nodes of the cluster that do not run",
            "cluster", 0,
        )  # fmt: skip
        ends = tuple(
            (_listener_labels(item.listener), item.not_after_s)
            for item in self._certificates()
            if item.field == "certfile"
        )
        if ends:
            text = "When the certificate of a listener ends, seconds since 1970"
            yield Family("emqx_cert_expiry_at", "gauge", text, "certs", ends)

    def _machine_families(self) -> Iterator[Family]:
        def gauge(name: str, help_: str, value: float) -> Family:
            return Family.single(name, "gauge", help_, "metrics", value)

        use = self._cpu_use()
        if use is not None:
            percent = round(use * 100, 2)
            yield gauge("emqx_vm_cpu_use", "Use of the processors, percent", percent)
            yield gauge("emqx_vm_cpu_idle", "Idle processors, percent", round(100 - percent, 2))
        memory = _read(self._machine.memory)
        if memory is not None:
            yield gauge("emqx_vm_total_memory", "Memory of the machine, bytes", memory.total)
            yield gauge("emqx_vm_used_memory", "Memory in use, bytes", memory.used)
        resident = _read(self._machine.process_memory)
        if resident is not None:
            text = "Memory of this process, bytes"
            yield gauge("process_resident_memory_bytes", text, resident)
        opened = _read(self._machine.open_files)
        if opened is not None:
            yield gauge("process_open_fds", "Open file descriptors", opened)
        yield gauge("process_max_fds", "File descriptors allowed", self._machine.open_files_max())
        text = "When the node was started, seconds since 1970"
        yield gauge("process_start_time_seconds", text, self._started_at_ms / 1000)


def _read(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except (OSError, ValueError):  # a system that does not tell: the figure is absent
        return None


def _family(name: str, kind: Literal["counter", "gauge"], value: int) -> Family:
    figure = BY_NAME.get(name) or Figure(name, "rookery", f"{name} of this node", "")
    is_gauge = kind == "gauge"
    group = "stats" if is_gauge else _GROUPS.get(name.partition(".")[0], "metrics")
    return Family.single(prometheus_name(name, figure.owner), kind, figure.en, group, value)


def _listener_labels(listener_id: str) -> dict[str, str]:
    kind, _, name = listener_id.partition(":")
    return {"listener_type": kind, "listener_name": name}
