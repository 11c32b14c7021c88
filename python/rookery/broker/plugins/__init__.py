"""Plugins of a node: installed, ordered, and run in processes of their own."""

from rookery.broker.plugins.service import PluginService

__all__ = ["PluginService"]
