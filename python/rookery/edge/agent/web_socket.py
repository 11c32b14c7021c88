"""A WebSocket of this service through the tunnel. The application sees one of its own port."""

from __future__ import annotations

from starlette.types import ASGIApp
from starlette.types import Message as AsgiMessage

from rookery.contracts.agent_v1 import Reply, Request
from rookery.edge.agent.calls import BrokenError, Call, Say, headers_of, scope_of

MESSAGE_BYTES_MAX = 4 << 20
"""What came of a message is held until its end."""
TOO_LONG, BAD_TEXT, LOST = 1009, 1007, 1006
_PROTOCOLS = b"sec-websocket-protocol"


class WebSocketCall(Call):
    """One of them. The deadline of the request is that of its handshake."""

    def __init__(self, request: Request, say: Say) -> None:
        # Its length is nobody's business: what lies in memory is bounded by credit and by a message.
        super().__init__(request, say, bytes_max=None)
        self._is_connect_told = False
        self._is_closed = False

    async def _answer(self, site: ASGIApp) -> None:
        scope = scope_of(self._request)
        offered = [
            value.decode("latin-1") for name, value in scope["headers"] if name == _PROTOCOLS
        ]
        scope.update(
            type="websocket",
            scheme="wss",
            subprotocols=[word.strip() for value in offered for word in value.split(",")],
        )
        del scope["method"]
        await site(scope, self._receive, self._send)
        if self._has_replied and not self._is_over:
            await self._close(1000, "")

    # -- what the application calls --------------------------------------------------------

    async def _receive(self) -> AsgiMessage:
        if not self._is_connect_told:
            self._is_connect_told = True
            return {"type": "websocket.connect"}
        held = bytearray()
        while (chunk := await self._next()) is not None:
            if chunk.frame == "close":
                self._is_closed = True
                code = int.from_bytes(chunk.body[:2], "big") if len(chunk.body) > 1 else 1005
                await self._close(code if code != 1005 else 1000, "")
                return _disconnected(code)
            held += chunk.body
            if len(held) > MESSAGE_BYTES_MAX:
                return await self._refused(TOO_LONG)
            if chunk.frame and chunk.final:
                if chunk.frame == "binary":
                    return {"type": "websocket.receive", "bytes": bytes(held)}
                try:
                    return {"type": "websocket.receive", "text": held.decode()}
                except UnicodeDecodeError:
                    return await self._refused(BAD_TEXT)
        return _disconnected(LOST)

    async def _send(self, message: AsgiMessage) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            await self._accept(message)
        elif not self._has_replied:
            # What it closes before it took it, it refuses.
            self._has_replied = self._is_over = True
            await self._say(Reply(self._request.id, 403))
        elif kind == "websocket.close":
            await self._close(int(message.get("code", 1000)), str(message.get("reason") or ""))
        elif self._is_over or self._is_broken:
            raise BrokenError
        elif message.get("text") is not None:
            await self._say_frame(message["text"].encode(), "text")
        else:
            await self._say_frame(message["bytes"], "binary")

    # -- inside ----------------------------------------------------------------------------

    async def _accept(self, message: AsgiMessage) -> None:
        headers = headers_of(message.get("headers", ()))
        if message.get("subprotocol"):
            headers.append(("sec-websocket-protocol", message["subprotocol"]))
        self._has_replied = True
        self._deadline.reschedule(None)
        await self._say(Reply(self._request.id, 101, tuple(headers), more=True))

    async def _say_frame(self, body: bytes, frame: str) -> None:
        self._splitter.offer(body, frame)
        await self._flush()

    async def _refused(self, code: int) -> AsgiMessage:
        await self._close(code, "")
        return _disconnected(code)

    async def _close(self, code: int, reason: str) -> None:
        if self._is_over:
            return
        self._splitter.offer(code.to_bytes(2, "big") + reason.encode()[:123], "close")
        self._splitter.finish()
        await self._flush()


def _disconnected(code: int) -> AsgiMessage:
    return {"type": "websocket.disconnect", "code": code}
