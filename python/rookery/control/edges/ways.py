"""The way to an edge service: through its agent, or at its address."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from rookery.control.edges.direct.store import DIRECT_PREFIX
from rookery.control.edges.direct.way import DirectWay
from rookery.control.relay.tunnel import Answer, Asks, Call, Tunnel, WebSocket


class Ways:
    """Chooses by the name."""

    def __init__(self, tunnel: Tunnel, direct: DirectWay) -> None:
        self._tunnel = tunnel
        self._direct = direct

    def call(
        self, agent_id: str, call: Call, body: AsyncIterator[bytes] | None = None
    ) -> contextlib.AbstractAsyncContextManager[Answer]:
        """As :meth:`Tunnel.call`."""
        return self._of(agent_id).call(agent_id, call, body)

    def web_socket(
        self, agent_id: str, call: Call
    ) -> contextlib.AbstractAsyncContextManager[Answer | WebSocket]:
        """As :meth:`Tunnel.web_socket`."""
        return self._of(agent_id).web_socket(agent_id, call)

    def _of(self, agent_id: str) -> Asks:
        return self._direct if agent_id.startswith(DIRECT_PREFIX) else self._tunnel
