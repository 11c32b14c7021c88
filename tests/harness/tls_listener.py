"""Settings of a TLS listener for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rookery.native.config import ListenerConfig, TlsConfig
from rookery.native.node import Node

StartTls = Callable[..., Node]


def tls_listener(**settings: Any) -> ListenerConfig:
    """``ssl:default`` on a free port; keywords are fields of ``TlsConfig``."""
    paths = {key: str(value) for key, value in settings.items() if isinstance(value, Path)}
    return ListenerConfig(id="ssl:default", kind="ssl", tls=TlsConfig(**{**settings, **paths}))
