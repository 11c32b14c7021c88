"""A project is watched in a browser: what broke, where it is, what happened, who is connected."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import aiohttp
import pytest
from playwright.sync_api import Browser, Locator, expect

from harness.adoption import AgentHost, Project, changes, commands, project
from harness.client import RawClient
from harness.console import Console
from harness.control import ADMIN, PASSWORD, Asker, ControlProcess
from harness.packets import ConnAck, Connect
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode, rest_node

CLUSTER = "press line"


class Watched(NamedTuple):
    """A cluster with a connector that leads nowhere."""

    node: RestNode


@pytest.fixture(scope="module")
def language() -> str:
    """The words of the first description of this are Chinese."""
    return "zh"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    sets = {
        "control.bind": f"127.0.0.1:{free_port()}",
        "control.relay.tcp": f"127.0.0.1:{free_port()}",
        "control.relay.tls": f"127.0.0.1:{free_port()}",
        "control.agents.report_interval": "1s",
    }
    arguments = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    process = ControlProcess(tmp_path_factory.mktemp("control"), *arguments)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def watched(control: ControlProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    host = AgentHost(tmp_path_factory.mktemp("host"))
    with rest_node(tmp_path_factory.mktemp("node")) as node:
        at_node = node.admin
        service = {"type": "http", "name": "plant", "url": f"http://127.0.0.1:{free_port()}"}
        assert at_node.post("/connectors", service).status == 201
        assert at_node.post("/rules", {"id": "off", "sql": 'SELECT * FROM "a"', "enable": False})
        # The browser's own loop runs in this thread.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, adopted(control, node, host)).result()
        yield Watched(node)
        host.stop()


async def adopted(control: ControlProcess, node: RestNode, host: AgentHost) -> None:
    """Adopt the node."""
    async with aiohttp.ClientSession() as client:
        asker = Asker(control.url, client)
        address = control.url.replace("http:", "https:")
        given = {"email": ADMIN, "password": PASSWORD, "name": "Ada", "accessAddress": address}
        assert (await asker.ask("POST", "/setup", given)).status == 204
        of: Project = await project(asker, await asker.sign_in())
        url = f"http://127.0.0.1:{node.port()}"
        made = await of.ask("POST", "", {"name": CLUSTER, "address": url})
        issued = await of.ask("POST", f"/{made['id']}/registration-token", {})
        values = {
            "registrationToken": issued["token"],
            "username": NODE_ADMIN,
            "password": NODE_PASSWORD,
            "dashboardUrl": url,
            "apiUrl": url,
        }
        async with changes(of) as told:
            for command in await commands(of, made["id"], values):
                host.run(command)
            await told.until("cluster", lambda row: row["state"] == "running")


@pytest.fixture(scope="module")
def signed_in(
    browser: Browser, control: ControlProcess, watched: Watched, language: str
) -> Iterator[Console]:
    shown = Console(browser, control.url, language)
    shown.sign_in()
    shown.titled("clusters.title")
    yield shown
    shown.close()


def test_what_is_not_well_is_listed_and_leads_there(console: Console, watched: Watched) -> None:
    console.page.get_by_role("link", name=console.t("shell.page.monitoring"), exact=True).click()
    console.titled("monitoring.title")
    figure = console.page.locator("[data-figure='connectors.disconnected']")
    expect(figure).to_have_text("1")
    expect(console.page.locator("[data-figure='rules.stopped']")).to_have_text("1")
    connectors = console.page.get_by_role("table", name=console.t("monitoring.table.connectors"))
    expect(connectors.get_by_role("row")).to_have_count(2)
    row = connectors.get_by_role("row").nth(1)
    expect(row).to_contain_text(CLUSTER)
    expect(row).to_contain_text(console.t("monitoring.status.disconnected"))
    rules = console.page.get_by_role("table", name=console.t("monitoring.table.rules"))
    expect(rules.get_by_role("row").nth(1)).to_contain_text(console.t("monitoring.status.stopped"))
    with console.context.expect_page() as opened:
        details = console.t("monitoring.detailsOf", name="plant", cluster=CLUSTER)
        console.button(details, row).click()
    expect(opened.value).to_have_url(re.compile(r"#/connectors/http(:|%3A)plant$"))
    expect(opened.value.get_by_role("heading", level=1)).to_contain_text("plant")
    opened.value.close()
    # It is mended at the cluster, and the page is told.
    assert watched.node.admin.put("/rules/off/enable/true").status == 204
    expect(console.page.get_by_text(console.t("monitoring.empty.rules"))).to_be_visible()


def test_the_page_of_a_cluster_shows_what_it_did(console: Console, watched: Watched) -> None:
    console.page.get_by_role("link", name=console.t("shell.page.clusters"), exact=True).click()
    console.page.get_by_role("link", name=CLUSTER).click()
    charts = console.page.get_by_role("region", name=console.t("charts.title"))
    expect(charts.get_by_role("img").first).to_be_visible()
    charts.get_by_text(console.t("charts.spans.day"), exact=True).click()
    expect(charts.get_by_role("img").first).to_be_visible()
    events = console.page.get_by_role("list", name=console.t("clusters.events.title"))
    expect(events.locator("[data-kind=adopted]")).to_have_count(1)
    expect(events.locator("[data-kind=registered]")).to_have_count(1)


def looked_for(console: Console) -> Locator:
    return console.page.get_by_role("searchbox", name=console.t("monitoring.clients.text"))


def test_a_client_is_found_wherever_it_is(console: Console, watched: Watched) -> None:
    with RawClient("127.0.0.1", watched.node.port("tcp:default")) as client:
        client.send(Connect(client_id="plc-3"))
        client.expect(ConnAck)
        link = console.page.get_by_role("link", name=console.t("shell.page.clients"), exact=True)
        link.click()
        console.titled("monitoring.clients.title")
        looked_for(console).fill("plc")
        console.button(console.t("monitoring.clients.search")).click()
        table = console.page.get_by_role("table", name=console.t("monitoring.clients.title"))
        row = table.get_by_role("row").nth(1)
        expect(row).to_contain_text("plc-3")
        expect(row).to_contain_text(CLUSTER)
        console.check()
    looked_for(console).fill("nobody-at-all")
    console.button(console.t("monitoring.clients.search")).click()
    expect(console.page.get_by_text(console.t("monitoring.clients.none.title"))).to_be_visible()
