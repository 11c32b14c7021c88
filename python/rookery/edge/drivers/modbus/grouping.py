"""Which registers are read together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rookery.edge.drivers.modbus.address import Address, Area
from rookery.edge.drivers.modbus.registers import Decoder, Orders, decoder
from rookery.edge.drivers.modbus.settings import BITS_MAX
from rookery.edge.model import Tag, TagType


@dataclass(frozen=True, slots=True)
class Item:
    """One tag of a read; ``decoder`` is of registers, ``offset`` of bits."""

    tag: Tag
    address: Address
    offset: int
    decoder: Decoder | None

    @property
    def is_bool(self) -> bool:
        return self.tag.type is TagType.BOOL


@dataclass(frozen=True, slots=True)
class Block:
    """One read: so many registers or bits from a start that counts from 0."""

    station: int
    area: Area
    start: int
    count: int
    items: tuple[Item, ...]

    @property
    def names(self) -> Iterator[str]:
        return (item.tag.name for item in self.items)


@dataclass(frozen=True, slots=True)
class Grouping:
    """How tags are put together.

    Attributes:
        base: Number of the first register.
        gap_max: Registers in between that are read along.
    """

    orders: Orders
    base: int = 1
    registers_max: int = 125
    gap_max: int = 0

    def blocks(self, tags: Iterable[tuple[Tag, Address]]) -> list[Block]:
        """Each tag in one block; as few blocks as the bounds allow."""
        placed = sorted(
            (
                (address.station, int(address.area), address.number - self.base, tag, address)
                for tag, address in tags
            ),
            key=lambda one: one[:3],
        )
        made: list[Block] = []
        members: list[tuple[Tag, Address]] = []
        start = end = 0
        for station, area, at, tag, address in placed:
            most = BITS_MAX if Area(area).is_bits else self.registers_max
            last = members[-1][1] if members else None
            fits = (
                last is not None
                and (last.station, last.area) == (station, area)
                and at <= end + self.gap_max
                and max(end, at + address.count) - start <= most
            )
            if not fits:
                if members:
                    made.append(self.block(members, start, end))
                members, start, end = [], at, at
            members.append((tag, address))
            end = max(end, at + address.count)
        if members:
            made.append(self.block(members, start, end))
        return made

    def block(self, members: Sequence[tuple[Tag, Address]], start: int, end: int) -> Block:
        """These tags in one read."""
        first = members[0][1]
        items = tuple(self._item(tag, address, start) for tag, address in members)
        return Block(first.station, first.area, start, end - start, items)

    def _item(self, tag: Tag, address: Address, start: int) -> Item:
        offset = address.number - self.base - start
        taker = None if address.area.is_bits else decoder(tag, address, offset, self.orders)
        return Item(tag, address, offset, taker)

    def apart(self, block: Block) -> list[Block]:
        """A read for each tag."""
        made = []
        for item in block.items:
            start = block.start + item.offset
            members = [(item.tag, item.address)]
            made.append(self.block(members, start, start + item.address.count))
        return made
