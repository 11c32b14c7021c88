"""A native node on an asyncio loop: what it reports is read, what it asks is answered.

Both the embedded broker and the role ``broker`` stand on this.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from rookery.engine.dispatch import HookDispatcher
from rookery.engine.events import EventRouter, Watcher
from rookery.engine.hooks import Fallback, HookTable
from rookery.engine.questions import AccessControl
from rookery.native.node import Node
from rookery.native.reader import EventReader

STOP_GRACE_S = 5.0
"""How long a stop waits for clients to take their last bytes."""


class NodeRuntime:
    """Runs a node's Python side on the loop on which it was opened."""

    def __init__(
        self,
        node: Node,
        hooks: HookTable,
        *,
        unanswered: Fallback,
        deadline_s: float,
        watchers: tuple[Watcher, ...] = (),
        observers: Mapping[str, Watcher] | None = None,
        gather_s: float = 0.0,
        access: AccessControl | None = None,
        send_rest: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        """``gather_s``: see :class:`EventReader`; 0 wherever a hook or subscriber may wait.

        ``send_rest`` is called at the end, when nobody publishes any more and before the buffers of
        actions are closed, with the seconds that it may take.
        """
        self.node = node
        self._send_rest = send_rest
        self.dispatcher = HookDispatcher(
            hooks, node.answer, unanswered=unanswered, deadline_s=deadline_s, access=access
        )
        self.events = EventRouter(node, self.dispatcher, watchers, observers)
        self._reader = EventReader(node, self.events.handle, gather_s=gather_s)

    def gather(self, gather_s: float) -> None:
        """Change how long events are gathered, because somebody waits for answers now."""
        self._reader.gather_s = gather_s

    def open(self) -> None:
        """Begin to read on the running loop."""
        self._reader.open()

    async def close(self, grace_s: float = STOP_GRACE_S) -> None:
        """Stop the node, tell what happened until then, and end every subscription."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + grace_s
        try:
            # Hooks are asked and told to the very end, so the loop goes on reading meanwhile.
            await asyncio.to_thread(self.node.stop, grace_s)
            if self._send_rest is not None:
                await self._send_rest(max(end_s - loop.time(), 0.0))
        finally:
            self.node.close_actions()
            self._reader.close()
            self._reader.drain_rest()
            await self.dispatcher.close()
            self.events.end()
