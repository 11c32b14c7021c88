"""What can be done about links. The core is a fake that keeps what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.link_bench import NODE, Bench, bench_of
from rookery.config.problems import InvalidConfigError
from rookery.errors import BadRequestError, ConflictError, InvalidValueError, NotFoundError

WEST: dict[str, Any] = {"name": "west", "server": "10.0.0.9", "topics": ["t/#"]}
SECRET = {**WEST, "username": "u", "password": "swordfish"}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = await bench_of(tmp_path)
    yield made
    await made.part.close()


def running(bench: Bench) -> list[str]:
    return [link.name for link in bench.core.links]


async def test_a_node_without_links_tells_the_core_nothing(bench: Bench) -> None:
    assert await bench.service.all() == []
    assert await bench.service.families() == []
    assert bench.core.applied == 0


async def test_a_link_that_is_made_runs_and_is_shown_with_its_defaults(bench: Bench) -> None:
    row = await bench.service.create(SECRET)
    assert running(bench) == ["west"]
    assert bench.core.links[0].password == b"swordfish"
    assert row["password"] == "******"
    assert row["status"] == "connected"
    assert (
        row["node_status"][0] | {"node": NODE, "routes": 4, "server": "w:1"}
        == row["node_status"][0]
    )
    assert row["resource_opts"]["worker_pool_size"] == 16
    assert row["resource_opts"]["request_ttl"] == "45s"
    assert (row["pool_size"], row["retry_interval"], row["max_inflight"]) == (8, "15s", 32)


async def test_what_was_read_can_be_sent_back(bench: Bench) -> None:
    row = await bench.service.create(SECRET)
    again = await bench.service.update("west", {**row, "pool_size": 2})
    assert again["pool_size"] == 2
    assert bench.core.links[0].password == b"swordfish"
    assert not bench.settings.config.warnings
    await bench.service.replace([again])
    assert bench.core.links[0].password == b"swordfish"


async def test_a_secret_goes_only_where_it_was_written_for(bench: Bench) -> None:
    row = await bench.service.create(SECRET)
    with pytest.raises(InvalidConfigError, match="write the secret again"):
        await bench.service.update("west", {**row, "server": "10.0.0.66"})
    with pytest.raises(InvalidConfigError, match="write the secret again"):
        await bench.service.probe({**row, "server": "10.0.0.66"})
    assert bench.core.links[0].servers == [("10.0.0.9", 1883)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"topics": ["t", "t"]}, {"reason": "redundant_topics", "topics": ["t"]}),
        ({"topics": ["a/#/b"]}, {"reason": "invalid_topics", "topics": ["a/#/b"]}),
        (
            {"topics": ["$LINK/cluster/x"]},
            {"reason": "topic_not_allowed", "topics": ["$LINK/cluster/x"]},
        ),
        ({"server": "kafka://a"}, {"reason": "unsupported_scheme", "scheme": "kafka"}),
    ],
)
async def test_what_breaks_a_rule_is_told_with_its_word(
    bench: Bench, body: dict[str, Any], reason: dict[str, Any]
) -> None:
    with pytest.raises(InvalidValueError) as refused:
        await bench.service.create({**WEST, **body})
    assert refused.value.reason == reason
    assert refused.value.text("zh") != refused.value.text("en")
    assert running(bench) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "Name cannot be empty string"),
        ("n" * 255, "Name length must be less than 255"),
        ("a b", "Invalid name format"),
        ("east", "east is this cluster itself"),
        (None, "name: missing"),
    ],
)
async def test_a_name_that_cannot_be_is_refused(bench: Bench, name: str | None, told: str) -> None:
    with pytest.raises(BadRequestError, match=told) as refused:
        await bench.service.create({**WEST, "name": name})
    assert refused.value.code == "BAD_REQUEST"


async def test_a_link_is_there_once(bench: Bench) -> None:
    await bench.service.create(WEST)
    with pytest.raises(BadRequestError, match="Cluster link already exists") as refused:
        await bench.service.create(WEST)
    assert refused.value.code == "ALREADY_EXISTS"
    with pytest.raises(InvalidValueError) as doubled:
        await bench.service.replace([WEST, WEST])
    assert doubled.value.reason == {"reason": "duplicated_cluster_links", "names": ["west"]}
    with pytest.raises(BadRequestError, match="a link keeps its name"):
        await bench.service.update("west", {**WEST, "name": "south"})


async def test_what_is_not_there_is_not_found(bench: Bench) -> None:
    for asked in (
        bench.service.get("west"),
        bench.service.update("west", {}),
        bench.service.delete("west"),
        bench.service.metrics("west"),
        bench.service.reset("west"),
    ):
        with pytest.raises(NotFoundError, match="Cluster link not found"):
            await asked


async def test_of_several_who_delete_a_link_one_does(bench: Bench) -> None:
    await bench.service.create(WEST)
    done = await asyncio.gather(
        *(bench.service.delete("west") for _ in range(5)), return_exceptions=True
    )
    assert sorted(type(item).__name__ for item in done) == ["NoneType"] + ["NotFoundError"] * 4
    assert running(bench) == []


async def test_one_of_the_list_or_all_of_it_is_put(bench: Bench) -> None:
    south = {**WEST, "name": "south"}
    await bench.service.put(WEST)
    await bench.service.put(south)
    assert running(bench) == ["west", "south"]
    await bench.service.put({**WEST, "pool_size": 3})
    assert [link.pool_size for link in bench.core.links] == [3, 8]
    rows = await bench.service.replace([south])
    assert [row["name"] for row in rows] == running(bench) == ["south"]
    await bench.service.replace([])
    assert (running(bench), bench.core.applied) == ([], 5)


async def test_a_list_that_the_file_has_is_changed_there(tmp_path: Path) -> None:
    bench = await bench_of(tmp_path, 'cluster.links = [{name = west, server = "a", topics = []}]')
    assert running(bench) == ["west"]
    with pytest.raises(ConflictError, match=r"cluster\.links is set by"):
        await bench.service.delete("west")
    assert running(bench) == ["west"]
    await bench.part.close()


async def test_a_missing_key_is_named_as_it_was_sent(bench: Bench) -> None:
    with pytest.raises(InvalidConfigError) as refused:
        await bench.service.create({"name": "west", "topics": []})
    assert (refused.value.code, refused.value.text()) == ("BAD_REQUEST", "server: missing")


async def test_a_file_that_cannot_be_read_refuses_the_change(bench: Bench, tmp_path: Path) -> None:
    tls = {"enable": True, "cacertfile": str(tmp_path / "data" / "ca.pem")}
    with pytest.raises(InvalidConfigError, match=r"^ssl.cacertfile: .*No such file"):
        await bench.service.create({**WEST, "ssl": tls})
    assert (running(bench), await bench.service.all()) == ([], [])


async def test_a_file_that_is_gone_at_the_start_keeps_that_link_down_alone(tmp_path: Path) -> None:
    text = """cluster.links = [
      {name = west, server = "a", topics = [], ssl {enable = true, cacertfile = "gone.pem"}}
      {name = south, server = "b", topics = []}
    ]"""
    bench = await bench_of(tmp_path, text)
    assert running(bench) == ["south"]
    west, south = await bench.service.all()
    assert (west["status"], south["status"]) == ("disconnected", "connected")
    assert "gone.pem: No such file" in west["status_reason"]
    assert west["node_status"][0]["code"] == "file"
    await bench.part.close()


async def test_why_a_link_is_down_is_said_with_what_to_do_there(bench: Bench) -> None:
    bench.core.said["west"] = ("connecting", "unknown_cluster: refused by 10.0.0.9:1883")
    row = await bench.service.create(WEST)
    assert row["status"] == "connecting"
    assert row["status_reason"] == "west has no link to east (refused by 10.0.0.9:1883)"
    assert row["hint"] == "create a link on west with name = east and this cluster as its server"
    assert row["hint_zh"] == "请在 west 上创建 name = east 的连接，server 指向本集群"


async def test_a_link_that_is_disabled_says_what_the_other_side_does(bench: Bench) -> None:
    row = await bench.service.create({**WEST, "enable": False})
    assert (row["status"], row["status_reason"]) == ("disconnected", "disabled here")
    assert "disable it there as well" in row["hint"]
    assert not bench.core.links[0].enable


@pytest.mark.parametrize(
    ("status", "word"),
    [("connected", "running"), ("connecting", "stopped"), ("disconnected", "stopped")],
)
async def test_states_are_told_in_the_words_of_the_document_too(
    bench: Bench, status: str, word: str
) -> None:
    bench.core.said["west"] = (status, None)
    await bench.service.create(WEST)
    row = await bench.service.get("west", "document")
    assert (row["status"], row["node_status"][0]["status"]) == (word, word)
    assert (await bench.service.metrics("west", "document"))["metrics"] == {"routers": 4}


async def test_metrics_are_those_of_emqx_and_begin_anew(bench: Bench) -> None:
    await bench.service.create(WEST)
    found = await bench.service.metrics("west")
    assert found["metrics"]["router"] == {"routes": 4, "sent_routes": 1}
    assert set(found["metrics"]["forwarding"]) >= {
        *("matched", "success", "failed", "dropped", "retried", "queuing", "inflight"),
        *("rate", "rate_last5m", "rate_max"),
    }
    assert found["metrics"]["receiving"] == {"received": 6, "refused": 7}
    assert found["node_metrics"] == [{"node": NODE, "metrics": found["metrics"]}]
    await bench.service.reset("west")
    assert (await bench.service.metrics("west"))["metrics"]["forwarding"]["matched"] == 0


async def test_each_link_has_its_series(bench: Bench) -> None:
    await bench.service.create(WEST)
    families = {family.name: family for family in await bench.service.families()}
    assert families["rookery_cluster_link_connected"].values == (({"link": "west"}, 1),)
    assert families["rookery_cluster_link_routes"].values == (({"link": "west"}, 4),)
    assert families["rookery_cluster_link_matched"].kind == "counter"


async def test_settings_are_tried_without_keeping_them(bench: Bench, tmp_path: Path) -> None:
    await bench.service.probe(WEST)
    bench.core.probe = "bad_credentials: CONNACK 0x86"
    with pytest.raises(BadRequestError, match="west refuses user name and password") as refused:
        await bench.service.probe(WEST)
    assert refused.value.code == "TEST_FAILED"
    assert "请在 west 上创建" in refused.value.text("zh")
    assert running(bench) == []
    with pytest.raises(InvalidConfigError, match="write the password itself"):
        await bench.service.probe({**WEST, "username": "u", "password": "file:///etc/hostname"})


async def test_a_hidden_secret_is_tried_as_it_is_known(bench: Bench) -> None:
    row = await bench.service.create(SECRET)
    await bench.service.probe({**row, "pool_size": 1})
    assert bench.core.probed.password == b"swordfish"


async def test_a_link_that_is_down_has_an_alarm_until_it_is_up(bench: Bench) -> None:
    bench.core.said["west"] = ("disconnected", "refused: 10.0.0.9:1883")
    await bench.service.create(WEST)
    name = f"cluster_link:west:{NODE}"
    async with asyncio.timeout(60):
        while name not in bench.alarmed():
            await asyncio.sleep(0)
    assert bench.alarmed()[name].startswith("cluster link west is disconnected: nobody takes")
    # The core tells when that changes.
    bench.core.said["west"] = ("connected", None)
    bench.part.watch([("links",)])
    async with asyncio.timeout(60):
        while name in bench.alarmed():
            await asyncio.sleep(0)
    bench.core.said["west"] = ("disconnected", "timed_out: 4.5 s")
    bench.part.watch([("links",)])
    async with asyncio.timeout(60):
        while name not in bench.alarmed():
            await asyncio.sleep(0)
    await bench.service.update("west", {**WEST, "enable": False})
    assert name not in bench.alarmed()


async def test_a_link_without_protection_has_an_alarm_until_it_has(bench: Bench) -> None:
    plain = {**WEST, "server": "mqtt.example.com"}
    row = await bench.service.create(plain)
    assert "mqtt.example.com is no address of a private network" in row["warning"]
    assert "cluster_link_plain:west" in bench.alarmed()
    await bench.service.update("west", {**plain, "ssl": {"enable": True}})
    assert bench.alarmed() == {}
    await bench.service.update("west", plain)
    await bench.service.delete("west")
    assert bench.alarmed() == {}
