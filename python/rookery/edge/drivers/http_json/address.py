r"""Addresses of HTTP JSON: ``sensors.0.temperature``, or ``/room/2#temperature`` with a path of its own.

Names and numbers of a JSON document with points between; a point in a name is written ``\\.``. A path
before ``#`` is added to the driver's URL. An empty place is the whole document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rookery.edge.drivers.base import bad_address
from rookery.edge.model import Attribute, Tag, TagType
from rookery.words import Words

_POINT = re.compile(r"(?<!\\)\.")
_PATH = Words(
    "a path begins with /, such as /room/2#temperature", "路径应以 / 开头，例如 /room/2#temperature"
)
_EMPTY = Words("has an empty name between two points", "两个点之间的名称为空")
_READ_ONLY = Words("this driver writes nothing", "该驱动不支持写入")
_NO_BYTES = Words("JSON has no bytes", "JSON 不支持字节类型")


@dataclass(frozen=True, slots=True)
class Address:
    """Which document, and where in it."""

    path: str
    names: tuple[str, ...]


def parse(tag: Tag) -> Address:
    """The address of a tag.

    Raises:
        EdgeError: it is none.
    """
    path, mark, place = tag.address.rpartition("#")
    if mark and path and not path.startswith("/"):
        raise bad_address(tag, _PATH)
    names = tuple(part.replace("\\.", ".") for part in _POINT.split(place)) if place else ()
    if not all(names):
        raise bad_address(tag, _EMPTY)
    return Address(path, names)


def check_tag(tag: Tag) -> None:
    """Refuse a tag that cannot come out of JSON."""
    parse(tag)
    if Attribute.WRITE in tag.attribute:
        raise bad_address(tag, _READ_ONLY)
    if tag.type is TagType.BYTES:
        raise bad_address(tag, _NO_BYTES)
