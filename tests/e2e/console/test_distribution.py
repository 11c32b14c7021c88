"""A template goes to two real edge services, is changed at one of them and taken back, in a browser: control plane
and edge services are the commands as users have them, and the control plane is killed in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import aiohttp
import pytest
from playwright.sync_api import Browser, expect

from harness.client import DEADLINE_S
from harness.console import Console, through_the_wizard
from harness.control import Asker, ControlProcess
from harness.edge import EdgeAsker, EdgeProcess
from harness.edge_agents import until
from harness.node import HOST
from harness.ports import free_port

ORG, PLANT = "Factory", "Plant 1"
EDGES = ("hall-1", "hall-2")
TEMPLATE = "Press line"
CONTENT = """{"nodes": [{"name": "press", "plugin": "Simulator"}],
"settings": [{"node": "press", "params": {"latency": "${latency}"}}],
"groups": [{"driver": "press", "group": "line", "interval": 1000}]}"""
T = TypeVar("T")


@pytest.fixture(scope="module")
def relay_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory, relay_port: int) -> Iterator[ControlProcess]:
    sets = {
        "control.bind": f"{HOST}:{free_port()}",
        "control.relay.tcp": f"{HOST}:{relay_port}",
        "control.agents.report_interval": "1s",
    }
    arguments = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    process = ControlProcess(tmp_path_factory.mktemp("control"), *arguments)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[EdgeProcess]]:
    running: list[EdgeProcess] = []
    for name in EDGES:
        process = EdgeProcess(tmp_path_factory.mktemp(name) / "data")
        process.start()
        running.append(process)
    yield running
    for process in running:
        process.stop()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, control: ControlProcess, language: str) -> Iterator[Console]:
    shown = through_the_wizard(browser, control, language)
    yield shown
    shown.close()


class Site:
    """What is there, asked for without a browser."""

    def __init__(self, control: ControlProcess, edges: list[EdgeProcess], relay_port: int) -> None:
        self.control = control
        self.edges = edges
        self.relay_port = relay_port

    def do(self, work: Callable[[Asker, str, list[EdgeAsker]], Awaitable[T]]) -> T:
        """Ask the control plane, as its administrator, and the edge services."""

        async def run() -> T:
            async with aiohttp.ClientSession() as client:
                asker = Asker(self.control.url, client)
                token = await asker.sign_in()
                return await work(asker, token, [EdgeAsker(e.url, client) for e in self.edges])

        # The browser has a loop in this thread.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(run())).result(DEADLINE_S)

    def latencies(self) -> list[int]:
        """Of each edge service's driver."""

        async def found(_asker: Asker, _token: str, edges: list[EdgeAsker]) -> list[int]:
            rows = []
            for edge in edges:
                token = await edge.sign_in()
                said = await edge.did(token, "GET", "/neuron/node/setting?node=press")
                rows.append(int(said["params"]["latency"]))
            return rows

        return self.do(found)

    async def adopt(self, asker: Asker, admin: str, edges: list[EdgeAsker]) -> None:
        org = await asker.make(admin, "/orgs", {"name": ORG})
        project = await asker.make(admin, f"/orgs/{org}/projects", {"name": PLANT})
        for name, edge in zip(EDGES, edges, strict=True):
            token = await edge.first_visit()
            given = {
                "enable": True,
                "address": f"tcp://{HOST}:{self.relay_port}",
                "username": "admin",
                "password": "public",
                "description": name,
            }
            await edge.did(token, "POST", "/tunnel", given)

            async def waits(name: str = name) -> str | None:
                rows = await asker.ask("GET", "/edgeagents?state=pending", token=admin)
                found = [row for row in rows.json["items"] if row["description"] == name]
                return str(found[0]["id"]) if found else None

            agent = await until(waits)
            body = {"name": name, "orgId": org, "projectId": project, "labels": ["site=east"]}
            await asker.make(admin, f"/edgeagents/{agent}/adopt", body)


@pytest.fixture(scope="module")
def site(control: ControlProcess, edges: list[EdgeProcess], relay_port: int) -> Site:
    return Site(control, edges, relay_port)


