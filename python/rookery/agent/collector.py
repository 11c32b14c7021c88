"""Makes a report: asks the cluster, and says of each thing that failed why."""

from __future__ import annotations

import os
import threading
from typing import Any

from rookery.agent import facts
from rookery.agent.cluster_api import ClusterApi
from rookery.agent.credentials import ClusterCredentials
from rookery.agent.failures import CallError
from rookery.agent.settings import Settings
from rookery.clock import Clock
from rookery.contracts.agent_v1 import ERROR_CHARS_MAX, ClusterFacts, ClusterNode, Report


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
    ) -> None:
        self.lock = threading.Lock()
        self._settings = settings
        self._api = api
        self._credentials = credentials
        self._clock = clock
        self._node_id = node_id
        self._boot_id = boot_id
        self._version = version
        self._sequence = 0

    def collect(self, mqtt_error: str = "") -> Report:
        """Ask for everything; never fails, the report says what did."""
        began = self._clock.monotonic_s()
        errors = {"mqtt_connect_error": mqtt_error, "logs_fetch_error": self._logs_error()}
        nodes: tuple[ClusterNode, ...] = ()
        known: ClusterFacts | None = None
        metrics: dict[str, float] = {}
        try:
            rows = self._get("/nodes")
        except CallError as error:
            errors["cluster_fetch_error"] = str(error)
            if error.is_unreachable:
                errors["node_connect_error"] = str(error)
        else:
            nodes = facts.nodes_of(rows)
            if not nodes:
                errors["cluster_fetch_error"] = "ANSWER: the cluster names no nodes"
            stats, monitor, errors["metrics_fetch_error"] = self._figures()
            licence, setting, limit_error = self._limit()
            errors["metrics_fetch_error"] = errors["metrics_fetch_error"] or limit_error
            edition = rows[0].get("edition") if nodes and isinstance(rows[0], dict) else ""
            known = facts.facts_of(
                nodes,
                facts.text_of(edition, 64),
                monitor,
                facts.Limit.of(licence, setting) if not limit_error else facts.Limit(),
                self._clock.now_ms(),
            )
            metrics = facts.metrics_of(stats, monitor)
        self._sequence += 1
        return Report(
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
            **{name: shown_error(text) for name, text in errors.items()},
        )

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

    def _get(self, path: str) -> Any:
        with self.lock:
            key = self._credentials.key()
        try:
            return self._api.get(path, key)
        except CallError as error:
            if error.status != 401:
                raise
        # Somebody deleted the key: make another, once.
        with self.lock:
            if self._credentials.key() == key:
                self._credentials.refuse_key()
            key = self._credentials.key()
        return self._api.get(path, key)

    def _logs_error(self) -> str:
        if not self._settings.log_collection_enabled:
            return ""
        folder = self._settings.log_collection_dir
        try:
            with os.scandir(folder) as entries:
                next(entries, None)
        except OSError as error:
            return f"UNREACHABLE: {folder}: {error.strerror or error}"
        return ""


def shown_error(text: str) -> str:
    """As a field of a report takes it."""
    return facts.text_of(" ".join(text.split()), ERROR_CHARS_MAX)
