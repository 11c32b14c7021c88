"""Figures of one cluster at one time, in few bytes.

    version, number of parts; of each part: length of the node's name, the name, number of figures;
    of each figure: its number (the high bit: it varied), and for a summary how many values it is of;
    then the value, or mean, least and most

A sample is a summary of one value, without the counts. Figures are 32 bit wide: seven digits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from functools import lru_cache

from rookery.control.metrics.summary import Summaries, Summary

SAMPLE, SUMMARY = 1, 2
_VARIED = 0x80
_COUNT_MAX = 0xFFFF
_NAME_BYTES_MAX = 255
_HEAD = struct.Struct("<BB")
_FLAT = struct.Struct("<BHf")
_SPREAD = struct.Struct("<BHfff")
_ONE = struct.Struct("<Bf")


def pack_sample(sample: Mapping[str, Mapping[int, float]]) -> bytes:
    """What one report counted."""
    parts = [_HEAD.pack(SAMPLE, len(sample))]
    for node, figures in sample.items():
        parts += _name(node, len(figures))
        flat: list[float] = []
        for code, value in figures.items():
            flat += (code, value)
        parts.append(_sample_of(len(figures)).pack(*flat))
    return b"".join(parts)


def pack(summaries: Summaries) -> bytes:
    """What many reports counted together."""
    parts = [_HEAD.pack(SUMMARY, len(summaries))]
    for node, figures in summaries.items():
        parts += _name(node, len(figures))
        for code, item in figures.items():
            count = min(item.number, _COUNT_MAX)
            if item.least == item.most:
                parts.append(_FLAT.pack(code, count, item.mean))
            else:
                parts.append(_SPREAD.pack(code | _VARIED, count, item.mean, item.least, item.most))
    return b"".join(parts)


def unpack(data: bytes) -> dict[str, dict[int, Summary]]:
    """Either of them; nothing of what a later version wrote."""
    try:
        return dict(_parts(data))
    except (struct.error, UnicodeDecodeError):
        return {}


def _parts(data: bytes) -> Iterator[tuple[str, dict[int, Summary]]]:
    version, number = _HEAD.unpack_from(data)
    if version not in (SAMPLE, SUMMARY):
        return
    at = _HEAD.size
    for _ in range(number):
        length = data[at] if at < len(data) else _short()
        name = data[at + 1 : at + 1 + length].decode()
        at += 1 + length
        figures = data[at] if at < len(data) else _short()
        at += 1
        found: dict[int, Summary] = {}
        for _ in range(figures):
            code, summary, at = _figure(data, at, version)
            found[code] = summary
        yield name, found


def _figure(data: bytes, at: int, version: int) -> tuple[int, Summary, int]:
    if version == SAMPLE:
        code, value = _ONE.unpack_from(data, at)
        return code, Summary.of(value), at + _ONE.size
    if at < len(data) and data[at] & _VARIED:
        code, count, mean, least, most = _SPREAD.unpack_from(data, at)
        return code & ~_VARIED, Summary(count, mean, least, most), at + _SPREAD.size
    code, count, value = _FLAT.unpack_from(data, at)
    return code, Summary(count, value, value, value), at + _FLAT.size


def _name(node: str, figures: int) -> tuple[bytes, bytes, bytes]:
    name = node.encode()[:_NAME_BYTES_MAX].decode(errors="ignore").encode()
    return bytes((len(name),)), name, bytes((figures,))


@lru_cache(maxsize=128)
def _sample_of(figures: int) -> struct.Struct:
    return struct.Struct("<" + "Bf" * figures)


def _short() -> int:
    raise struct.error("too short")
