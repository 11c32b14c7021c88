"""The log of a running node: handlers as configured, levels of modules as set."""

from rookery.broker.logs.service import LogService

__all__ = ["LogService"]
