"""Addresses of the simulator: ``counter:2``, ``sine:10:60``, ``memory:temperature``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rookery.edge.drivers.base import bad_address
from rookery.edge.model import TEXTS, Attribute, Tag
from rookery.words import Words

_FORMS = Words(
    "must be counter[:STEP], ramp[:LOW:HIGH:SECONDS], sine[:AMPLITUDE:SECONDS], "
    "random[:LOW:HIGH], toggle[:SECONDS], time or memory[:NAME]",
    "应为 counter[:步长]、ramp[:最小:最大:秒]、sine[:幅值:秒]、random[:最小:最大]、"
    "toggle[:秒]、time 或 memory[:名称]",
)
_MEMORY_ALONE = Words("only memory can be written", "只有 memory 地址可以写入")
_NO_TEXT = Words("text and bytes come from memory alone", "字符串和字节类型只能使用 memory 地址")

DEFAULTS: dict[str, tuple[float, ...]] = {
    "counter": (1,),
    "ramp": (0, 100, 60),
    "sine": (100, 60),
    "random": (0, 100),
    "toggle": (1,),
    "time": (),
}
MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Address:
    """What a value does; of memory under which name it is kept."""

    kind: str
    numbers: tuple[float, ...] = ()
    name: str = ""


def parse(tag: Tag) -> Address:
    """The address of a tag.

    Raises:
        EdgeError: it is none.
    """
    kind, *parts = tag.address.split(":")
    if kind == MEMORY:
        return Address(MEMORY, name=":".join(parts) or tag.name)
    defaults = DEFAULTS.get(kind)
    if defaults is None or len(parts) > len(defaults):
        raise bad_address(tag, _FORMS)
    try:
        given = tuple(float(part) for part in parts)
    except ValueError:
        raise bad_address(tag, _FORMS) from None
    numbers = given + defaults[len(given) :]
    is_periodic = kind in ("ramp", "sine", "toggle")
    if not all(map(math.isfinite, numbers)) or (is_periodic and numbers[-1] <= 0):
        raise bad_address(tag, _FORMS)
    return Address(kind, numbers)


def check_tag(tag: Tag) -> None:
    """Refuse a tag that cannot be simulated."""
    address = parse(tag)
    if address.kind == MEMORY:
        return
    if Attribute.WRITE in tag.attribute:
        raise bad_address(tag, _MEMORY_ALONE)
    if tag.type in TEXTS:
        raise bad_address(tag, _NO_TEXT)
