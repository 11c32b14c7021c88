"""The features that have operations, one line each.

``router(control)`` of a module makes an ``APIRouter`` whose paths are those of the interface without
``/api``. It does nothing with ``control`` before an operation is called: the document is made without.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from fastapi.routing import APIRoute

from rookery.control.context import ControlContext

FEATURES: tuple[str, ...] = (
    "rookery.control.setup.api",
    "rookery.control.accounts.sign_in_api",
    "rookery.control.accounts.profile_api",
    "rookery.control.accounts.users_api",
    "rookery.control.accounts.second_factor_api",
    "rookery.control.accounts.invitations_api",
    "rookery.control.accounts.resets_api",
    "rookery.control.tenancy.orgs_api",
    # What stands first is found first: `/clusters/events` is no cluster.
    "rookery.control.clusters.live_api",
    "rookery.control.clusters.api",
    "rookery.control.clusters.setup_api",
    "rookery.control.clusters.proxy_api",
    "rookery.control.history.api",
    "rookery.control.metrics.api",
    "rookery.control.monitoring.api",
    # `/alarms/settings` is no alarm.
    "rookery.control.alarms.setting_api",
    "rookery.control.alarms.push.api",
    "rookery.control.alarms.live_api",
    "rookery.control.alarms.ingest_api",
    "rookery.control.alarms.api",
    "rookery.control.commands.api",
    "rookery.control.quota.api",
    "rookery.control.agents.api",
    "rookery.control.edges.access_api",
    # `/edgeservices/export` is no edge service.
    "rookery.control.edges.direct.api",
    "rookery.control.edges.api",
    "rookery.control.edges.proxy_api",
    "rookery.control.edges.overview_api",
    "rookery.control.distribution.api",
    "rookery.control.distribution.deliveries_api",
    "rookery.control.tenancy.projects_api",
    "rookery.control.tenancy.members_api",
    "rookery.control.tokens.api",
    "rookery.control.audit.api",
    "rookery.control.logs.api",
    "rookery.control.logs.live_api",
    "rookery.control.logs.receiver_api",
    "rookery.control.settings.api",
    "rookery.control.settings.relay_api",
    "rookery.control.mail.api",
    "rookery.control.oidc.api",
)


def routes(control: ControlContext) -> Iterator[APIRoute]:
    """All operations, as the framework makes them."""
    for module in FEATURES:
        for route in import_module(module).router(control).routes:
            if isinstance(route, APIRoute):
                yield route
