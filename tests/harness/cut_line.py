"""A TCP line to a server that can be cut and mended."""

from __future__ import annotations

import asyncio
from typing import Self


class CutLine:
    """Passes bytes on between its port and a server's, unless it is cut."""

    def __init__(self, port: int) -> None:
        self.port = 0
        self._target = port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.WriteTransport] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.mend()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cut()

    async def mend(self) -> None:
        """Connections are accepted again, on the same port."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """All connections break, and none is accepted."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.drop()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def drop(self) -> None:
        """All connections break; new ones are accepted."""
        for transport in tuple(self._open):
            transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to, back = await asyncio.open_connection("127.0.0.1", self._target)
        ends = (writer.transport, back.transport)
        self._open.update(ends)
        task = asyncio.gather(_pass_on(reader, back), _pass_on(to, writer))
        one = asyncio.ensure_future(self._finish(task, ends))
        self._tasks.add(one)
        one.add_done_callback(self._tasks.discard)

    async def _finish(
        self, task: asyncio.Future[tuple[None, None]], ends: tuple[asyncio.WriteTransport, ...]
    ) -> None:
        await task
        self._open.difference_update(ends)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        return
    finally:
        writer.close()
