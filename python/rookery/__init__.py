"""Rookery: an MQTT broker with a native core, for Python programs and for the command line.

    async with rookery.Broker() as broker:
        print(broker.url)

Importing this package loads nothing of it: what it exports is loaded at first use, so that a
program which only needs, say, ``rookery.errors`` pays for nothing else.

This module runs on Python 3.9 with the standard library alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rookery.engine import (
        Allow,
        Broker,
        Client,
        ClientPage,
        Deny,
        Hooks,
        Identity,
        Listener,
        Message,
        Properties,
        Subscription,
        SubscriptionInfo,
    )
    from rookery.errors import RookeryError

    __version__: str

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
    "RookeryError",
    "Subscription",
    "SubscriptionInfo",
    "__version__",
]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415

        return version("rookery")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "rookery.errors" if name == "RookeryError" else "rookery.engine"
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
