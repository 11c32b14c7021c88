"""A TCP line to a server that can be cut and mended."""

from __future__ import annotations

import asyncio
from typing import Self

from harness.ports import free_port


class CutLine:
    """Passes bytes on between its port and a server's, unless it is cut or frozen."""

    def __init__(self, port: int) -> None:
        # Nobody else is given it while the line is cut.
        self.port = free_port()
        self._flows = asyncio.Event()
        self._flows.set()
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
        self.thaw()
        self.drop()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def drop(self) -> None:
        """All connections break; new ones are accepted."""
        for transport in tuple(self._open):
            transport.abort()

    def freeze(self) -> None:
        """Nothing comes through any more, and nobody is told: a cable is out."""
        self._flows.clear()

    def thaw(self) -> None:
        """What was on its way arrives."""
        self._flows.set()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer.transport)
        await self._flows.wait()
        try:
            to, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            # The server is away: its clients are told as they would be without this line.
            self._open.discard(writer.transport)
            writer.transport.abort()
            return
        ends = (writer.transport, back.transport)
        self._open.update(ends)
        task = asyncio.gather(self._pass_on(reader, back), self._pass_on(to, writer))
        one = asyncio.ensure_future(self._finish(task, ends))
        self._tasks.add(one)
        one.add_done_callback(self._tasks.discard)

    async def _finish(
        self, task: asyncio.Future[tuple[None, None]], ends: tuple[asyncio.WriteTransport, ...]
    ) -> None:
        await task
        self._open.difference_update(ends)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            return
        finally:
            # Nor does the end of a connection come through.
            await self._flows.wait()
            writer.close()
