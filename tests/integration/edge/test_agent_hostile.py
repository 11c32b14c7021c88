"""What somebody with a good credential can do to others and to the control plane: nothing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from harness.agents import PlayedAgent, Registered
from harness.client import DEADLINE_S
from harness.control import World, control_world
from harness.edge_agents import EnrollingClient, enrolled, until
from harness.packets import Disconnect, Publish
from rookery.contracts.agent_edge import EdgeLeaving, EdgeReport, EdgeStanding, Enrol
from rookery.contracts.agent_v1 import Channel, Reply, Reported, Request, topic_name
from rookery.control.edges import enrolment, link
from rookery.control.relay.budget import CONNECTS_BURST

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Place(NamedTuple):
    world: World
    admin: str
    org: str
    project: str

    async def rows(self) -> list[dict[str, Any]]:
        answer = await self.world.ask("GET", "/edgeagents?size=1000", token=self.admin)
        rows: list[dict[str, Any]] = answer.json["items"]
        return rows

    async def row(self, agent_id: str) -> dict[str, Any]:
        return next(row for row in await self.rows() if row["id"] == agent_id)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    async with control_world(tmp_path_factory.mktemp("hostile")) as world:
        admin = await world.set_up()
        org = await world.make(admin, "/orgs", {"name": "Factory East"})
        project = await world.make(admin, f"/orgs/{org}/projects", {"name": "Plant 1"})
        yield Place(world, admin, org, project)


async def new(place: Place, **more: Any) -> Registered:
    return await asyncio.to_thread(lambda: enrolled(place.world, **more))


async def test_an_edge_agent_reaches_its_own_topics_and_no_others(place: Place) -> None:
    mine, other = await new(place), await new(place)

    def try_all() -> None:
        with PlayedAgent(place.world, mine) as agent, PlayedAgent(place.world, other) as stranger:
            assert agent.connect() == 0
            assert stranger.connect() == 0
            for channel in Channel:
                foreign = agent.topic(channel)
                assert stranger.subscribe(foreign) == 0x87, channel
                assert stranger.publish(foreign, b"{}") == 0x87, channel
            for topic_filter in ("#", "agents/#", "agents/v1/+/req", "$SYS/#", "$share/g/#"):
                assert stranger.subscribe(topic_filter) == 0x87, topic_filter
            for channel in (Channel.REQUEST, Channel.DESIRED, Channel.ENROL, Channel.ENROLLED):
                assert agent.publish(agent.topic(channel), b"{}") == 0x87, channel
            for channel in (Channel.REPORT, Channel.REPLY, Channel.EVENT):
                assert agent.subscribe(agent.topic(channel)) == 0x87, channel

    await asyncio.to_thread(try_all)


async def test_nobody_gets_in_by_the_account_of_many_or_the_secret_of_another(place: Place) -> None:
    mine, other = await new(place), await new(place)

    def try_all() -> None:
        for username, password in (
            ("admin", "public"),
            (mine.id, "public"),
            (mine.id, other.token),
            (other.id, other.token),
        ):
            with PlayedAgent(place.world, mine) as agent:
                assert agent.connect(username=username, password=password) == 0x86, username
        for client_id in (f"enrol-{mine.id}", "enrol-", f"enrol-{'A' * 32}", "agent"):
            with EnrollingClient(place.world) as client:
                assert client.connect(client_id=client_id) == 0x86, client_id
        with EnrollingClient(place.world) as client:
            assert client.connect(password="wrong") == 0x86

    await asyncio.to_thread(try_all)


async def test_who_enrols_may_nothing_else(place: Place) -> None:
    mine = await new(place)

    def try_all() -> None:
        with EnrollingClient(place.world) as client:
            assert client.connect() == 0
            for channel in Channel:
                own = topic_name(client.client_id, channel)
                foreign = topic_name(mine.id, channel)
                assert client.publish(foreign, b"{}") == 0x87, channel
                assert client.subscribe(foreign) == 0x87, channel
                if channel is not Channel.ENROL:
                    assert client.publish(own, b"{}") == 0x87, channel
                if channel is not Channel.ENROLLED:
                    assert client.subscribe(own) == 0x87, channel
            assert client.subscribe("#") == 0x87

    await asyncio.to_thread(try_all)


async def test_one_secret_has_one_name_however_often_it_is_asked_for(place: Place) -> None:
    secret = secrets.token_urlsafe(32)

    def ask() -> str:
        with EnrollingClient(place.world) as client:
            assert client.connect() == 0
            return client.enrol(secret).agent_id

    first = await asyncio.to_thread(ask)
    assert await asyncio.to_thread(ask) == first
    assert len([row for row in await place.rows() if row["id"] == first]) == 1


async def test_a_connection_asks_for_one_name(place: Place) -> None:
    before = place.world.control.edges.enrolment.counters["enrolled"]

    def ask() -> None:
        with EnrollingClient(place.world) as client:
            assert client.connect() == 0
            client.enrol(secrets.token_urlsafe(32))
            for number in range(20):
                asked = Enrol(f"{number:064x}", "0123abcd-4567").to_bytes()
                client.publish(topic_name(client.client_id, Channel.ENROL), asked)

    await asyncio.to_thread(ask)
    await new(place)  # what came before it was read
    assert place.world.control.edges.enrolment.counters["enrolled"] == before + 2


async def test_too_many_that_wait_are_turned_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment, "WAITING_MAX", len(await place.rows()))

    def ask() -> str:
        with EnrollingClient(place.world) as client:
            assert client.connect() == 0
            return client.enrol(secrets.token_urlsafe(32)).code

    assert await asyncio.to_thread(ask) == "TOO_MANY"


async def test_too_many_that_enrol_at_once_are_turned_away(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enrolment, "ENROLLING_MAX", 2)

    def ask() -> list[int]:
        clients = [EnrollingClient(place.world) for _ in range(3)]
        try:
            codes = []
            for client in clients:
                client.__enter__()
                codes.append(client.connect())
            return codes
        finally:
            for client in clients:
                client.client.drop()

    async def quiet() -> bool | None:
        return True if place.world.control.edges.link.enrolling_count == 0 else None

    await until(quiet)
    assert await asyncio.to_thread(ask) == [0, 0, 0x97]


async def test_what_makes_no_sense_changes_nothing(place: Place) -> None:
    mine, other = await new(place, description="mine"), await new(place, description="other")

    def say() -> None:
        with PlayedAgent(place.world, mine) as agent:
            assert agent.connect() == 0
            assert agent.subscribe(agent.topic(Channel.DESIRED)) < 0x80
            assert agent.hear(EdgeStanding).state == "pending"
            for channel in (Channel.REPORT, Channel.REPLY, Channel.EVENT, Channel.REPORTED):
                for payload in (b"", b"{", b'{"v":1,"type":"edge_report"}', b"\xff" * 1000):
                    agent.publish(agent.topic(channel), payload)
            # Confirms a removal that nobody decided; answers what nobody asked.
            agent.publish(agent.topic(Channel.REPORTED), Reported(1 << 50).to_bytes())
            agent.publish(agent.topic(Channel.REPLY), Reply("nobody-asked", 200).to_bytes())
            agent.publish(agent.topic(Channel.EVENT), EdgeStanding(9, "managed").to_bytes())
            report = EdgeReport("9", 1, description="said so", host_name="gw")
            agent.publish(agent.topic(Channel.REPORT), report.to_bytes())

    await asyncio.to_thread(say)

    async def told() -> dict[str, Any] | None:
        row = await place.row(mine.id)
        return row if row["description"] == "said so" else None

    assert (await until(told))["state"] == "pending"
    assert (await place.row(other.id))["description"] == "other"


async def test_who_floods_is_not_even_read(place: Place) -> None:
    mine = await new(place)
    relay = place.world.control.adoption.relay
    before = dict(relay.counters)
    report = EdgeReport("9", 1, figures={f"f{n}": 1.0 for n in range(64)}).to_bytes()
    with PlayedAgent(place.world, mine) as agent:
        assert await asyncio.to_thread(agent.connect) == 0

        def flood() -> None:
            for _ in range(1500):
                agent.client.send(Publish(agent.topic(Channel.REPORT), report))

        flooding = asyncio.create_task(asyncio.to_thread(flood))
        async with asyncio.timeout(DEADLINE_S):
            while relay.counters["relay.over_budget"] - before["relay.over_budget"] < 200:
                # Whoever else is there does not notice.
                assert (await place.world.ask("GET", "/orgs", token=place.admin)).status == 200
        agent.client.drop()
        await asyncio.gather(flooding, return_exceptions=True)


async def test_who_connects_over_and_over_is_refused_and_learns_why(place: Place) -> None:
    mine, other = await new(place), await new(place)
    relay = place.world.control.adoption.relay
    before = relay.counters["relay.too_often"]

    def try_all() -> None:
        with PlayedAgent(place.world, mine) as agent:
            # Whoever knows no more than the name locks nobody out.
            assert agent.connect(password="guessed") == 0x86
        codes = []
        for _ in range(round(CONNECTS_BURST) + 20):
            with PlayedAgent(place.world, mine) as agent:
                codes.append(agent.connect())
        let_in = codes.index(0x9F)
        assert let_in >= CONNECTS_BURST
        assert set(codes[:let_in]) == {0}
        with PlayedAgent(place.world, other) as agent:
            assert agent.connect() == 0

    await asyncio.to_thread(try_all)
    assert relay.counters["relay.too_often"] > before


async def test_a_message_that_is_too_long_ends_the_connection(place: Place) -> None:
    mine = await new(place)

    def say() -> None:
        with PlayedAgent(place.world, mine) as agent:
            assert agent.connect() == 0
            agent.client.send(Publish(agent.topic(Channel.REPORT), b"x" * (1 << 20), 1, 1))
            assert agent.client.expect(Disconnect).reason_code == 0x95

    await asyncio.to_thread(say)


async def test_answers_to_the_calls_of_another_are_worth_nothing(place: Place) -> None:
    mine, other = await new(place), await new(place)
    given = {"name": "target", "orgId": place.org, "projectId": place.project}
    made = await place.world.ask("POST", f"/edgeagents/{mine.id}/adopt", given, token=place.admin)
    assert made.status == 201, made.text
    with PlayedAgent(place.world, mine) as agent, PlayedAgent(place.world, other) as stranger:
        assert await asyncio.to_thread(agent.connect) == 0
        assert await asyncio.to_thread(stranger.connect) == 0
        await asyncio.to_thread(agent.subscribe, agent.topic(Channel.REQUEST))
        path = f"/edgeservice/proxy/{made.json['id']}/api/me"
        asking = asyncio.create_task(place.world.ask("GET", path, token=place.admin))
        asked = await asyncio.to_thread(agent.hear, Request)
        assert (asked.credential, asked.caller) == ("key", "ada@example.com")
        forged = Reply(asked.id, 200, body=b'"forged"').to_bytes()
        await asyncio.to_thread(stranger.publish, stranger.topic(Channel.REPLY), forged)
        right = Reply(asked.id, 200, body=b'"right"').to_bytes()
        await asyncio.to_thread(agent.publish, agent.topic(Channel.REPLY), right)
        assert (await asking).text == '"right"'


async def test_leaving_takes_nothing_from_a_project_that_adopted(place: Place) -> None:
    mine, stays = await new(place), await new(place)
    given = {"name": "left", "orgId": place.org, "projectId": place.project}
    made = await place.world.ask("POST", f"/edgeagents/{mine.id}/adopt", given, token=place.admin)

    def leave(agent_id: Registered) -> None:
        with PlayedAgent(place.world, agent_id) as agent:
            assert agent.connect() == 0
            agent.publish(agent.topic(Channel.EVENT), EdgeLeaving(forgets=True).to_bytes())
            agent.wait_until_closed()

    await asyncio.to_thread(leave, mine)
    await asyncio.to_thread(leave, stays)
    rows = {row["id"]: row for row in await place.rows()}
    assert rows[mine.id]["hasLeft"]
    assert stays.id not in rows
    path = f"/orgs/{place.org}/projects/{place.project}/edgeservices/{made.json['id']}"
    assert (await place.world.ask("GET", path, token=place.admin)).json["state"] == "left"
    with PlayedAgent(place.world, mine) as agent:
        assert await asyncio.to_thread(agent.connect) == 0x86


async def test_who_was_rejected_and_stays_is_put_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "TOLD_S", 0.1)
    mine = await new(place)
    with PlayedAgent(place.world, mine) as agent:
        assert await asyncio.to_thread(agent.connect) == 0
        path = f"/edgeagents/{mine.id}/reject"
        answer = await place.world.ask("POST", path, {"reason": "no"}, token=place.admin)
        assert answer.status == 204
        await asyncio.to_thread(agent.wait_until_closed)
    assert (await place.row(mine.id))["rejectReason"] == "no"


async def test_many_are_adopted_at_once_and_one_that_cannot_be_says_why(place: Place) -> None:
    first, second, third = await new(place), await new(place), await new(place)
    names = {first.id: "bulk-1", second.id: "bulk-2", third.id: "bulk-1"}
    given = {
        "orgId": place.org,
        "projectId": place.project,
        "labels": ["wave=1"],
        "items": [{"agentId": each, "name": name} for each, name in names.items()],
    }
    answer = await place.world.ask("POST", "/edgeagents/adopt", given, token=place.admin)
    assert answer.status == 200, answer.text
    assert [row["code"] for row in answer.json["results"]] == ["", "", "ALREADY_EXISTS"]
    assert (await place.row(third.id))["state"] == "pending"
    services = f"/orgs/{place.org}/projects/{place.project}/edgeservices"
    found = await place.world.ask("GET", f"{services}?label=wave%3D1", token=place.admin)
    assert [row["name"] for row in found.json["items"]] == ["bulk-1", "bulk-2"]
    other = await place.world.make(place.admin, f"/orgs/{place.org}/projects", {"name": "Plant 2"})
    service = answer.json["results"][0]["serviceId"]
    moved = await place.world.ask(
        "POST",
        f"{services}/{service}/transfer",
        {"orgId": place.org, "projectId": other},
        token=place.admin,
    )
    assert moved.status == 204, moved.text
    assert (await place.row(first.id))["projectName"] == "Plant 2"
    kept = await place.world.ask("DELETE", f"/orgs/{place.org}/projects/{other}", token=place.admin)
    assert kept.status == 409  # a project that has edge services is not deleted
