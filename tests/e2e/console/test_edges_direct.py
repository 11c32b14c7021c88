"""Edge services at addresses, in a browser: tried, added, moved, taken out to a file and in again, watched, deleted."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiohttp
import pytest
from playwright.sync_api import Browser, Locator, expect

from harness.adoption import project
from harness.console import Console
from harness.control import ADMIN, Asker, ControlProcess
from harness.control import PASSWORD as CONTROL_PASSWORD
from harness.edge import PASSWORD, EdgeAsker, EdgeProcess
from harness.ports import free_port

EDGE, IMPORTED, STOPPED = "hall-3", "hall-4", "stopped press"


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    sets = ("control.agents.report_interval=1s", "control.edges.targets=any")
    arguments = [part for each in sets for part in ("--set", each)]
    process = ControlProcess(tmp_path_factory.mktemp("control"), *arguments)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def edge(control: ControlProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one with a device that somebody stopped, and a project for it."""
    process = EdgeProcess(tmp_path_factory.mktemp("edge") / "data")
    process.start()
    # The browser's own loop runs in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, prepared(control, process)).result()
    yield process.url
    assert process.stop() == 0


async def prepared(control: ControlProcess, edge: EdgeProcess) -> None:
    async with aiohttp.ClientSession() as client:
        asker = Asker(control.url, client)
        address = control.url.replace("http:", "https:")
        given = {
            "email": ADMIN, "password": CONTROL_PASSWORD, "name": "Ada", "accessAddress": address,
        }  # fmt: skip
        assert (await asker.ask("POST", "/setup", given)).status == 204
        await project(asker, await asker.sign_in())
        there = EdgeAsker(edge.url, client)
        token = await there.first_visit()
        node = {"name": STOPPED, "plugin": "Simulator", "params": {}}
        await there.did(token, "POST", "/neuron/node", node)
        await there.did(token, "POST", "/neuron/node/ctl", {"node": STOPPED, "cmd": 1})


@pytest.fixture(scope="module")
def signed_in(
    browser: Browser, control: ControlProcess, edge: str, language: str
) -> Iterator[Console]:
    shown = Console(browser, control.url, language)
    shown.sign_in()
    shown.titled("clusters.title")
    yield shown
    shown.close()


def services(console: Console) -> None:
    console.page.get_by_role("link", name=console.t("shell.page.edges"), exact=True).click()
    console.titled("edges.title")


def above(console: Console, key: str) -> Locator:
    """An entry of the menu above the list."""
    console.button(console.t("edges.direct.menu")).click()
    return console.page.get_by_role("menuitem", name=console.t(key), exact=True)


def of_row(console: Console, name: str, key: str) -> None:
    console.button(console.t("edges.moreOf", name=name)).click()
    console.page.get_by_role("menuitem", name=console.t(key), exact=True).click()


def fill(console: Console, address: str, password: str) -> None:
    console.field(console.t("edges.direct.address"), console.dialog).fill(address)
    console.secret(console.t("edges.direct.password"), console.dialog).fill(password)


def tried(console: Console, words: str) -> None:
    console.button(console.t("edges.direct.test"), console.dialog).click()
    expect(console.dialog.get_by_role("alert").filter(has_text=words)).to_be_visible()
    console.check()


def test_it_is_tried_before_it_is_added(console: Console, edge: str) -> None:
    services(console)
    above(console, "edges.direct.add").click()
    console.check()
    console.field(console.t("edges.field.name"), console.dialog).fill(EDGE)
    console.allow(r"POST /api/orgs/\w+/projects/\w+/edgeservices/test 503")
    nowhere = f"http://127.0.0.1:{free_port()}"
    fill(console, nowhere, PASSWORD)
    tried(console, nowhere.removeprefix("http://"))
    fill(console, edge, "wrong-one-1")
    tried(console, {"en": "refuses the user name", "zh": "用户名或密码"}[console.language])
    fill(console, edge, PASSWORD)
    tried(console, console.t("edges.direct.works", version=""))
    console.button(console.t("edges.direct.addIt"), console.dialog).click()
    console.said(console.t("edges.direct.added"))
    row = console.row(EDGE)
    expect(row).to_contain_text(console.t("edges.modes.direct"))
    expect(row).to_contain_text(console.t("edges.states.running"))


