"""Values of tags: read, written, followed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from rookery.edge.checks import check_tag
from rookery.edge.core import Core
from rookery.edge.drivers.base import DeviceError
from rookery.edge.engine.engine import following
from rookery.edge.engine.runner import Runner
from rookery.edge.engine.writing import read, tag_value, to_write, write
from rookery.edge.errors import (
    KINDS,
    NOT_ALLOW_READ,
    NOT_READY,
    NOT_RUNNING,
    VALUE_EXPIRED,
    EdgeError,
)
from rookery.edge.model import Group, NodeKind, NodeStatus, Report, Tag, TagValue, Write, Written
from rookery.edge.tags import tag_check

WRITES_MAX = 1000
EXPIRY_CYCLES = 3
EXPIRY_MS_MIN = 15_000


class Values:
    """Part of :class:`rookery.edge.service.EdgeService`; also what applications ask."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # -- read ----------------------------------------------------------------------------

    def read(
        self,
        node: str,
        group: str,
        *,
        names: Collection[str] | None = None,
        search: str = "",
        errors_only: bool = False,
    ) -> tuple[TagValue, ...]:
        """What was read last, in the order of the tags; write-only tags have nothing to read.

        Raises:
            EdgeError: there is no such group.
        """
        found = self._core.state.group(node, group)
        values, errors, at_ms, else_error = self._known(node, found)
        text = search.lower()
        made = []
        for name, tag in found.tags.items():
            if (names is not None and name not in names) or text not in name.lower():
                continue
            if not (tag.is_read or tag.is_static):
                continue
            value = tag.value if tag.is_static else values.get(name)
            error = 0
            if value is None or (else_error and not tag.is_static):
                value, error = None, errors.get(name, else_error or NOT_READY.number)
            if not errors_only or error:
                made.append(TagValue(name, value, error, at_ms))
        return tuple(made)

    def _known(
        self, node: str, group: Group
    ) -> tuple[Mapping[str, Any], Mapping[str, int], int, int]:
        """Values, errors, when, and the error of whatever is in neither."""
        runner = self._core.engine.runners.get(node)
        if runner is None:
            return {}, {}, 0, NOT_RUNNING.number
        cycle = runner.cycles.get(group.name)
        if cycle is None:
            return {}, {}, 0, NOT_READY.number
        age_ms = self._core.clock.now_ms() - cycle.read_at_ms
        is_old = age_ms > max(EXPIRY_MS_MIN, EXPIRY_CYCLES * group.interval_ms)
        error = VALUE_EXPIRED.number if cycle.read_at_ms and is_old else 0
        return cycle.values, cycle.errors, cycle.read_at_ms, error

    async def read_now(self, node: str, group: str) -> tuple[TagValue, ...]:
        """What the device answers now.

        Raises:
            EdgeError: there is no such group, the driver does not run or is not connected.
        """
        found = self._core.state.group(node, group)
        tags = [tag for tag in found.tags.values() if tag.is_read]
        runner = self._runner(node)
        try:
            reading = await runner.ask(lambda driver: read(driver, tags))
        except DeviceError as error:
            raise _device(error) from error
        now_ms = self._core.clock.now_ms()
        return tuple(
            TagValue(tag.name, tag.value, 0, now_ms)
            if tag.is_static
            else tag_value(tag, reading, now_ms)
            for tag in found.tags.values()
            if tag.is_read or tag.is_static
        )

    async def test(self, node: str, group: str | None, tag: Tag) -> TagValue:
        """Read a tag that need not be there.

        Raises:
            EdgeError: it cannot be one, the driver does not run or is not connected.
        """
        state = self._core.state
        driver = state.driver(node)
        if group is not None:
            state.group(node, group)
        check_tag(tag)
        tag = tag_check(self._core, plugin=driver.plugin)(tag)
        if not tag.is_read:
            raise EdgeError(NOT_ALLOW_READ, name=tag.name)
        runner = self._runner(node)
        try:
            reading = await runner.ask(lambda driver: read(driver, (tag,)))
        except DeviceError as error:
            raise _device(error) from error
        return tag_value(tag, reading, self._core.clock.now_ms())

    @contextlib.asynccontextmanager
    async def follow(self, node: str, group: str) -> AsyncIterator[AsyncIterator[Report]]:
        """Everything that is read of a group, as it is read; who is slow gets the newest.

        Raises:
            EdgeError: there is no such group.
        """
        self._core.state.group(node, group)
        runner = self._core.engine.runners.get(node)
        cycle = runner.cycles.get(group) if runner is not None else None
        first = cycle.full_report() if cycle is not None and cycle.read_at_ms else None
        reports = following(self._core.engine, node, group, first)
        async with contextlib.aclosing(reports) as followed:
            yield followed

    # -- write ---------------------------------------------------------------------------

    async def write(self, node: str, group: str, tag: str, value: Any) -> None:
        """Write one value and read it back.

        Raises:
            EdgeError: it is not there, not writable, cannot hold it, or the device did not take it.
        """
        found = self._core.state.tag(node, group, tag)
        raw = to_write(found, value)
        runner = self._runner(node)
        try:
            await runner.ask(lambda driver: write(driver, found, raw))
        except DeviceError as error:
            raise _device(error) from error

    async def write_all(self, node: str, writes: Sequence[Write]) -> tuple[Written, ...]:
        """Write values one after the other; what is wrong with one keeps no other from being written.

        Raises:
            EdgeError: there is no such driver, or it does not run.
        """
        self._core.state.driver(node)
        runner = self._runner(node)
        done = []
        for one in writes[:WRITES_MAX]:
            try:
                tag = self._core.state.tag(node, one.group, one.tag)
                raw = to_write(tag, one.value)
                await runner.ask(partial(write, tag=tag, value=raw))
                done.append(Written(one.group, one.tag))
            except EdgeError as error:
                done.append(Written(one.group, one.tag, error.number, error.words))
            except DeviceError as error:
                done.append(Written(one.group, one.tag, error.number, error.words))
        return tuple(done)

    def _runner(self, node: str) -> Runner:
        self._core.state.driver(node)
        runner = self._core.engine.runners.get(node)
        if runner is None:
            raise EdgeError(NOT_RUNNING, name=node)
        return runner

    # -- for applications ------------------------------------------------------------------

    def tags(self, node: str, group: str) -> Mapping[str, Tag]:
        return self._core.state.group(node, group).tags

    def statuses(self) -> tuple[NodeStatus, ...]:
        state, engine = self._core.state, self._core.engine
        drivers = (node for node in state.nodes.values() if node.kind is NodeKind.DRIVER)
        return tuple(engine.status(node) for node in drivers)


def _device(error: DeviceError) -> EdgeError:
    """What the device failed at, for who asked."""
    kind = KINDS[error.number]
    return EdgeError(kind, reason=error.words)
