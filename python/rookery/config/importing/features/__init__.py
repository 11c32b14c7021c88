"""What several old keys say together, feature by feature.

Each takes its lines and puts them into the draft. The order matters where one looks at what
another has written: listeners are complete before zones hand them limits, authentication before
access control looks whether there is any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rookery.config.importing.draft import Draft
from rookery.config.importing.features.access import access
from rookery.config.importing.features.gathered import Gathered
from rookery.config.importing.features.http import http
from rookery.config.importing.features.jwt import jwt
from rookery.config.importing.features.listeners import listeners
from rookery.config.importing.features.log import log
from rookery.config.importing.features.modules import flapping, modules
from rookery.config.importing.features.pgsql import pgsql
from rookery.config.importing.features.redis import redis
from rookery.config.importing.features.users import users
from rookery.config.importing.features.zones import zones

FEATURES: dict[str, Callable[[Sequence[Gathered], Draft], None]] = {
    "log": log,
    "listeners": listeners,
    "zones": zones,
    "flapping": flapping,
    "modules": modules,
    "http": http,
    "jwt": jwt,
    "users": users,
    "pgsql": pgsql,
    "redis": redis,
    "access": access,
}

__all__ = ["FEATURES", "Gathered"]
