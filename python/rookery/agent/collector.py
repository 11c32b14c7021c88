"""Makes a report: asks the cluster, and says of each thing that failed why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from rookery.agent import facts, figures, integrations
from rookery.agent.cluster_api import ClusterApi
from rookery.agent.credentials import ClusterCredentials
from rookery.agent.failures import TIMEOUT, CallError
from rookery.agent.keyed_api import KeyedApi
from rookery.agent.settings import Settings
from rookery.clock import Clock
from rookery.contracts.agent_v1 import (
    ERROR_CHARS_MAX,
    ClusterFacts,
    ClusterNode,
    MessageError,
    Report,
)

# A cluster that answers slowly is to cost details, not the report: it is late after that.
BUDGET_S = 8.0


class Collector:
    """Asks one cluster. ``lock`` keeps the credentials to one thread at a time."""

    def __init__(
        self,
        settings: Settings,
        api: ClusterApi,
        credentials: ClusterCredentials,
        clock: Clock,
        *,
        node_id: str,
        boot_id: str,
        version: str,
        logs_error: Callable[[], str] = str,
    ) -> None:
        self.lock = threading.Lock()
        self._settings = settings
        self.keyed = KeyedApi(api, credentials, self.lock)
        self._clock = clock
        self._node_id = node_id
        self._boot_id = boot_id
        self._version = version
        self._logs_error = logs_error
        self._sequence = 0
        self._counters = figures.Counters()
        self._deadline_s = 0.0
        self._nodes_asked = 0

    def collect(self, mqtt_error: str = "") -> Report:
        """Ask for everything; never fails, the report says what did."""
        began = self._clock.monotonic_s()
        self._deadline_s = began + BUDGET_S
        self._nodes_asked = 0
        errors = {"mqtt_connect_error": mqtt_error, "logs_fetch_error": self._logs_error()}
        nodes: tuple[ClusterNode, ...] = ()
        known: ClusterFacts | None = None
        metrics: dict[str, float] = {}
        found = integrations.Integrations()
        try:
            rows = self._get("/nodes")
        except CallError as error:
            errors["cluster_fetch_error"] = str(error)
            if error.is_unreachable:
                errors["node_connect_error"] = str(error)
        else:
            is_cluster = isinstance(rows, list) and len(rows) > 1
            nodes = facts.nodes_of(rows, self._figures_of_node if is_cluster else _of_lone_node)
            if not nodes:
                errors["cluster_fetch_error"] = "ANSWER: the cluster names no nodes"
            metrics, known, errors["metrics_fetch_error"] = self._facts(rows, nodes)
            found = integrations.read(self._get_in_time)
        self._sequence += 1
        return fitting(
            Report(
                self._version,
                self._clock.now_ms(),
                sequence=self._sequence,
                node_id=self._node_id,
                boot_id=self._boot_id,
                cluster_nodes=nodes,
                facts=known,
                metrics=metrics,
                dashboard_enabled=bool(self._settings.dashboard_url),
                round_trip_ms=round((self._clock.monotonic_s() - began) * 1000),
                integration_counts=found.counts,
                integrations=tuple(found.objects),
                integrations_left_out=found.left_out,
                integration_errors=found.errors,
                **{name: shown_error(text) for name, text in errors.items()},
            )
        )

    def _facts(
        self, rows: Any, nodes: tuple[ClusterNode, ...]
    ) -> tuple[dict[str, float], ClusterFacts, str]:
        """Metrics, facts, and what could not be read of them."""
        stats, monitor, error_text = self._figures()
        licence, setting, limit_error = self._limit()
        edition = rows[0].get("edition") if nodes and isinstance(rows[0], dict) else ""
        known = facts.facts_of(
            nodes,
            facts.text_of(edition, 64),
            monitor,
            facts.Limit.of(licence, setting) if not limit_error else facts.Limit(),
            self._clock.now_ms(),
        )
        metrics = facts.metrics_of(stats, monitor, self._traffic())
        return metrics, known, error_text or limit_error

    def _traffic(self) -> dict[str, float]:
        """Bytes a second; a cluster that does not count them has none."""
        try:
            answer = self._get_in_time("/metrics?aggregate=true")
        except CallError:
            return {}
        return self._counters.rates(answer, self._clock.monotonic_s())

    def _figures_of_node(self, name: str, row: Any) -> Mapping[str, float]:
        found = _of_lone_node(name, row)
        self._nodes_asked += 1
        if self._nodes_asked > figures.NODES_ASKED_MAX or row.get("node_status") != "running":
            return found
        try:
            monitor = self._get_in_time(f"/monitor_current/nodes/{quote(name, safe='@')}")
        except CallError:
            return found
        return {**found, **figures.rates_of_node(monitor)}

    def _figures(self) -> tuple[Any, Any, str]:
        error_text = ""
        found: list[Any] = []
        for path in ("/stats?aggregate=true", "/monitor_current"):
            try:
                found.append(self._get(path))
            except CallError as error:
                found.append(None)
                error_text = str(error)
        return found[0], found[1], error_text

    def _limit(self) -> tuple[Any, Any, str]:
        """Licence and its setting, which not every cluster has."""
        error_text = ""
        found: list[Any] = []
        for path in ("/license", "/license/setting"):
            try:
                found.append(self._get(path))
            except CallError as error:
                found.append(None)
                if error.status not in (400, 404):
                    error_text = str(error)
        return found[0], found[1], error_text

    def _get_in_time(self, path: str) -> Any:
        """As long as there is time for details."""
        if self._clock.monotonic_s() > self._deadline_s:
            raise CallError(TIMEOUT, f"{path} was not asked: the cluster answers too slowly")
        return self._get(path)

    def _get(self, path: str) -> Any:
        return self.keyed.get(path)


def _of_lone_node(_name: str, row: Any) -> Mapping[str, float]:
    """Of the only node: what happens in the cluster happens there."""
    return figures.of_node(row)


def fitting(report: Report) -> Report:
    """The same within the bound of a report: details go first, what alarms stand on last."""
    while not _fits(report):
        if report.metrics:
            nodes = tuple(replace(node, figures=None) for node in report.cluster_nodes)
            report = replace(report, metrics={}, cluster_nodes=nodes)
        elif report.integrations:
            kept = report.integrations[: len(report.integrations) // 2]
            left_out = report.integrations_left_out + len(report.integrations) - len(kept)
            report = replace(report, integrations=kept, integrations_left_out=left_out)
        else:
            nodes = report.cluster_nodes[: len(report.cluster_nodes) // 2]
            report = replace(report, cluster_nodes=nodes)
    return report


def _fits(report: Report) -> bool:
    try:
        report.to_bytes()
    except MessageError:
        return False
    return True


def shown_error(text: str) -> str:
    """As a field of a report takes it."""
    return facts.text_of(" ".join(text.split()), ERROR_CHARS_MAX)
