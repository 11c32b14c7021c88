"""The broker as a part of a Python program, and the Python side of every node.

Owns hooks, subscriptions of this process and the life of a native node on an asyncio loop. Knows
no configuration file, no HTTP and no command line: those belong to the role ``broker``.
"""

from rookery.engine.broker import Broker, ClientPage
from rookery.engine.hooks import Allow, Deny, Hooks, Identity
from rookery.engine.subscription import Subscription
from rookery.native.models import Client, Listener, Message, SubscriptionInfo
from rookery.native.properties import Properties

__all__ = [
    "Allow",
    "Broker",
    "Client",
    "ClientPage",
    "Deny",
    "Hooks",
    "Identity",
    "Listener",
    "Message",
    "Properties",
    "Subscription",
    "SubscriptionInfo",
]
