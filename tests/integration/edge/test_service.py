"""The configuration of an edge service, through its interface, with the simulator as the device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S
from rookery.edge.errors import EdgeError
from rookery.edge.model import Attribute, NodeControl, NodeState, Tag, TagType, Write
from rookery.edge.service import EdgeService

RW = Attribute.READ | Attribute.WRITE


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[EdgeService]:
    made = EdgeService(tmp_path / "edge")
    await made.open()
    yield made
    await made.close()


def number(name: str, address: str = "counter", **more: Any) -> Tag:
    return Tag(name=name, type=TagType.INT32, address=address, **more)


async def machine(service: EdgeService, *tags: Tag, interval_ms: int = 100) -> None:
    await service.nodes.add("machine", "Simulator", {})
    await service.groups.add("machine", "fast", interval_ms)
    if tags:
        await service.tags.add("machine", "fast", tags)


async def first_values(service: EdgeService, group: str = "fast") -> dict[str, Any]:
    async with asyncio.timeout(DEADLINE_S), service.values.follow("machine", group) as reports:
        async for report in reports:
            if report.values:
                return dict(report.values)
    raise AssertionError


async def refused(work: Any) -> EdgeError:
    with pytest.raises(EdgeError) as caught:
        await work
    return caught.value


async def test_values_of_a_device_are_read_and_written(service: EdgeService) -> None:
    memory = number("speed", "memory", attribute=RW, decimal=0.1, bias=5)
    fixed = Tag(name="plant", type=TagType.STRING, attribute=Attribute.STATIC, value="north hall")
    await machine(service, number("count"), memory, fixed)

    found = await first_values(service)
    await service.values.write("machine", "fast", "speed", 12.5)
    now = {one.name: one.value for one in await service.values.read_now("machine", "fast")}

    assert found["count"] >= 1
    assert found["speed"] == 5.0
    assert found["plant"] == "north hall"
    assert now["speed"] == 12.5
    assert service.nodes.status("machine").state is NodeState.RUNNING


async def test_everything_is_there_after_a_restart(service: EdgeService) -> None:
    await machine(service, number("count", description="parts", unit="pcs", precision=2))
    await service.groups.update("machine", "fast", new_name="quick", interval_ms=250)
    await service.nodes.rename("machine", "press")
    await service.nodes.add("later", "Simulator")
    await service.nodes.control("press", NodeControl.STOP)
    before = service.snapshot()
    await service.close()

    again = EdgeService(service.data_dir)
    await again.open()
    after = again.snapshot()
    states = [one.state for one in again.nodes.statuses()]
    await again.close()

    assert after == before
    assert states == [NodeState.STOPPED, NodeState.INIT]


async def test_tags_go_in_up_to_the_first_wrong_one(service: EdgeService) -> None:
    await machine(service)

    error = await refused(
        service.tags.add("machine", "fast", [number("a"), number("b", "nowhere"), number("c")])
    )

    assert (error.number, error.index) == (2205, 1)
    assert "nowhere" in error.text("zh")
    assert [tag.name for tag in service.tags.list("machine", "fast")] == ["a"]


async def test_groups_with_tags_go_in_whole_or_not_at_all(service: EdgeService) -> None:
    await machine(service)

    error = await refused(
        service.tags.add_groups(
            "machine", [("one", 500, [number("a")]), ("two", 50, [number("b")])]
        )
    )

    assert (error.number, error.index) == (2105, 1)
    assert [group.name for group in service.groups.list("machine")] == ["fast"]


@pytest.mark.parametrize(
    ("work", "wanted"),
    [
        (lambda s: s.nodes.add("machine", "Simulator"), 2002),
        (lambda s: s.nodes.add("a/b", "Simulator"), 1003),
        (lambda s: s.nodes.add("", "Simulator"), 2015),
        (lambda s: s.nodes.add("x" * 129, "Simulator"), 2010),
        (lambda s: s.nodes.add("other", "Nothing"), 2301),
        (lambda s: s.nodes.add("other", "Simulator", {"latency": "soon"}), 2004),
        (lambda s: s.nodes.add("other", "Simulator", {"speed": 1}), 2004),
        (lambda s: s.nodes.delete("other"), 2003),
        (lambda s: s.nodes.control("machine", NodeControl.START), 2007),
        (lambda s: s.groups.add("machine", "fast", 1000), 2104),
        (lambda s: s.groups.add("machine", "slow", 99), 2105),
        (lambda s: s.groups.delete("machine", "slow"), 2106),
        (lambda s: s.tags.delete("machine", "fast", ["none"]), 2201),
        (lambda s: s.tags.add("machine", "fast", [number("count")]), 2202),
        (lambda s: s.subscriptions.add("machine", "machine", "fast"), 2012),
        (lambda s: s.values.write("machine", "fast", "count", 1), 3004),
        (lambda s: s.nodes.browse("machine"), 3016),
    ],
)
async def test_what_is_wrong_is_told_by_number_in_both_languages(
    service: EdgeService, work: Any, wanted: int
) -> None:
    await machine(service, number("count"))

    error = await refused(work(service))

    assert error.number == wanted
    assert error.text("en") != error.text("zh")


async def test_values_that_a_type_cannot_hold_are_not_written(service: EdgeService) -> None:
    await machine(service, number("speed", "memory", attribute=RW))
    await first_values(service)

    done = await service.values.write_all(
        "machine",
        [Write("fast", "speed", 1 << 31), Write("fast", "speed", 7), Write("fast", "none", 1)],
    )

    assert [one.error for one in done] == [3007, 0, 2201]
    now = await service.values.read_now("machine", "fast")
    assert [one.value for one in now] == [7]


async def test_tags_that_are_told_on_change_are_told_then(service: EdgeService) -> None:
    told = number("state", "memory", attribute=RW | Attribute.SUBSCRIBE)
    await machine(service, told, number("count"))
    await first_values(service)
    cycle = service._core.engine.runners["machine"].cycles["fast"]
    cycle.tell_all()

    first, second = cycle.report(), cycle.report()
    await service.values.write("machine", "fast", "state", 3)
    async with asyncio.timeout(DEADLINE_S), service.values.follow("machine", "fast") as reports:
        async for report in reports:
            if report.values["state"] == 3:
                break

    assert first is not None
    assert set(first.values) == {"state", "count"}
    assert second is not None
    assert set(second.values) == {"count"}


async def test_a_change_ends_well_when_who_asked_goes_away(service: EdgeService) -> None:
    await machine(service)

    asked = asyncio.create_task(service.nodes.add("other", "Simulator", {}))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await service.groups.add("machine", "slow", 1000)

    assert [node.name for node in service.nodes.list()] == ["machine", "other"]
    assert service.nodes.status("other").state is NodeState.RUNNING


async def test_a_slow_device_slows_no_other(service: EdgeService) -> None:
    await service.nodes.add("slow", "Simulator", {"latency": 60_000})
    await service.groups.add("slow", "all", 100)
    await service.tags.add("slow", "all", [number("count")])
    await machine(service, number("count"))

    assert (await first_values(service))["count"] >= 1
    assert [one.error for one in service.values.read("slow", "all")] == [3011]
    assert (await refused(service.values.write("slow", "all", "count", 1))).number == 3004


async def test_another_configuration_comes_whole_or_not_at_all(service: EdgeService) -> None:
    await machine(service, number("count"))
    kept = service.snapshot()
    await service.nodes.delete("machine")
    await service.nodes.add("other", "Simulator", {"latency": 1})

    await service.replace(kept)
    restored = service.snapshot()
    bad = kept.groups["machine"][0].with_tags({"x": number("x", "nowhere")})
    wrong = type(kept)(nodes=kept.nodes, groups={"machine": (bad,)}, subscriptions=())
    error = await refused(service.replace(wrong))

    assert restored == kept
    assert error.number == 2205
    assert service.snapshot() == kept
