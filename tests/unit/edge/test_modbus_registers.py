"""Numbers and texts into registers and back, and which registers are read together."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.edge.conversion import FLOAT_MAX, RANGES
from rookery.edge.drivers.modbus.address import BITS, BITS_16, BITS_32, BITS_64, TYPES, parse
from rookery.edge.drivers.modbus.grouping import Grouping
from rookery.edge.drivers.modbus.registers import Orders, decoder, encode, swapped, wire
from rookery.edge.drivers.modbus.settings import ORDERS_32, ORDERS_64
from rookery.edge.errors import EdgeError
from rookery.edge.model import Attribute, Tag, TagType

NUMBERS = sorted(BITS_16 | BITS_32 | BITS_64)
ORDERS = st.builds(
    Orders, st.sampled_from(list(ORDERS_32.values())), st.sampled_from(list(ORDERS_64.values()))
)


def values_of(kind: TagType) -> st.SearchStrategy[Any]:
    if kind is TagType.FLOAT:
        return st.floats(-FLOAT_MAX, FLOAT_MAX, width=32)
    if kind is TagType.DOUBLE:
        return st.floats(allow_nan=False)
    return st.integers(*RANGES[kind])


def suffixes(kind: TagType) -> list[str]:
    if kind in BITS_32:
        return ["", "#BB", "#BL", "#LB", "#LL"]
    return ["", "#B", "#L"]


@given(st.data(), ORDERS, st.integers(0, 60))
def test_a_number_comes_back_from_its_registers(data: Any, orders: Orders, before: int) -> None:
    kind = data.draw(st.sampled_from(NUMBERS))
    tag = Tag(name="x", type=kind, address="1!40001" + data.draw(st.sampled_from(suffixes(kind))))
    value = data.draw(values_of(kind))
    address = parse(tag)

    registers = [7] * before + encode(tag, address, value, orders) + [9]

    made = decoder(tag, address, before, orders)
    bytes_ = wire(registers)
    assert made.take(swapped(bytes_) if made.is_swapped else bytes_) == value


@pytest.mark.parametrize(
    ("suffix", "orders", "registers"),
    [
        ("", Orders("ABCD"), [0x0A0B, 0x0C0D]),
        ("", Orders("BADC"), [0x0B0A, 0x0D0C]),
        ("", Orders("DCBA"), [0x0D0C, 0x0B0A]),
        ("", Orders("CDAB"), [0x0C0D, 0x0A0B]),
        ("#BB", Orders("DCBA"), [0x0A0B, 0x0C0D]),
        ("#BL", Orders(), [0x0B0A, 0x0D0C]),
        ("#LB", Orders(), [0x0C0D, 0x0A0B]),
        ("#LL", Orders(), [0x0D0C, 0x0B0A]),
    ],
)
def test_orders_of_32_bits(suffix: str, orders: Orders, registers: list[int]) -> None:
    tag = Tag(name="x", type=TagType.UINT32, address="1!40001" + suffix)

    assert encode(tag, parse(tag), 0x0A0B0C0D, orders) == registers


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("ABCDEFGH", "0102030405060708"),
        ("BADCFEHG", "0201040306050807"),
        ("HGFEDCBA", "0807060504030201"),
        ("GHEFCDAB", "0708050603040102"),
    ],
)
def test_orders_of_64_bits(order: str, wanted: str) -> None:
    tag = Tag(name="x", type=TagType.UINT64, address="1!40001")

    made = encode(tag, parse(tag), 0x0102030405060708, Orders("ABCD", order))

    assert wire(made).hex() == wanted


@given(st.binary(min_size=1, max_size=40), st.sampled_from(["", "H", "L"]))
def test_bytes_come_back(data: bytes, side: str) -> None:
    tag = Tag(name="x", type=TagType.BYTES, address=f"1!40001.{len(data)}{side}")
    address = parse(tag)

    registers = encode(tag, address, data, Orders())

    made = decoder(tag, address, 0, Orders())
    bytes_ = wire(registers)
    assert made.take(swapped(bytes_) if made.is_swapped else bytes_) == data


def test_text_ends_where_the_device_ends_it() -> None:
    tag = Tag(name="x", type=TagType.STRING, address="1!40001.6")
    address = parse(tag)

    assert decoder(tag, address, 0, Orders()).take(b"ab\0xyz") == "ab"
    assert encode(tag, address, "ab", Orders()) == [0x6162, 0, 0]
    with pytest.raises(ValueError, match="7 > 6"):
        encode(tag, address, "abcdefg", Orders())


@given(st.integers(0, 0xFFFF), st.integers(0, 15))
def test_a_bit_of_a_register(register: int, bit: int) -> None:
    tag = Tag(name="x", type=TagType.BIT, address=f"1!40001.{bit}")

    assert decoder(tag, parse(tag), 0, Orders()).take(wire([register])) == register >> bit & 1


ADDRESSED = st.builds(
    lambda station, area, number, kind: Tag(
        name="x",
        type=TagType.BOOL if area in "01" else kind,
        address=f"{station}!{area}{number:05d}"
        + (".3" if kind in BITS and area in "34" else "")
        + (".9" if kind in (TagType.STRING, TagType.BYTES) and area in "34" else ""),
    ),
    st.integers(0, 3),
    st.sampled_from("0134"),
    st.integers(1, 400),
    st.sampled_from(sorted(TYPES)),
)


@given(st.lists(ADDRESSED, max_size=80), st.integers(1, 125), st.integers(0, 20))
def test_every_tag_is_read_once_within_the_bounds(
    tags: list[Tag], registers_max: int, gap_max: int
) -> None:
    grouping = Grouping(Orders(), 1, max(registers_max, 5), gap_max)

    blocks = grouping.blocks((tag, parse(tag)) for tag in tags)

    read = [id(item.tag) for block in blocks for item in block.items]
    assert sorted(read) == sorted(map(id, tags))
    for block in blocks:
        assert block.count <= (2000 if block.area.is_bits else max(registers_max, 5))
        for item in block.items:
            assert 0 <= item.offset <= block.count - item.address.count
            assert block.start + item.offset == item.address.number - 1
            assert (item.address.station, item.address.area) == (block.station, block.area)
    assert sum(len(grouping.apart(block)) for block in blocks) == len(tags)


def test_adjacent_registers_are_read_together() -> None:
    tags = [Tag(name=str(n), type=TagType.UINT16, address=f"1!4{n:05d}") for n in range(1, 251)]

    blocks = Grouping(Orders()).blocks((tag, parse(tag)) for tag in reversed(tags))

    assert [(block.start, block.count) for block in blocks] == [(0, 125), (125, 125)]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("40001", TagType.INT16),
        ("1!50001", TagType.INT16),
        ("256!40001", TagType.INT16),
        ("1!499999", TagType.INT16),
        ("1!40001#BB", TagType.INT16),
        ("1!40001#B", TagType.FLOAT),
        ("1!40001.2", TagType.FLOAT),
        ("1!40001", TagType.BIT),
        ("1!40001.16", TagType.BIT),
        ("1!00001", TagType.INT16),
        ("1!40001", TagType.STRING),
        ("1!40001.251", TagType.STRING),
        ("1!40001 ", TagType.INT16),
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(address: str, kind: TagType) -> None:
    with pytest.raises(EdgeError) as caught:
        parse(Tag(name="x", type=kind, address=address))

    assert caught.value.number == 2205
    assert address in caught.value.text("en")


def test_inputs_are_not_written() -> None:
    from rookery.edge.drivers.modbus.address import check_tag

    tag = Tag(name="x", type=TagType.INT16, address="1!30001", attribute=Attribute.WRITE)
    with pytest.raises(EdgeError, match="cannot be written"):
        check_tag(tag)


def test_the_wire_has_the_high_byte_first() -> None:
    assert wire([0x0102, 0x0304]) == struct.pack(">HH", 0x0102, 0x0304)
