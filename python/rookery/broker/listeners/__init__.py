"""Listeners of MQTT while the node runs."""

from rookery.broker.listeners.service import ListenerService

__all__ = ["ListenerService"]
