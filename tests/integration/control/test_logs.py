"""Logs of a cluster: sent by an agent over the relay, found, followed, exported."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.adoption import Project, project
from harness.agents import PlayedAgent, register
from harness.control import World, control_world
from harness.logs import batch, following, logs, path_of
from rookery.contracts.agent_logs import LogEntry
from rookery.contracts.agent_v1 import Channel, LogAck, LogBatch

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECEIVER = "/configuration/log-receiver"
BUILTIN = {
    "isEnabled": True,
    "level": "debug",
    "retentionDays": 7,
    "retentionBytes": 1 << 30,
    "store": "builtin",
}


class Plant(NamedTuple):
    world: World
    of: Project
    cluster: str
    agent: PlayedAgent

    @property
    def now_ms(self) -> int:
        return self.world.control.clock.now_ms()

    def entry(self, position: int, raw: str, severity: int = 6) -> LogEntry:
        return LogEntry(position, self.now_ms, severity, "", raw, raw)

    async def send(self, sent: LogBatch) -> LogAck:
        """What control says to it."""

        def say() -> LogAck:
            self.agent.say(Channel.LOG, sent)
            return self.agent.hear(LogAck)

        return await asyncio.to_thread(say)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with control_world(tmp_path_factory.mktemp("control")) as made:
        await made.set_up()
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def plant(world: World, request: pytest.FixtureRequest) -> AsyncIterator[Plant]:
    """A project of its own with a cluster whose agent is connected."""
    of = await project(world, await world.sign_in(), request.node.name[:60])
    entry = await of.ask("POST", "", {"name": "plant-1"})
    token = await of.ask("POST", f"/{entry['id']}/registration-token", {})
    with PlayedAgent(world, await register(world, token["token"])) as agent:
        await asyncio.to_thread(agent.come)
        await asyncio.to_thread(agent.subscribe, agent.topic(Channel.LOG_ACK))
        yield Plant(world, of, entry["id"], agent)


async def test_what_an_agent_sends_is_found_once(plant: Plant) -> None:
    sent = batch(1, plant.entry(0, "a warning 连接异常", 4), plant.entry(40, "something"))
    assert await plant.send(sent) == LogAck("boot-1")
    # The answer may be lost: then it is sent again.
    assert await plant.send(batch(2, *[plant.entry(40, "something")])) == LogAck("boot-2")
    rows = await logs(plant.of)
    assert [row["raw"] for row in rows] == ["something", "a warning 连接异常"]
    assert {key: rows[1][key] for key in ("level", "clusterId", "clusterName", "node", "file")} == {
        "level": "warning",
        "clusterId": plant.cluster,
        "clusterName": "plant-1",
        "node": "emqx@127.0.0.1",
        "file": "emqx.log",
    }
    assert [row["raw"] for row in await logs(plant.of, text="异常")] == ["a warning 连接异常"]
    assert [row["level"] for row in await logs(plant.of, level="warning")] == ["warning"]
    assert await logs(plant.of, cluster="0123456789abcdef") == []


async def test_nobody_else_finds_it(plant: Plant) -> None:
    await plant.send(batch(1, plant.entry(0, "mine")))
    other = await project(plant.world, plant.of.token, "other")
    assert await logs(other) == []
    assert await logs(other, cluster=plant.cluster) == []
    sources = await other.asker.ask("GET", path_of(other, "/sources"), token=other.token)
    assert (sources.json["clusters"], sources.json["keptBytes"]) == ([], 0)
    # Logs go with their cluster.
    target = {"orgId": other.org, "projectId": other.id}
    await plant.of.ask("POST", f"/{plant.cluster}/transfer", target)
    assert await logs(plant.of) == []
    assert [row["raw"] for row in await logs(other)] == ["mine"]


async def test_it_is_told_as_it_comes(plant: Plant) -> None:
    async with following(plant.of, level="error", text="BOOM") as told:
        await plant.send(
            batch(
                1, plant.entry(0, "boom?", 6), plant.entry(9, "no", 3), plant.entry(19, "boom!", 3)
            )
        )
        row = await told.until("record", lambda _: True)
        assert (row["raw"], row["level"], row["clusterName"]) == ("boom!", "error", "plant-1")


async def test_parts_counts_sources_and_files_of_them(plant: Plant) -> None:
    texts = [f"line {number}" for number in range(7)]
    await plant.send(batch(1, *(plant.entry(n * 10, text) for n, text in enumerate(texts))))
    await plant.send(batch(2, plant.entry(0, "=1+1", 3), stream="s2", file="other.log"))
    first = await plant.world.ask("GET", path_of(plant.of, size=5), token=plant.of.token)
    cursor = first.json["nextCursor"]
    rest = await logs(plant.of, after=cursor)
    assert len(first.json["items"]) + len(rest) == 8
    assert await problem(plant, path_of(plant.of, after="nonsense")) == (400, "BAD_REQUEST")

    found = await plant.world.ask("GET", path_of(plant.of, "/histogram"), token=plant.of.token)
    counts: dict[str, int] = {}
    for part in found.json["parts"]:
        for level, count in part["counts"].items():
            counts[level] = counts.get(level, 0) + count
    assert (found.json["widthMs"], counts) == (60_000, {"info": 7, "error": 1})

    sources = await plant.world.ask("GET", path_of(plant.of, "/sources"), token=plant.of.token)
    (cluster,) = sources.json["clusters"]
    assert [one["file"] for one in cluster["sources"]] == ["emqx.log", "other.log"]

    export = path_of(plant.of, "/export", order="asc")
    answer = await plant.world.ask("GET", export, token=plant.of.token)
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["raw"] for row in rows] == [*texts, "'=1+1"]
    text = path_of(plant.of, "/export", order="asc", format="text")
    answer = await plant.world.ask("GET", text, token=plant.of.token)
    assert answer.text.splitlines() == [*texts, "=1+1"]


async def problem(plant: Plant, path: str) -> tuple[int, str]:
    return (await plant.world.ask("GET", path, token=plant.of.token)).problem


async def change(plant: Plant, **more: Any) -> None:
    answer = await plant.world.ask("PUT", RECEIVER, {**BUILTIN, **more}, token=plant.of.token)
    assert answer.status == 204, answer.text


async def test_what_is_switched_off_waits_at_the_agent(plant: Plant) -> None:
    await change(plant, isEnabled=False)
    ack = await plant.send(batch(1, plant.entry(0, "later")))
    assert (ack.is_kept, ack.window, ack.error) == (False, 1, "switched off")
    assert ack.retry_ms > 0
    await change(plant, level="warning")
    assert (await plant.send(batch(1, plant.entry(0, "later")))).is_kept
    await plant.send(batch(2, plant.entry(9, "severe", 4)))
    assert [row["raw"] for row in await logs(plant.of)] == ["severe"]
    await change(plant)


async def test_what_cannot_be_read_does_not_come_again(plant: Plant) -> None:
    broken = LogBatch("boot-1", "s1", "emqx.log", body=b"nothing")
    assert (await plant.send(broken)).is_kept
    assert await logs(plant.of) == []


@pytest.mark.parametrize("url", ["http://[", "http://[x]:9200", "https://search:99999"])
async def test_what_is_no_address_is_refused(plant: Plant, url: str) -> None:
    answer = await plant.world.ask("POST", f"{RECEIVER}/test", {"url": url}, token=plant.of.token)
    assert answer.problem == (400, "BAD_REQUEST")


@pytest.mark.parametrize("ca", ["nonsense", "证书"])
async def test_what_is_no_certificate_is_told(plant: Plant, ca: str) -> None:
    given = {"url": "https://127.0.0.1:1", "ca": ca}
    answer = await plant.world.ask("POST", f"{RECEIVER}/test", given, token=plant.of.token)
    assert answer.problem == (400, "TEST_FAILED"), answer.text


async def test_a_password_is_kept_for_the_place_that_it_was_typed_for(plant: Plant) -> None:
    server = {"url": "http://127.0.0.1:1", "username": "u", "password": "the secret"}
    await change(plant, elasticsearch=server)
    shown = await plant.world.ask("GET", RECEIVER, token=plant.of.token)
    assert "the secret" not in shown.text
    assert shown.json["elasticsearch"]["hasPassword"] is True
    elsewhere = {"url": "http://127.0.0.1:2", "username": "u"}
    answer = await plant.world.ask(
        "PUT", RECEIVER, {**BUILTIN, "elasticsearch": elsewhere}, token=plant.of.token
    )
    assert answer.problem == (400, "BAD_REQUEST")
    answer = await plant.world.ask(
        "POST", f"{RECEIVER}/test", {"url": "http://127.0.0.1:1", "username": "u"},
        token=plant.of.token,
    )  # fmt: skip
    assert answer.problem == (400, "TEST_FAILED")
    assert "refused" in answer.json["message"]
    audit = await plant.world.ask("GET", "/audit?resource=settings", token=plant.of.token)
    assert "the secret" not in audit.text