def test_its_address_is_shown_and_its_password_is_not(console: Console, edge: str) -> None:
    of_row(console, EDGE, "edges.direct.move")
    expect(console.field(console.t("edges.direct.address"), console.dialog)).to_have_value(edge)
    password = console.secret(console.t("edges.direct.password"), console.dialog)
    expect(password).to_have_value("")
    console.check()
    # With another address the password has to be typed again: it is not sent to somebody else.
    console.allow(r"PUT /api/orgs/\w+/projects/\w+/edgeservices/\w+/connection 400")
    console.field(console.t("edges.direct.address"), console.dialog).fill("http://127.0.0.1:1")
    console.button(console.t("edges.save"), console.dialog).click()
    expect(console.dialog.get_by_role("alert").first).to_be_visible()
    console.field(console.t("edges.direct.address"), console.dialog).fill(edge)
    console.button(console.t("edges.save"), console.dialog).click()
    console.said(console.t("edges.saved"))


def test_the_monitoring_tab_counts_it_and_names_what_does_not_run(console: Console) -> None:
    console.page.get_by_role("link", name=console.t("shell.page.monitoring"), exact=True).click()
    console.titled("monitoring.title")
    console.page.get_by_role("tab", name=console.t("monitoring.tabs.edge"), exact=True).click()
    for figure, value in (("edges.total", "1"), ("edges.online", "1"), ("drivers.running", "0")):
        expect(console.page.locator(f"[data-figure='{figure}']")).to_have_text(value)
    bars = console.page.get_by_role("img", name=console.t("monitoring.group.drivers"))
    expect(bars).to_have_accessible_name(
        re.compile(
            rf"{console.t('monitoring.bars.total')} 1, .*{console.t('monitoring.bars.abnormal')} 0"
        )
    )
    table = console.page.get_by_role("table", name=console.t("monitoring.table.notRunning"))
    row = table.get_by_role("row").filter(has_text=STOPPED)
    expect(row).to_contain_text(console.t("monitoring.nodeKind.driver"))
    console.check()
    row.get_by_role("link", name=EDGE).click()
    expect(console.page.get_by_role("heading", level=1)).to_have_text(EDGE)
    charts = console.page.get_by_role("region", name=console.t("charts.title"))
    expect(charts.get_by_role("img").first).to_be_visible()
    charts.get_by_text(console.t("charts.spans.week"), exact=True).click()
    expect(charts.get_by_role("img").first).to_be_visible()
    console.check()


def test_they_go_out_to_a_file_and_come_in_from_one(
    console: Console, edge: str, tmp_path: Path
) -> None:
    services(console)
    saved = console.downloaded(above(console, "edges.file.export"))
    (row,) = csv.DictReader(io.StringIO(saved.read_text("utf-8-sig")))
    assert (row["name"], row["address"], row["password"]) == (EDGE, edge, "")
    above(console, "edges.file.import").click()
    template = console.downloaded(console.button(console.t("edges.file.template"), console.dialog))
    head = template.read_text("utf-8-sig").splitlines()[0]
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    wrong.write_text(f"{head}\n,https://10.0.0.7,admin,x,,,\n{IMPORTED},ftp://x,admin,x,,,\n")
    right.write_text(f"{head}\n{IMPORTED},http://127.0.0.1:1,admin,x,,site=west,\n")
    choose(console, wrong)
    expect(console.dialog).to_contain_text(console.t("edges.file.nothing", count=2))
    for line in (2, 3):
        expect(console.dialog).to_contain_text(console.t("edges.file.line", line=line, reason=""))
    console.check()
    choose(console, right)
    console.said(console.t("edges.file.added", count=1))
    row_of = console.row(IMPORTED)
    expect(row_of).to_contain_text("site=west")
    expect(row_of).to_contain_text(console.t("edges.states.offline"))


def choose(console: Console, file: Path) -> None:
    """In the dialog: what was chosen before is replaced."""
    with console.page.expect_file_chooser() as choosing:
        console.dialog.get_by_label(console.t("edges.file.file")).click()
    choosing.value.set_files(str(file))
    console.button(console.t("edges.file.import"), console.dialog).click()


def test_it_is_deleted_by_its_name(console: Console) -> None:
    for name in (IMPORTED, EDGE):
        of_row(console, name, "edges.delete")
        expect(console.dialog).to_contain_text(console.t("edges.direct.deleteText"))
        console.field(console.t("edges.deleteType", name=name), console.dialog).fill(name)
        console.check()
        console.button(console.t("edges.delete"), console.dialog).click()
        expect(console.row(name)).to_have_count(0)