def templates(console: Console) -> None:
    link = console.page.get_by_role("link", name=console.t("shell.page.templates"), exact=True)
    link.first.click()
    console.titled("templates.title")


def test_the_wizard_and_two_edge_services(console: Console, site: Site) -> None:
    address = site.control.url.replace("http:", "https:")
    console.field(console.t("common.access.label")).fill(address)
    console.button(console.t("setup.address.finish")).click()
    console.button(console.t("setup.mail.later")).click()
    console.titled("guide.title")
    site.do(site.adopt)
    console.page.goto(site.control.url)
    console.settle()


def test_a_template_is_made(console: Console) -> None:
    templates(console)
    console.check()
    console.button(console.t("templates.add")).first.click()
    console.field(console.t("templates.field.name"), console.dialog).first.fill(TEMPLATE)
    console.field(console.t("templates.content"), console.dialog).fill(CONTENT)
    console.field(console.t("templates.defaultOf", name="latency"), console.dialog).fill("5")
    kind = console.dialog.get_by_label(console.t("templates.kindOf", name="latency"))
    kind.select_option("number")
    console.check()
    console.button(console.t("templates.create"), console.dialog).click()
    expect(console.page.get_by_role("heading", level=1)).to_have_text(TEMPLATE)
    expect(console.page.get_by_text(console.t("templates.noDrift.title"))).to_be_visible()
    console.check()


def test_it_is_tried_on_paper_and_delivered(console: Console, site: Site) -> None:
    console.button(console.t("templates.deliver")).click()
    name = console.t("templates.valueOf", name="latency", edge=EDGES[1])
    console.field(name).fill("9")
    console.button(console.t("templates.preview")).click()
    ready = console.page.get_by_text(console.t("templates.triedStates.ready"), exact=True)
    expect(ready).to_have_count(2)
    console.check()
    console.page.get_by_role("button", name=console.t("templates.deliverTo", number=2)).click()
    done = console.page.get_by_text(console.t("templates.targetStates.succeeded"), exact=True)
    expect(done).to_have_count(3)  # of the delivery, and of each
    console.check()
    assert site.latencies() == [5, 9]


def test_a_change_at_the_edge_is_shown(console: Console, site: Site) -> None:
    back = console.t("templates.backToTemplate", name=TEMPLATE)
    console.page.get_by_role("link", name=back).click()
    same = console.page.get_by_text(console.t("templates.driftStates.same"), exact=True)
    expect(same).to_have_count(2)

    async def change(_asker: Asker, _token: str, edges: list[EdgeAsker]) -> None:
        token = await edges[0].sign_in()
        params: dict[str, Any] = {"node": "press", "params": {"latency": 77}}
        await edges[0].did(token, "POST", "/neuron/node/setting", params)

    site.do(change)
    changed = console.page.get_by_text(console.t("templates.driftStates.changed"), exact=True)
    expect(changed).to_have_count(1)
    console.check()


def test_one_that_is_away_gets_it_after_control_was_killed(console: Console, site: Site) -> None:
    site.edges[1].kill()
    console.button(console.t("templates.deliver")).click()
    console.field(console.t("templates.valueOf", name="latency", edge=EDGES[1])).fill("8")
    console.page.get_by_role("button", name=console.t("templates.deliverTo", number=2)).click()
    running = console.page.get_by_text(console.t("templates.targetStates.running"), exact=True)
    expect(console.row(EDGES[0])).to_contain_text(console.t("templates.targetStates.succeeded"))
    expect(running.first).to_be_visible()
    console.allow(r"(GET|POST) .*")
    site.control.kill()
    site.control.start()
    site.edges[1].start()
    expect(console.row(EDGES[1])).to_contain_text(console.t("templates.targetStates.succeeded"))
    assert site.latencies() == [5, 8]


def test_it_is_taken_back(console: Console, site: Site) -> None:
    console.button(console.t("templates.rollBack")).click()
    console.agree(console.t("templates.rollBack"))
    console.said(console.t("templates.rollingBack"))
    done = console.page.get_by_text(console.t("templates.targetStates.succeeded"), exact=True)
    expect(done).to_have_count(3)
    assert site.latencies() == [77, 9]
