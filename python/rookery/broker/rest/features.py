"""The routers of all features, one line each.

``router(node)`` of a module makes an ``APIRouter`` whose paths are EMQX's without ``/api/v5``. Where
paths overlap (``/clients/{clientid}`` and ``/clients/bulk``), the fixed one comes first in its router.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from rookery.broker.auto_subscribe import api as auto_subscribe
from rookery.broker.clients import api as clients
from rookery.broker.delayed import api as delayed
from rookery.broker.error_codes import api as error_codes
from rookery.broker.management.context import NodeContext
from rookery.broker.publish import api as publish
from rookery.broker.retainer import api as retainer
from rookery.broker.rewrite import api as rewrite
from rookery.broker.status import api as status
from rookery.broker.subscriptions import api as subscriptions
from rookery.broker.topic_metrics import api as topic_metrics
from rookery.broker.topics import api as topics

ROUTERS: Sequence[Callable[[NodeContext], APIRouter]] = (
    status.router,
    error_codes.router,
    clients.router,
    subscriptions.router,
    topics.router,
    publish.router,
    retainer.router,
    delayed.router,
    rewrite.router,
    auto_subscribe.router,
    topic_metrics.router,
)
