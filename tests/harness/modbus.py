"""A Modbus device: pymodbus' own server, with registers that a test sees and a line it can cut."""

from __future__ import annotations

import asyncio
import os
import tty
from typing import Any, Self

from pymodbus import FramerType
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


class ModbusDevice:
    """Stations on one TCP port; everything is 0 at first."""

    def __init__(
        self,
        stations: tuple[int, ...] = (1,),
        registers: int = 200,
        framer: FramerType = FramerType.SOCKET,
    ) -> None:
        self.answers = asyncio.Event()
        self.answers.set()
        self.requests: list[tuple[int, int, int]] = []
        self.connections = 0
        self.port = 0
        self._stations = stations
        self._registers = registers
        self._framer = framer
        self._server: Any = None

    async def start_serial(self, terminal: str) -> None:
        """On a serial line instead of a port."""
        self._server = server = ModbusSerialServer(
            [self._station(one) for one in self._stations],
            framer=FramerType.RTU,
            port=terminal,
            baudrate=19_200,
            ignore_missing_devices=True,
        )
        await server.serve_forever(background=True)

    async def start(self, port: int = 0) -> None:
        """Listen; the same registers as before are 0 again."""
        self._server = server = ModbusTcpServer(
            # What is asked of any other station is answered by none.
            [self._station(0, _nobody), *(self._station(one) for one in self._stations)],
            framer=self._framer,
            address=("127.0.0.1", port or self.port),
            ignore_missing_devices=True,
            trace_connect=self._connected,
        )
        await server.serve_forever(background=True)
        transport: Any = server.transport
        self.port = transport.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Gone, with its connections."""
        server, self._server = self._server, None
        if server is not None:
            await server.shutdown()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.answers.set()
        await self.stop()

    def _station(self, number: int, action: Any = None) -> SimDevice:
        bits = [SimData(0, count=64, values=False, datatype=DataType.BITS)]
        registers = [SimData(0, count=self._registers, values=0, datatype=DataType.REGISTERS)]
        blocks = (bits, bits, registers, registers)
        return SimDevice(number, simdata=blocks, action=action or self._asked)

    def _connected(self, is_there: bool) -> None:
        self.connections += is_there

    async def _asked(self, function: int, _start: int, address: int, count: int, *_: Any) -> None:
        self.requests.append((function, address, count))
        await self.answers.wait()

    async def put(self, address: int, *values: int, station: int = 1) -> None:
        """Holding registers from an address that counts from 0."""
        assert self._server is not None
        self.answers.set()
        await self._server.async_setValues(station, 16, address, list(values))

    async def get(self, address: int, count: int = 1, station: int = 1) -> list[int]:
        """Holding registers."""
        assert self._server is not None
        found: list[int] = await self._server.async_getValues(station, 3, address, count)
        return found


class SerialLine:
    """Two ends of a serial line: terminals whose other sides pass on what comes."""

    def __init__(self) -> None:
        self._masters: list[int] = []
        self._slaves: list[int] = []
        for _ in range(2):
            master, slave = os.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._masters.append(master)
            self._slaves.append(slave)
        self.ends = tuple(os.ttyname(slave) for slave in self._slaves)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for one, other in (self._masters, self._masters[::-1]):
            loop.add_reader(one, self._pass_on, one, other)
        return self

    async def __aexit__(self, *_: object) -> None:
        loop = asyncio.get_running_loop()
        for master in self._masters:
            loop.remove_reader(master)
        for file in (*self._masters, *self._slaves):
            os.close(file)

    @staticmethod
    def _pass_on(one: int, other: int) -> None:
        os.write(other, os.read(one, 4096))


async def _nobody(*_: object) -> None:
    raise NoSuchIdException("no such station")
