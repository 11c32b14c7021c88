"""Access control of a node: what holds, what changes while it runs, and why."""

from rookery.broker.access.service import AccessService

__all__ = ["AccessService"]
