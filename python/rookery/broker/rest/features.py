"""The routers of all features, one line each.

``router(node)`` of a module makes an ``APIRouter`` whose paths are EMQX's without ``/api/v5``. Where
paths overlap (``/clients/{clientid}`` and ``/clients/bulk``), the fixed one comes first in its router.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from rookery.broker.error_codes import api as error_codes
from rookery.broker.logs import api as logs
from rookery.broker.management.context import NodeContext
from rookery.broker.slow_subs import api as slow_subs
from rookery.broker.status import api as status
from rookery.broker.trace import api as trace

ROUTERS: Sequence[Callable[[NodeContext], APIRouter]] = (
    status.router,
    error_codes.router,
    slow_subs.router,
    trace.router,
    logs.router,
)
