"""What a plugin is written with, and what carries it: its template, its archive, its process.

A plugin is a class derived from :class:`Plugin` with the hooks it wants::

    from rookery.plugins import Message, Plugin

    class Shout(Plugin):
        def on_publish(self, message: Message) -> Message:
            return message.replace(payload=message.payload.upper())

Which hooks there are, and the contract of each, is in :mod:`rookery.plugins.hookpoints`.
"""

from __future__ import annotations

from rookery.engine.hooks import Action, Allow, Deny, Hooks, Identity
from rookery.native.models import Client, ConnAck, Message, SubscriptionInfo
from rookery.native.properties import Properties
from rookery.plugins.plugin import Plugin, PluginContext

__all__ = [
    "Action",
    "Allow",
    "Client",
    "ConnAck",
    "Deny",
    "Hooks",
    "Identity",
    "Message",
    "Plugin",
    "PluginContext",
    "Properties",
    "SubscriptionInfo",
]
