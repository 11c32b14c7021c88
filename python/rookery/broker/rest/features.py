"""The features that have operations, one line each.

``router(node)`` of a module makes an ``APIRouter`` whose paths are EMQX's without ``/api/v5``. Where
paths overlap (``/clients/{clientid}`` and ``/clients/bulk``), the fixed one comes first in its router.

A module is imported when a path is asked for that begins as its own do: the models of all of them
take most of a second of processor time.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fastapi import APIRouter

    from rookery.broker.management.context import NodeContext


class Feature(NamedTuple):
    """Operations of one module.

    Attributes:
        module: Below ``rookery.broker``.
        begins: The first segments of all its paths.
    """

    module: str
    begins: tuple[str, ...]

    def router(self, node: NodeContext) -> APIRouter:
        """Its operations; imports it."""
        module = import_module(f"rookery.broker.{self.module}")
        made: APIRouter = module.router(node)
        return made


FEATURES: Sequence[Feature] = (
    Feature("status.api", ("status",)),
    Feature("error_codes.api", ("error_codes",)),
    Feature("slow_subs.api", ("slow_subscriptions",)),
    Feature("trace.api", ("trace",)),
    Feature("logs.api", ("log",)),
    Feature("nodes.api", ("nodes",)),
    # Before the cluster: there the part behind /cluster is the name of a node.
    Feature("links.api", ("cluster",)),
    Feature("cluster.api", ("cluster",)),
    Feature("figures.api", ("metrics", "nodes", "stats")),
    Feature("monitor.api", ("monitor", "monitor_current")),
    Feature("alarms.api", ("alarms",)),
    Feature("prometheus.api", ("prometheus",)),
    Feature("otel.api", ("opentelemetry",)),
    Feature("backup.api", ("data",)),
    Feature("clients.api", ("clients", "clients_v2")),
    Feature("subscriptions.api", ("subscriptions",)),
    Feature("topics.api", ("topics",)),
    Feature("publish.api", ("publish",)),
    Feature("retainer.api", ("mqtt",)),
    Feature("delayed.api", ("mqtt",)),
    Feature("rewrite.api", ("mqtt",)),
    Feature("auto_subscribe.api", ("mqtt",)),
    Feature("topic_metrics.api", ("mqtt",)),
    Feature("admins.api", ("login", "logout", "users")),
    Feature("admins.keys_api", ("api_key", "sso")),
    Feature("audit.api", ("audit",)),
    Feature("authn.api", ("authentication",)),
    Feature("authz.api", ("authorization",)),
    Feature("banned.api", ("banned",)),
    Feature("listeners.api", ("listeners", "listeners_status")),
    Feature("certificates.api", ("certificates",)),
    Feature("configs.api", ("configs", "configs_origins", "configs_reload", "configs_reset")),
    Feature("configs.schema_api", ("schemas",)),
    Feature("quota.api", ("license",)),
    Feature("plugins.api", ("plugins",)),
    Feature("load_rebalance.api", ("load_rebalance", "node_eviction")),
    Feature("rules.api", ("rule_engine", "rules")),
    Feature(
        "rules.testing_api", ("rule_events", "rule_functions", "rule_preview", "rule_test", "rules")
    ),
    Feature(
        "connectors.api",
        (
            "action_types",
            "actions",
            "actions_probe",
            "connector_types",
            "connectors",
            "connectors_probe",
            "nodes",
            "source_types",
            "sources",
            "sources_probe",
        ),
    ),
)
