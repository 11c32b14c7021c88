"""Logs in a browser: where none are, how they come; then found, opened, followed, exported."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Browser, expect

from harness.agents import PlayedAgent, Registered
from harness.console import Console
from harness.control import ADMIN, PASSWORD, ControlProcess
from harness.logs import batch
from harness.ports import free_port
from rookery.contracts.agent_logs import LogEntry
from rookery.contracts.agent_v1 import Channel, LogAck


@pytest.fixture(scope="module")
def language() -> str:
    return "zh"


class Plant(NamedTuple):
    """A control plane, a project in it, and a connected agent of a cluster of the project."""

    process: ControlProcess
    token: str
    clusters: str
    relay: int

    def ask(self, path: str, body: object) -> Any:
        return ask(self.process, path, body, self.token)


def ask(process: ControlProcess, path: str, body: object, token: str = "") -> Any:
    headers = {"content-type": "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    asked = urllib.request.Request(
        f"{process.url}/api{path}", json.dumps(body).encode(), headers, method="POST"
    )
    with urllib.request.urlopen(asked) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    relay = free_port()
    process = ControlProcess(
        tmp_path_factory.mktemp("control"), "--set", f"control.relay.tcp=127.0.0.1:{relay}"
    )
    process.start()
    try:
        given = {"email": ADMIN, "password": PASSWORD, "accessAddress": "https://127.0.0.1:8082"}
        ask(process, "/setup", given)
        token = ask(process, "/login", {"email": ADMIN, "password": PASSWORD})["accessToken"]
        org = ask(process, "/orgs", {"name": "Factory"}, token)["id"]
        made = ask(process, f"/orgs/{org}/projects", {"name": "Plant 1"}, token)
        path = f"/orgs/{org}/projects/{made['id']}/clusters"
        yield Plant(process, token, path, relay)
    finally:
        process.stop()


@pytest.fixture
def console(browser: Browser, plant: Plant, language: str) -> Iterator[Console]:
    shown = Console(browser, plant.process.url, language)
    shown.sign_in()
    shown.titled("clusters.title")
    yield shown
    shown.check()
    shown.close()


def send(agent: PlayedAgent, number: int, *texts: tuple[str, int]) -> None:
    """Records of the present moment, kept when this returns."""
    entries = [
        LogEntry(
            number * 1000 + at, time.time_ns() // 1_000_000, severity, "", text, f"{text}\n  whole"
        )
        for at, (text, severity) in enumerate(texts)
    ]
    agent.say(Channel.LOG, batch(number, *entries))
    assert agent.hear(LogAck).is_kept


def test_logs_come_are_found_and_followed(console: Console, plant: Plant) -> None:
    console.page.get_by_role("link", name=console.t("shell.page.logs")).click()
    console.titled("logs.title")
    expect(console.page.get_by_text(console.t("logs.none.adopt"))).to_be_visible()

    entry = plant.ask(plant.clusters, {"name": "press line"})["id"]
    token = plant.ask(f"{plant.clusters}/{entry}/registration-token", {})["token"]
    body = {"nodeId": "machine", "registrationToken": token}
    made = plant.ask("/clusters/agents/register", body)
    console.page.reload()
    console.titled("logs.title")
    expect(console.page.get_by_text("--emqx-log-collection-enabled")).to_be_visible()
    console.check()

    with PlayedAgent(plant.relay, Registered(made["agentId"], made["token"])) as agent:
        agent.come()
        agent.subscribe(agent.topic(Channel.LOG_ACK))
        send(agent, 1, ("客户端连接异常", 3), ("all is well", 6))
        console.page.reload()
        console.titled("logs.title")
        expect(console.row("all is well")).to_contain_text("press line")
        expect(console.page.get_by_text(console.t("logs.count", number="2"))).to_be_visible()

        # A record opens to the whole of it.
        expect(console.page.get_by_text("whole")).to_have_count(0)
        console.row("客户端连接异常").get_by_role("button").click()
        expect(console.page.locator("pre")).to_have_text("客户端连接异常\n  whole")
        console.check()

        console.filter(console.t("logs.text")).fill("异常")
        expect(console.row("all is well")).to_have_count(0)
        expect(console.row("客户端连接异常")).to_be_visible()
        console.button(console.t("common.clearFilters")).click()
        expect(console.row("all is well")).to_be_visible()

        with console.page.expect_response(lambda answer: "/logs/live" in answer.url):
            console.button(console.t("logs.follow")).click()
        expect(console.page.get_by_text(console.t("logs.isLive"))).to_be_visible()
        send(agent, 2, ("it comes in", 4))
        expect(console.row("it comes in")).to_be_visible()
        console.button(console.t("logs.pause")).click()
        send(agent, 3, ("it waits", 4))
        resume = console.button(console.t("logs.resume", number="1"))
        expect(resume).to_be_visible()
        expect(console.row("it waits")).to_have_count(0)
        resume.click()
        expect(console.row("it waits")).to_be_visible()

    file = console.downloaded(console.button(console.t("logs.export")))
    text = file.read_text(encoding="utf-8-sig")
    assert "客户端连接异常" in text
    assert "all is well" in text


def test_where_logs_are_kept_is_set(console: Console) -> None:
    console.open("/settings", console.t("settings.title"))
    days = console.field(console.t("logReceiver.days"))
    expect(days).to_have_value("7")
    days.fill("3")
    console.page.get_by_label(console.t("logReceiver.store")).select_option("elasticsearch")
    console.field(console.t("logReceiver.url")).fill("http://127.0.0.1:1")
    console.allow("400")
    form = console.page.locator("form").filter(has=days)
    console.button(console.t("logReceiver.test"), form).click()
    expect(console.page.get_by_text("127.0.0.1:1 被拒绝")).to_be_visible()
    console.page.get_by_label(console.t("logReceiver.store")).select_option("builtin")
    console.button(console.t("logReceiver.save"), form).click()
    console.said(console.t("logReceiver.saved"))
    console.page.reload()
    expect(console.field(console.t("logReceiver.days"))).to_have_value("3")
