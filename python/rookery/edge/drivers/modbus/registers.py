"""Registers to values and back.

Bytes come as they were on the wire. Of the four orders of a number two are the byte orders that Python
knows; the other two become those when the two bytes of each register are swapped first.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rookery.edge.drivers.modbus.address import BITS, BITS_16, BITS_32, TEXTS, Address
from rookery.edge.drivers.modbus.settings import ORDERS_32, ORDERS_64
from rookery.edge.model import Tag, TagType, Value

_CODES = {
    TagType.INT16: "h",
    TagType.UINT16: "H",
    TagType.WORD: "H",
    TagType.INT32: "i",
    TagType.UINT32: "I",
    TagType.DWORD: "I",
    TagType.FLOAT: "f",
    TagType.INT64: "q",
    TagType.UINT64: "Q",
    TagType.LWORD: "Q",
    TagType.DOUBLE: "d",
}
# Order on the wire: byte order of the number, and whether the bytes of registers are swapped before.
_LAYOUTS = {
    "B": (">", False),
    "L": ("<", False),
    "ABCD": (">", False),
    "BADC": (">", True),
    "DCBA": ("<", False),
    "CDAB": ("<", True),
    "ABCDEFGH": (">", False),
    "BADCFEHG": (">", True),
    "HGFEDCBA": ("<", False),
    "GHEFCDAB": ("<", True),
}
_SHORT_32 = {"BB": "ABCD", "BL": "BADC", "LB": "CDAB", "LL": "DCBA"}
_SHORT_64 = {"B": "ABCDEFGH", "L": "HGFEDCBA"}

Take = Callable[[bytes], Value]


@dataclass(frozen=True, slots=True)
class Orders:
    """As the driver is set."""

    bits_32: str = "ABCD"
    bits_64: str = "ABCDEFGH"

    @classmethod
    def of(cls, endianess: int, endianess_64: int) -> Orders:
        return cls(ORDERS_32[endianess], ORDERS_64[endianess_64])

    def name_of(self, tag: Tag, address: Address) -> str:
        """The order of a number."""
        if tag.type in BITS_16:
            return address.order or "B"
        if tag.type in BITS_32:
            return _SHORT_32.get(address.order, self.bits_32)
        return _SHORT_64.get(address.order, self.bits_64)


def swapped(data: bytes) -> bytes:
    """The two bytes of each register the other way round."""
    made = array("H", data)
    made.byteswap()
    return made.tobytes()


@dataclass(frozen=True, slots=True)
class Decoder:
    """Takes one tag out of the bytes of a read.

    Attributes:
        is_swapped: Whether it is given the swapped bytes.
    """

    take: Take
    is_swapped: bool


def decoder(tag: Tag, address: Address, offset: int, orders: Orders) -> Decoder:
    """What takes a tag out of bytes that begin ``offset`` registers before it."""
    at = 2 * offset
    if tag.type in BITS:
        return Decoder(_bit(at, address.bit, is_bool=tag.type is TagType.BOOL), False)
    if tag.type in TEXTS:
        end = at + address.length
        take = _text(at, end) if tag.type is TagType.STRING else _raw(at, end)
        return Decoder(take, address.is_low_first)
    byte_order, is_swapped = _LAYOUTS[orders.name_of(tag, address)]
    unpack = struct.Struct(byte_order + _CODES[tag.type]).unpack_from
    return Decoder(lambda data: unpack(data, at)[0], is_swapped)


def _bit(at: int, bit: int, *, is_bool: bool) -> Take:
    # The high byte of a register comes first.
    place, mask = at + (0 if bit > 7 else 1), 1 << (bit % 8)
    if is_bool:
        return lambda data: bool(data[place] & mask)
    return lambda data: 1 if data[place] & mask else 0


def _text(at: int, end: int) -> Take:
    return lambda data: data[at:end].partition(b"\0")[0].decode(errors="replace")


def _raw(at: int, end: int) -> Take:
    return lambda data: data[at:end]


def encode(tag: Tag, address: Address, value: Value, orders: Orders) -> list[int]:
    """The registers of a value, all but those of single bits.

    Raises:
        ValueError: a text is too long.
    """
    if isinstance(value, (str, bytes)):
        data = value.encode() if isinstance(value, str) else value
        if len(data) > address.length:
            raise ValueError(f"{len(data)} > {address.length}")
        data = data.ljust(2 * address.count, b"\0")
        if address.is_low_first:
            data = swapped(data)
    else:
        byte_order, is_swapped = _LAYOUTS[orders.name_of(tag, address)]
        data = struct.pack(byte_order + _CODES[tag.type], value)
        if is_swapped:
            data = swapped(data)
    return list(struct.unpack(f">{address.count}H", data))


def wire(registers: Sequence[int]) -> bytes:
    """The bytes of registers as they were on the wire."""
    return struct.pack(f">{len(registers)}H", *registers)
