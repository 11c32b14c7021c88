"""Alarms in the console: who is told, an alarm as it comes, what is done about it, the log."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from harness.client import DEADLINE_S
from harness.console import Console
from harness.control import ADMIN, PASSWORD, ControlProcess

ALARM = "输送带停止"


class _Takes(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        return


@pytest.fixture
def hook() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Takes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/alarm"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ControlProcess]:
    running = ControlProcess(tmp_path / "control", "--set", "control.alarms.targets=any")
    running.start()
    yield running
    running.stop()


def _ask(process: ControlProcess, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    """A browser runs in this thread, and with it a loop that cannot wait for another."""
    connection = HTTPConnection(process.address, timeout=DEADLINE_S)
    with contextlib.closing(connection):
        sent = {"Content-Type": "application/json", **headers}
        connection.request("POST", f"/api{path}", json.dumps(body).encode(), sent)
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None


def _project(process: ControlProcess) -> str:
    """The path of a new project; its console is set up."""
    address = {"accessAddress": "https://127.0.0.1:8082"}
    status, _ = _ask(process, "/setup", {"email": ADMIN, "password": PASSWORD, **address})
    assert status == 204
    _, session = _ask(process, "/login", {"email": ADMIN, "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {session['accessToken']}"}
    _, org = _ask(process, "/orgs", {"name": "East"}, **bearer)
    _, made = _ask(process, f"/orgs/{org['id']}/projects", {"name": "Plant"}, **bearer)
    return f"/orgs/{org['id']}/projects/{made['id']}"


def _raise(process: ControlProcess, project: str, token: str) -> int:
    body = {"message": ALARM, "timestamp": str(int(time.time())), "severity": 1, "source": "7"}
    status, _ = _ask(process, f"{project}/alarms/webhook", body, **{"X-Rookery-Alarm-Token": token})
    return status


def test_an_alarm_from_the_first_setting_to_the_log(
    browser: Browser, process: ControlProcess, hook: str
) -> None:
    project = _project(process)
    console = Console(browser, process.url, "zh")
    console.sign_in()
    console.titled("clusters.title")
    console.page.get_by_role("link", name=console.t("shell.page.alarms"), exact=True).first.click()
    console.titled("alarms.title")
    expect(console.page.get_by_text(console.t("alarms.empty.current"))).to_be_visible()
    console.check()

    # Who is told.
    tab = console.page.get_by_role("tab", name=console.t("alarms.tabs.push"))
    tab.click()
    console.button(console.t("alarms.channel.add")).first.click()
    console.field(console.t("alarms.field.name"), console.dialog).fill("夜班")
    console.dialog.get_by_label(console.t("alarms.media.webhook")).select_option("json")
    console.field(console.t("alarms.webhook.url"), console.dialog).fill(hook)
    console.check()
    console.button(console.t("alarms.save"), console.dialog).click()
    console.said(console.t("alarms.saved"))
    console.button(console.t("alarms.channel.testOne.webhook", name="夜班")).click()
    expect(console.dialog.get_by_text("已发送")).to_be_visible()
    console.page.keyboard.press("Escape")

    # Another program raises an alarm, and the page shows it by itself.
    console.page.get_by_role("tab", name=console.t("alarms.tabs.settings")).click()
    console.page.get_by_role("switch", name=console.t("alarms.settings.isCustomEnabled")).check(
        force=True
    )
    console.button(console.t("alarms.save")).first.click()
    console.said(console.t("alarms.saved"))
    console.button(console.t("alarms.custom.make")).click()
    token = console.dialog.get_by_text("rkl_").inner_text().strip()
    console.check()
    console.page.keyboard.press("Escape")
    console.page.get_by_role("tab", name=console.t("alarms.tabs.current")).click()
    assert _raise(process, project, token) == 202
    expect(console.row(ALARM)).to_be_visible()
    bell = console.page.get_by_role("link", name="1 条当前告警，其中 1 条严重")
    expect(bell).to_be_visible()

    # What is done about it.
    console.row(ALARM).get_by_role("button").click()
    console.button(console.t("alarms.acknowledge"), console.dialog).click()
    expect(console.dialog.get_by_text("ada@example.com").first).to_be_visible()
    console.check()
    console.page.keyboard.press("Escape")
    console.row(ALARM).get_by_role("checkbox").check()
    console.page.get_by_role("button", name=console.t("alarms.move.action")).click()
    console.button(console.t("alarms.move.action"), console.dialog).click()
    console.said(console.t("alarms.moved"))
    console.page.get_by_role("tab", name=console.t("alarms.tabs.history")).click()
    expect(console.row(ALARM).get_by_text(console.t("alarms.endReasons.moved"))).to_be_visible()
    console.check()

    for name in ("rules", "log"):
        console.page.get_by_role("tab", name=console.t(f"alarms.tabs.{name}")).click()
        console.settle()
        console.check()
    expect(console.page.get_by_text(console.t("alarms.delivery.states.sent")).first).to_be_visible()
    console.close()
