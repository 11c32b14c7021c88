"""Writes to a device, each read back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from rookery.edge.conversion import device_value, is_same
from rookery.edge.drivers.base import DeviceError, Driver, LinkLost, Reading
from rookery.edge.engine.cycle import one_tag
from rookery.edge.errors import NOT_ALLOW_WRITE, WRITE_FAILURE, EdgeError
from rookery.edge.model import Tag, TagValue, Value
from rookery.words import Words

READ_BACK_WAITS_S = (0.0, 0.05, 0.15, 0.4)
"""A controller may take a cycle of its own until what was written can be read."""

_OTHER = Words(
    "it was written, and the device has {value} all the same", "已写入，但设备中的值仍为 {value}"
)


def to_write(tag: Tag, value: Any) -> Value:
    """The device's value for what somebody sent.

    Raises:
        EdgeError: the tag is not written, or its type cannot hold it.
    """
    if not tag.is_writable:
        raise EdgeError(NOT_ALLOW_WRITE, name=tag.name)
    return device_value(tag, value)


async def write(driver: Driver[Any], tag: Tag, value: Value) -> None:
    """Write one value, and see that it is there where the tag can be read.

    Raises:
        LinkLost: there is no connection any more.
        EdgeError: the device did not take it, or has something else.
    """
    try:
        await driver.write(tag, value)
        if not tag.is_read:
            return
        plan = driver.plan((tag,))
        found: object = None
        for wait_s in READ_BACK_WAITS_S:
            if wait_s:
                await asyncio.sleep(wait_s)
            found = (await driver.read(plan)).values.get(tag.name)
            if found is None or is_same(tag, value, found):
                # One that cannot be read now was written all the same.
                return
    except LinkLost:
        raise
    except DeviceError as error:
        raise EdgeError(WRITE_FAILURE, reason=error.words) from error
    raise EdgeError(WRITE_FAILURE, reason=_OTHER.format(value=found))


async def read(driver: Driver[Any], tags: Sequence[Tag]) -> Reading:
    """Read tags by themselves, whatever group they are in."""
    return await driver.read(driver.plan(tags))


def tag_value(tag: Tag, reading: Reading, now_ms: int) -> TagValue:
    """What came of a tag that was read by itself."""
    error = reading.errors.get(tag.name, 0)
    return TagValue(tag.name, None if error else one_tag(tag, reading), error, now_ms)
