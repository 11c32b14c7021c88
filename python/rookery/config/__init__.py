"""Configuration: schema, sources and their precedence, the snapshot for the core.

Everything that a user may set goes through here and is checked here; the rest of the program
sees values that are known to be good.
"""

from __future__ import annotations

from rookery.config.load import CONFIG_FILE_NAME, RUNTIME_FILE, Config, load
from rookery.config.mapping import from_mapping
from rookery.config.problems import InvalidConfigError, Problem
from rookery.config.snapshot import (
    HttpConfig,
    LogConfig,
    LogHandlerConfig,
    ManagementConfig,
    OtelConfig,
)
from rookery.config.tree import Origin

__all__ = [
    "CONFIG_FILE_NAME",
    "RUNTIME_FILE",
    "Config",
    "HttpConfig",
    "InvalidConfigError",
    "LogConfig",
    "LogHandlerConfig",
    "ManagementConfig",
    "Origin",
    "OtelConfig",
    "Problem",
    "from_mapping",
    "load",
]
