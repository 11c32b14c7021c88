"""The routers of all features, one line each.

``router(node)`` of a module makes an ``APIRouter`` whose paths are EMQX's without ``/api/v5``. Where
paths overlap (``/clients/{clientid}`` and ``/clients/bulk``), the fixed one comes first in its router.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastapi import APIRouter

from rookery.broker.admins import api as admins
from rookery.broker.admins import keys_api as api_keys
from rookery.broker.alarms import api as alarms
from rookery.broker.audit import api as audit
from rookery.broker.authn import api as authn
from rookery.broker.authz import api as authz
from rookery.broker.auto_subscribe import api as auto_subscribe
from rookery.broker.backup import api as backup
from rookery.broker.banned import api as banned
from rookery.broker.certificates import api as certificates
from rookery.broker.clients import api as clients
from rookery.broker.configs import api as configs
from rookery.broker.configs import schema_api as configs_schema
from rookery.broker.connectors import api as connectors
from rookery.broker.delayed import api as delayed
from rookery.broker.error_codes import api as error_codes
from rookery.broker.figures import api as figures
from rookery.broker.listeners import api as listeners
from rookery.broker.load_rebalance import api as load_rebalance
from rookery.broker.logs import api as logs
from rookery.broker.management.context import NodeContext
from rookery.broker.monitor import api as monitor
from rookery.broker.nodes import api as nodes
from rookery.broker.otel import api as otel
from rookery.broker.plugins import api as plugins
from rookery.broker.prometheus import api as prometheus
from rookery.broker.publish import api as publish
from rookery.broker.quota import api as quota
from rookery.broker.retainer import api as retainer
from rookery.broker.rewrite import api as rewrite
from rookery.broker.rules import api as rules
from rookery.broker.rules import testing_api as rules_testing
from rookery.broker.slow_subs import api as slow_subs
from rookery.broker.status import api as status
from rookery.broker.subscriptions import api as subscriptions
from rookery.broker.topic_metrics import api as topic_metrics
from rookery.broker.topics import api as topics
from rookery.broker.trace import api as trace

ROUTERS: Sequence[Callable[[NodeContext], APIRouter]] = (
    status.router,
    error_codes.router,
    slow_subs.router,
    trace.router,
    logs.router,
    nodes.router,
    figures.router,
    monitor.router,
    alarms.router,
    prometheus.router,
    otel.router,
    backup.router,
    clients.router,
    subscriptions.router,
    topics.router,
    publish.router,
    retainer.router,
    delayed.router,
    rewrite.router,
    auto_subscribe.router,
    topic_metrics.router,
    admins.router,
    api_keys.router,
    audit.router,
    authn.router,
    authz.router,
    banned.router,
    listeners.router,
    certificates.router,
    configs.router,
    configs_schema.router,
    quota.router,
    plugins.router,
    load_rebalance.router,
    rules.router,
    rules_testing.router,
    connectors.router,
)
