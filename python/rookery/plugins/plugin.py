"""What a plugin derives from, and what it is given."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rookery.engine.hooks import Hooks

Publish = Callable[[str, bytes, int, bool], None]


def _nowhere(topic: str, _payload: bytes, _qos: int, _retain: bool) -> None:
    raise RuntimeError(f"nobody is there to publish to {topic!r}")


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What a plugin is given when it is made.

    Attributes:
        name: The plugin's name.
        version: Its version.
        node: Name of the node it runs at.
        data_dir: A directory of its own; it stays when the plugin is updated, and is removed when
            the plugin is uninstalled.
        settings: What an operator has set, complete with the defaults of the settings schema.
        worker: The number of this process, from 0; others of the plugin have other numbers.
        log: Where it says something: lines go to the log of the node.
    """

    name: str = "plugin"
    version: str = "0"
    node: str = "rookery@127.0.0.1"
    data_dir: Path = Path()
    settings: Mapping[str, Any] = field(default_factory=dict)
    worker: int = 0
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("rookery.plugin"))
    send: Publish = field(default=_nowhere, repr=False)

    def publish(
        self, topic: str, payload: bytes | str, *, qos: int = 0, retain: bool = False
    ) -> None:
        """Publish a message as the node itself; hooks are not asked. Nothing is waited for."""
        self.send(topic, payload.encode() if isinstance(payload, str) else payload, qos, retain)


class Plugin(Hooks):
    """Derive from it, and write the hooks that the plugin wants.

    One object lives in each worker process of the plugin. Hooks run on one event loop: one that
    blocks holds up the others of its process, one that is ``async`` does not. In a hook that has no
    opinion (``on_authenticate``, ``on_authorize``) return ``None``: the next plugin is asked, and
    in the end what is configured decides.
    """

    def __init__(self, context: PluginContext | None = None) -> None:
        self.context = context or PluginContext()

    @property
    def settings(self) -> Mapping[str, Any]:
        """What an operator has set."""
        return self.context.settings

    def start(self) -> Awaitable[None] | None:
        """Open what is needed; no hook is called before it returns. May be ``async``.

        What it raises is shown to the operator, and the plugin is tried again later.
        """
        return None

    def stop(self) -> Awaitable[None] | None:
        """Close it again; no hook is called any more. May be ``async``."""
        return None

    def settings_changed(self, settings: Mapping[str, Any]) -> Awaitable[None] | None:
        """Take new settings, which :attr:`settings` gives already. May be ``async``.

        What it raises is shown to the operator; the settings before hold again.
        """
        return None
