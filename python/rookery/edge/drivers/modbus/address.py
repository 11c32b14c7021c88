"""Addresses of Modbus: ``1!40001``, ``1!40001#LB``, ``1!40001.3``, ``1!40001.20H``, ``1!00001``.

Station, ``!``, then the area by its first digit (0 coils, 1 inputs, 3 input registers, 4 holding
registers) and the number in it, of four or five digits. After that, by type: ``#B`` or ``#L`` for 16 and
64 bits, ``#BB #BL #LB #LL`` for 32 bits (order of registers, order of bytes), ``.BIT``, or for text and
bytes ``.LENGTH`` with ``H`` (high byte first, as without) or ``L``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from rookery.edge.drivers.base import bad_address
from rookery.edge.drivers.modbus.settings import REGISTERS_MAX
from rookery.edge.model import Attribute, Tag, TagType
from rookery.words import Words

BITS = frozenset({TagType.BIT, TagType.BOOL})
BITS_16 = frozenset({TagType.INT16, TagType.UINT16, TagType.WORD})
BITS_32 = frozenset({TagType.INT32, TagType.UINT32, TagType.FLOAT, TagType.DWORD})
BITS_64 = frozenset({TagType.INT64, TagType.UINT64, TagType.DOUBLE, TagType.LWORD})
TEXTS = frozenset({TagType.STRING, TagType.BYTES})
TYPES = BITS | BITS_16 | BITS_32 | BITS_64 | TEXTS

_FORM = re.compile(
    r"(?P<station>\d{1,3})!(?P<area>[0134])(?P<number>\d{4,5})"
    r"(?:#(?P<order>[BL]{1,2})|\.(?P<part>\d{1,3})(?P<side>[HL]?))?"
)
_NO_FORM = Words(
    "must be STATION!AREA and number, such as 1!40001, 1!40001#LB, 1!40001.3 or 1!40001.20H",
    "应为 站号!区号加地址，例如 1!40001、1!40001#LB、1!40001.3 或 1!40001.20H",
)
_NO_STATION = Words("a station is 0 to 255", "站号应为 0 到 255")
_NO_NUMBER = Words("a number is 0 to 65536", "地址应为 0 到 65536")
_BIT_ALONE = Words("coils and inputs (0 and 1) hold bits", "线圈和离散输入（0、1 区）只能是位类型")
_NO_BIT = Words("a bit of a register needs its number, .0 to .15", "寄存器中的位需要位号 .0 到 .15")
_NO_LENGTH = Words(
    "text and bytes need a length from 1 to {most}, such as .20",
    "需要 1 到 {most} 的长度，例如 .20",
)
_NO_PART = Words("this type has no part after a point", "该类型不支持 . 后缀")
_NO_ORDER = Words("this type has the orders {orders}", "该类型的字节序应为 {orders}")
_READ_ONLY = Words("inputs and input registers (1 and 3) cannot be written", "1 区和 3 区不可写入")


class Area(IntEnum):
    """First digit of an address."""

    COIL = 0
    INPUT = 1
    INPUT_REGISTER = 3
    HOLDING_REGISTER = 4

    @property
    def is_bits(self) -> bool:
        return self in (Area.COIL, Area.INPUT)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a tag is.

    Attributes:
        number: As written, before the address base is taken off.
        count: Registers, or bits in the areas of bits.
        order: As written; empty: as the driver is set.
        bit: Of a register.
        length: Bytes of text.
        is_low_first: Whether text has its low byte first.
    """

    station: int
    area: Area
    number: int
    count: int
    order: str = ""
    bit: int = 0
    length: int = 0
    is_low_first: bool = False


def parse(tag: Tag) -> Address:
    """The address of a tag.

    Raises:
        EdgeError: it is none, or none for this type.
    """
    found = _FORM.fullmatch(tag.address)
    if found is None:
        raise bad_address(tag, _NO_FORM)
    station, area = int(found["station"]), Area(int(found["area"]))
    number = int(found["number"])
    order, part, side = found["order"] or "", found["part"], found["side"] or ""
    if station > 255:
        raise bad_address(tag, _NO_STATION)
    if number > 65_536:
        raise bad_address(tag, _NO_NUMBER)
    if area.is_bits:
        if tag.type not in BITS or order or part is not None:
            raise bad_address(tag, _BIT_ALONE)
        return Address(station, area, number, 1)
    if tag.type in TEXTS:
        length, most = int(part or 0), 2 * REGISTERS_MAX
        if order or not 1 <= length <= most:
            raise bad_address(tag, _NO_LENGTH.format(most=most))
        count = (length + 1) // 2
        return Address(station, area, number, count, length=length, is_low_first=side == "L")
    if tag.type in BITS:
        if part is None or int(part) > 15 or side or order:
            raise bad_address(tag, _NO_BIT)
        return Address(station, area, number, 1, bit=int(part))
    if part is not None:
        raise bad_address(tag, _NO_PART)
    return Address(station, area, number, _count(tag, order), order)


def _count(tag: Tag, order: str) -> int:
    orders: tuple[str, ...]
    if tag.type in BITS_32:
        count, orders = 2, ("BB", "BL", "LB", "LL")
    else:
        count, orders = 1 if tag.type in BITS_16 else 4, ("B", "L")
    if order and order not in orders:
        shown = " ".join(f"#{one}" for one in orders)
        raise bad_address(tag, _NO_ORDER.format(orders=shown))
    return count


def check_tag(tag: Tag) -> None:
    """Refuse a tag that Modbus cannot have."""
    address = parse(tag)
    is_read_only = address.area in (Area.INPUT, Area.INPUT_REGISTER)
    if is_read_only and Attribute.WRITE in tag.attribute:
        raise bad_address(tag, _READ_ONLY)
