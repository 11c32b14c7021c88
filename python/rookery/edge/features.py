"""The features that have operations, one line each.

``router(edge)`` of a module makes an ``APIRouter`` whose paths are those of the interface without ``/api``. It
does nothing with ``edge`` before an operation is called: the document is made without.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from fastapi.routing import APIRoute

from rookery.edge.context import EdgeContext

FEATURES: tuple[str, ...] = (
    "rookery.edge.users.sign_in_api",
    "rookery.edge.users.users_api",
    "rookery.edge.api.nodes",
    "rookery.edge.api.groups",
    "rookery.edge.api.tags",
    "rookery.edge.api.subscriptions",
    "rookery.edge.api.plugins",
    "rookery.edge.api.values",
    "rookery.edge.api.configuration",
    "rookery.edge.api.templates",
    "rookery.edge.api.deliveries",
    "rookery.edge.api.system",
    "rookery.edge.api.logs",
    "rookery.edge.agent.api",
)


def routes(edge: EdgeContext) -> Iterator[APIRoute]:
    """All operations, as the framework makes them."""
    for module in FEATURES:
        for route in import_module(module).router(edge).routes:
            if isinstance(route, APIRoute):
                yield route
