"""Speaks Modbus with pymodbus."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pymodbus import FramerType, ModbusException
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ConnectionException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from rookery.edge.drivers.base import Driver, LinkLost, NoAnswer, Reading, Refused
from rookery.edge.drivers.modbus.address import BITS, Address, Area, parse
from rookery.edge.drivers.modbus.grouping import Block, Grouping
from rookery.edge.drivers.modbus.registers import Orders, encode, swapped, wire
from rookery.edge.errors import DECODE_FAILURE, NO_RESPONSE, READ_FAILURE
from rookery.edge.model import Tag, Value
from rookery.words import Words

# It tells of every silence of a device on its own.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)

Client: TypeAlias = AsyncModbusTcpClient | AsyncModbusSerialClient

_UNREACHABLE = Words("{address} cannot be reached", "无法连接 {address}")
_CLOSED = Words("{address} closed the connection", "{address} 关闭了连接")
_SILENT = Words("station {station} does not answer", "站点 {station} 无应答")
_REFUSED = Words("station {station}: {reason}", "站点 {station}：{reason}")
_LONG = Words("the text is longer than {length} bytes", "字符串超过 {length} 字节")
_OUTSIDE = Words("the address is outside of 0 to 65535", "地址超出 0 到 65535")
_EXCEPTIONS = {
    1: Words("illegal function", "非法功能码"),
    2: Words("illegal data address", "非法数据地址"),
    3: Words("illegal data value", "非法数据值"),
    4: Words("device failure", "设备故障"),
    5: Words("it takes longer", "设备已确认，处理中"),
    6: Words("device busy", "设备忙"),
    10: Words("the gateway has no way to it", "网关路径不可用"),
    11: Words("the device behind the gateway does not answer", "网关后的设备无响应"),
}
_NO_WAY = frozenset({10, 11})
_ADDRESS = frozenset({2, 3})


class Plan:
    """Reads of a group; one that the device refuses as a whole is taken apart."""

    def __init__(self, blocks: list[Block]) -> None:
        self.blocks = blocks


class _Stations:
    """Which stations are left out because they do not answer."""

    def __init__(self, setting: Mapping[str, Any]) -> None:
        self._is_on = bool(setting["device_degrade"])
        self._after = setting["degrade_cycle"]
        self._for_s = setting["degrade_time"]
        self._silent: dict[int, int] = {}
        self._until: dict[int, float] = {}

    def is_left_out(self, station: int) -> bool:
        return self._until.get(station, 0) > time.monotonic()

    def answered(self, station: int) -> None:
        self._silent.pop(station, None)
        self._until.pop(station, None)

    def was_silent(self, station: int) -> None:
        """For a cycle."""
        self._silent[station] = self._silent.get(station, 0) + 1
        if self._is_on and self._silent[station] >= self._after:
            self._until[station] = time.monotonic() + self._for_s


class Modbus(Driver[Plan]):
    """One connection or line, with all stations on it."""

    def __init__(self, setting: Mapping[str, Any], line: str) -> None:
        self._setting = setting
        self._line = line
        self._client: Client | None = None
        self._orders = Orders.of(setting["endianess"], setting["endianess_64"])
        self._base = setting["address_base"]
        self._grouping = Grouping(
            self._orders, self._base, setting["registers_max"], setting["gap_max"]
        )
        self._stations = _Stations(setting)
        self._pause_s = setting["interval"] / 1000
        self._asked_s = 0.0
        self._places: list[tuple[str, int]] = []
        if line == "serial":
            self._address = setting["device"]
        else:
            self._places.append((setting["host"], setting["port"]))
            if setting["backup_host"]:
                self._places.append((setting["backup_host"], setting["backup_port"]))
            self._address = _shown(self._places[0])

    # -- connection ----------------------------------------------------------------------

    async def connect(self) -> None:
        # The library's own reconnecting is off: the engine has one for all drivers.
        places: list[tuple[str, int] | None] = [*self._places] or [None]
        for place in places:
            client = self._client = self._new_client(place)
            if await client.connect():
                self._address = _shown(place) if place is not None else self._address
                return
            client.close()
        address = " / ".join(map(_shown, self._places)) or self._address
        raise LinkLost(_UNREACHABLE.format(address=address))

    def _new_client(self, place: tuple[str, int] | None) -> Client:
        setting = self._setting
        shared: dict[str, Any] = {
            "timeout": setting["timeout"] / 1000,
            "retries": 0,
            "reconnect_delay": 0,
            "trace_connect": self._connection,
            "trace_packet": self._packet,
        }
        if place is None:
            return AsyncModbusSerialClient(
                setting["device"],
                baudrate=setting["baud"],
                parity=setting["parity"],
                bytesize=setting["data"],
                stopbits=setting["stop"],
                **shared,
            )
        framer = FramerType.SOCKET if self._line == "tcp" else FramerType.RTU
        return AsyncModbusTcpClient(place[0], port=place[1], framer=framer, **shared)

    def _connection(self, is_there: bool) -> None:
        """Whoever waits for an answer need not wait for the timeout when the connection ends."""
        client = self._client
        if not is_there and client is not None and not client.ctx.response_future.done():
            client.ctx.response_future.set_exception(ConnectionException("closed"))

    def _packet(self, is_sent: bool, data: bytes) -> bytes:
        if is_sent:
            self.sent_bytes += len(data)
        else:
            self.received_bytes += len(data)
        return data

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    # -- read ----------------------------------------------------------------------------

    def plan(self, tags: Sequence[Tag]) -> Plan:
        return Plan(self._grouping.blocks((tag, parse(tag)) for tag in tags))

    async def read(self, plan: Plan) -> Reading:
        reading = Reading()
        heard: set[int] = set()
        silent: set[int] = set()
        refused: Refused | None = None
        for block in tuple(plan.blocks):
            station = block.station
            if station in silent or self._stations.is_left_out(station):
                silent.add(station)
                _fail(reading, block, NO_RESPONSE.number)
                continue
            try:
                await self._read_block(plan, block, reading)
                heard.add(station)
            except NoAnswer:
                silent.add(station)
                _fail(reading, block, NO_RESPONSE.number)
            except Refused as error:
                heard.add(station)
                refused = error
                _fail(reading, block, READ_FAILURE.number)
        for station in heard - silent:
            self._stations.answered(station)
        for station in silent:
            if not self._stations.is_left_out(station):
                self._stations.was_silent(station)
        if silent and not heard and not all(map(self._stations.is_left_out, silent)):
            raise NoAnswer(_SILENT.format(station=min(silent)))
        if refused is not None and not reading.values and not silent:
            raise refused
        return reading

    async def _read_block(self, plan: Plan, block: Block, reading: Reading) -> None:
        try:
            answer = await self._retried(lambda client: _request(client, block), block.station)
        except _AddressRefused:
            if len(block.items) == 1:
                raise
            # One of the registers is not there; which one is seen when each tag is read alone.
            at = plan.blocks.index(block)
            plan.blocks[at : at + 1] = alone = self._grouping.apart(block)
            for one in alone:
                try:
                    await self._read_block(plan, one, reading)
                except Refused:
                    _fail(reading, one, READ_FAILURE.number)
            return
        _take(block, answer, reading)

    # -- write ---------------------------------------------------------------------------

    async def write(self, tag: Tag, value: Value) -> None:
        address = parse(tag)
        station, at = address.station, address.number - self._base
        if address.area is Area.COIL:
            await self._ask(
                lambda client: client.write_coil(at, bool(value), device_id=station), station
            )
            return
        if tag.type in BITS:
            registers = [await self._with_bit(address, at, bool(value))]
        else:
            try:
                registers = encode(tag, address, value, self._orders)
            except ValueError:
                raise Refused(_LONG.format(length=address.length)) from None
        if len(registers) == 1:
            await self._ask(
                lambda client: client.write_register(at, registers[0], device_id=station), station
            )
        else:
            await self._ask(
                lambda client: client.write_registers(at, registers, device_id=station), station
            )

    async def _with_bit(self, address: Address, at: int, is_set: bool) -> int:
        station = address.station
        answer = await self._ask(
            lambda client: client.read_holding_registers(at, count=1, device_id=station), station
        )
        mask = 1 << address.bit
        before: int = answer.registers[0]
        return before | mask if is_set else before & ~mask

    # -- one request -----------------------------------------------------------------------

    async def _retried(
        self, request: Callable[[Client], Awaitable[ModbusPDU]], station: int
    ) -> ModbusPDU:
        """A read may be sent again; a write may have been done already."""
        for _ in range(self._setting["max_retries"]):
            try:
                return await self._ask(request, station)
            except NoAnswer:
                await asyncio.sleep(self._setting["retry_interval"] / 1000)
        return await self._ask(request, station)

    async def _ask(
        self, request: Callable[[Client], Awaitable[ModbusPDU]], station: int
    ) -> ModbusPDU:
        await self._pause()
        client = self._client
        if client is None or not client.connected:
            raise LinkLost(_CLOSED.format(address=self._address))
        try:
            answer = await request(client)
        except ConnectionException:
            raise LinkLost(_CLOSED.format(address=self._address)) from None
        except ValueError:
            raise Refused(_OUTSIDE) from None
        except (ModbusException, TimeoutError):
            if not client.connected:
                raise LinkLost(_CLOSED.format(address=self._address)) from None
            await self._after_silence()
            raise NoAnswer(_SILENT.format(station=station)) from None
        if isinstance(answer, ExceptionResponse):
            raise _refusal(answer.exception_code, station)
        return answer

    async def _pause(self) -> None:
        if self._pause_s:
            rest_s = self._asked_s + self._pause_s - time.monotonic()
            if rest_s > 0:
                await asyncio.sleep(rest_s)
            self._asked_s = time.monotonic()

    async def _after_silence(self) -> None:
        """Frames of a serial line have no number: an answer that comes late would be taken for the next."""
        if self._line != "tcp":
            await self.close()
            await self.connect()


def _shown(place: tuple[str, int]) -> str:
    return f"{place[0]}:{place[1]}"


class _AddressRefused(Refused):
    """There is no such register, or not so many."""


def _refusal(code: int, station: int) -> Refused | NoAnswer:
    reason = _EXCEPTIONS.get(code, Words(f"exception {code}", f"异常码 {code}"))
    words = _REFUSED.format(station=station, reason=reason)
    if code in _NO_WAY:
        return NoAnswer(words)
    return _AddressRefused(words) if code in _ADDRESS else Refused(words)


def _request(client: Client, block: Block) -> Awaitable[ModbusPDU]:
    reads = {
        Area.COIL: client.read_coils,
        Area.INPUT: client.read_discrete_inputs,
        Area.INPUT_REGISTER: client.read_input_registers,
        Area.HOLDING_REGISTER: client.read_holding_registers,
    }
    return reads[block.area](block.start, count=block.count, device_id=block.station)


def _take(block: Block, answer: ModbusPDU, reading: Reading) -> None:
    """Values out of an answer; one that is not as long as was asked for says nothing."""
    values = reading.values
    if block.area.is_bits:
        bits = answer.bits
        if len(bits) < block.count:
            _fail(reading, block, DECODE_FAILURE.number)
            return
        for item in block.items:
            bit = bits[item.offset]
            values[item.tag.name] = bool(bit) if item.is_bool else int(bit)
        return
    if len(answer.registers) != block.count:
        _fail(reading, block, DECODE_FAILURE.number)
        return
    data = wire(answer.registers)
    other = b""
    for item in block.items:
        taker = item.decoder
        assert taker is not None
        if taker.is_swapped and not other:
            other = swapped(data)
        values[item.tag.name] = taker.take(other if taker.is_swapped else data)


def _fail(reading: Reading, block: Block, number: int) -> None:
    reading.errors.update(dict.fromkeys(block.names, number))
