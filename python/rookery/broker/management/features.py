"""Every noun of the management API that is more than looking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from starlette.routing import BaseRoute

from rookery.broker.access.chains import ChainService
from rookery.broker.management.access import AuthorizationApi, ChainApi
from rookery.broker.management.banned import BannedApi
from rookery.broker.management.context import Services
from rookery.broker.management.listeners import ListenersApi
from rookery.broker.management.rules import RulesApi
from rookery.broker.management.settings import SettingsApi
from rookery.broker.management.users import UsersApi
from rookery.observability.metrics import StatsRegistry


class Feature(Protocol):
    """A part of the API: one noun, one file."""

    def routes(self) -> Sequence[BaseRoute]: ...


def features_of(services: Services, stats: StatsRegistry) -> list[Feature]:
    """All of them, wired."""
    settings, access, audit = services.settings, services.access, services.audit
    providers = ChainService(
        settings, ("authentication",), ("mechanism", "backend"), access.provider_status
    )
    sources = ChainService(settings, ("authorization", "sources"), ("type",), access.source_status)
    return [
        ListenersApi(services.listeners, services.certificates),
        SettingsApi(settings, lambda: stats.read().get("live_connections.count", 0)),
        UsersApi(access.access, settings, audit),
        RulesApi(access),
        ChainApi("/authentication", providers),
        ChainApi("/authorization/sources", sources),
        AuthorizationApi(access, settings),
        BannedApi(access.access, audit),
    ]
