"""What rules have for an action comes out of its buffer as it went in."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

import rookery
from harness.client import DEADLINE_S
from rookery.errors import BadRequestError, ConfigError, UnavailableError
from rookery.native.actions import (
    UNDEFINED,
    ActionBuffer,
    ActionField,
    BufferSpec,
    JsonText,
    render,
)

ROW = ActionField("row")
NAME = ActionField("value", "${n}")


def offer(buffer: ActionBuffer, *names: int, key: int = 0) -> None:
    rows = [json.dumps({"n": name}) for name in names]
    assert buffer.offer_rows(rows, [NAME], rule="r1", key=key) == len(names)


async def test_fields_keep_their_kind() -> None:
    fields = [
        ActionField("text", "t/${a.b}"),
        *(ActionField("value", f"${{{name}}}") for name in ("i", "f", "s", "yes", "z", "no", "a")),
        ROW,
    ]
    row = '{"i":7,"f":1.5,"s":"ü","yes":true,"z":null,"a":{"b":[1]}}'
    async with rookery.Broker() as broker:
        buffer = broker.actions.open("http:a", BufferSpec())
        assert buffer.offer_rows([row], fields, rule="r1", key=9) == 1

        (item,) = buffer.take(10)

    assert (item.rule, item.key) == ("r1", 9)
    assert item.fields[:-2] == ("t/[1]", 7, 1.5, "ü", True, None, UNDEFINED)
    assert isinstance(item.fields[-2], JsonText)
    assert item.fields[-2].value() == {"b": [1]}
    assert item.fields[-1] == row


async def test_a_task_is_woken_when_there_is_something_and_clients_keep_their_order() -> None:
    async with rookery.Broker() as broker:
        buffer = broker.actions.open("http:a", BufferSpec())
        assert buffer.take(10) == []
        waiting = asyncio.create_task(buffer.wait())
        await asyncio.sleep(0)
        offer(buffer, 1, 2, key=7)
        offer(buffer, 3, key=8)
        await asyncio.wait_for(waiting, DEADLINE_S)

        (first,) = buffer.take(1)
        assert [item.fields for item in buffer.take(10)] == [(3,)]
        waiting = asyncio.create_task(buffer.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        buffer.settle([first.number], "success")
        await asyncio.wait_for(waiting, DEADLINE_S)
        second = buffer.take(10)
        assert [item.fields for item in second] == [(2,)]
        buffer.give_back(item.number for item in second)
        assert [item.fields for item in buffer.take(10)] == [(2,)]

        counters = buffer.counters()
        assert (counters.matched, counters.success, counters.inflight) == (3, 1, 2)


async def test_what_does_not_fit_in_memory_goes_to_disk_and_comes_back(tmp_path: Path) -> None:
    spec = BufferSpec(
        mode="volatile_offload", max_buffer_bytes=10_000, spill_dir=str(tmp_path / "http:a")
    )
    came: list[object] = []
    async with rookery.Broker() as broker:
        buffer = broker.actions.open("http:a", spec)
        offer(buffer, *range(2000), key=7)
        while len(came) < 2000:
            await asyncio.wait_for(buffer.wait(), DEADLINE_S)
            items = buffer.take(50)
            came += [item.fields[0] for item in items]
            buffer.settle((item.number for item in items), "success")
        counters = buffer.counters()
        buffer.close()

    assert came == list(range(2000))
    assert (counters.success, counters.queuing, counters.dropped) == (2000, 0, 0)
    assert not (tmp_path / "http:a").exists()


async def test_new_limits_keep_the_items_and_one_owner() -> None:
    async with rookery.Broker() as broker:
        earlier = broker.actions.open("http:a", BufferSpec())
        offer(earlier, 1)
        waiting = asyncio.create_task(earlier.wait())
        later = broker.actions.open("http:a", BufferSpec(max_buffer_bytes=1000))
        with pytest.raises(UnavailableError):
            await waiting
        earlier.close()
        assert [item.fields for item in later.take(10)] == [(1,)]
        later.close()
        with pytest.raises(UnavailableError):
            await later.wait()


async def test_what_cannot_be_done_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    bad = BufferSpec(mode="volatile_offload", spill_dir=str(tmp_path / "file"))
    async with rookery.Broker() as broker:
        with pytest.raises(ConfigError, match="max_buffer_bytes"):
            broker.actions.open("http:a", BufferSpec(max_buffer_bytes=0))
        with pytest.raises(ConfigError, match="spill_dir"):
            broker.actions.open("http:a", BufferSpec(mode="volatile_offload"))
        with pytest.raises(rookery.RookeryError, match="directory"):
            broker.actions.open("http:a", bad)
        buffer = broker.actions.open("http:a", BufferSpec())
        with pytest.raises(BadRequestError, match="placeholder"):
            buffer.offer_rows(["{}"], [ActionField("text", "${")], rule="r1")
        buffer.pause(True)
        offer(buffer, 1)
        assert buffer.counters().dropped_resource_stopped == 1


def test_a_template_is_rendered_as_a_rule_would() -> None:
    assert render("t/${a}/${b[1]}", '{"a":"x","b":[1]}') == "t/x/1"
    with pytest.raises(BadRequestError):
        render("${", "{}")
    with pytest.raises(BadRequestError):
        render("t", "[]")
