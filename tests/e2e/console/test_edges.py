"""An edge service is adopted through its agent, with TLS and client certificates, in a browser: the steps of the
document about agents, from a control plane and an edge service that nobody has visited yet to the end of both.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from harness.client import DEADLINE_S
from harness.console import Console, through_the_wizard
from harness.control import ControlProcess
from harness.dashboard import DEADLINE_MS, text
from harness.edge import EdgeProcess
from harness.edge_pages import EdgePages, need_edge_pages
from harness.node import HOST
from harness.ports import free_port
from harness.role_command import command

ORG, PLANT, OTHER_PLANT = "Factory", "Plant 1", "Plant 2"
EDGE, DESCRIBED, DEVICE = "press-7", "Press line 7", "press"


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Steps 1 and 2: certificates for the relay and for the edge service."""
    folder = tmp_path_factory.mktemp("certs") / "made"
    words = ("tls", "init", "--relay", "--dir", str(folder))
    subprocess.run([str(command()), *words], check=True, capture_output=True, timeout=DEADLINE_S)
    return folder


@pytest.fixture(scope="module")
def relay_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def control(
    tmp_path_factory: pytest.TempPathFactory, certs: Path, relay_port: int
) -> Iterator[ControlProcess]:
    """Steps 3 to 7: the port with TLS wants certificates of edge services."""
    options = "control.relay.ssl_options"
    sets = {
        "control.relay.tls": f"{HOST}:{relay_port}",
        "control.agents.report_interval": "1s",
        f"{options}.certfile": certs / "server.pem",
        f"{options}.keyfile": certs / "server.key",
        f"{options}.cacertfile": certs / "ca.pem",
        f"{options}.verify_peer": "true",
        f"{options}.fail_if_no_peer_cert": "true",
        "control.mqtt.cacertFile": certs / "ca.pem",
        "control.mqtt.certFile": certs / "edge.pem",
        "control.mqtt.keyFile": certs / "edge.key",
    }
    arguments = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    process = ControlProcess(tmp_path_factory.mktemp("control"), *arguments)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeProcess]:
    need_edge_pages()
    running = EdgeProcess(tmp_path_factory.mktemp("edge") / "data")
    running.start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def signed_in(browser: Browser, control: ControlProcess, language: str) -> Iterator[Console]:
    shown = through_the_wizard(browser, control, language)
    yield shown
    shown.close()


@pytest.fixture(scope="module")
def pages_of_edge(browser: Browser, edge: EdgeProcess, language: str) -> Iterator[EdgePages]:
    pages = EdgePages(browser, edge.url, language)
    pages.first_visit()
    yield pages
    pages.close()


@pytest.fixture
def pages(pages_of_edge: EdgePages) -> Iterator[EdgePages]:
    yield pages_of_edge
    pages_of_edge.check()


def upload(pages: EdgePages, name: str, file: Path) -> None:
    """Choose a certificate file of the form."""
    label = pages.t("agent.chooseOf", label=pages.t(f"agent.file.{name}"))
    with pages.page.expect_file_chooser() as choosing:
        pages.button(label).click()
    choosing.value.set_files(str(file))
    expect(pages.page.get_by_text(pages.t("agent.fileChosen", name=file.name))).to_be_visible()


def flip(pages: EdgePages, label: str) -> None:
    """A switch with a sentence below its name."""
    pages.page.get_by_label(label).first.click()


def agent_state(pages: EdgePages, word: str) -> None:
    """Wait until the page of the edge service shows that."""
    badge = pages.page.get_by_role("status").filter(has_text=pages.t(f"agent.state.{word}"))
    expect(badge.first).to_be_visible()


def agents(console: Console) -> None:
    console.open("/agents", console.t("edgeAgents.title"))


def menu(console: Console, key: str) -> None:
    console.button(console.t("edges.moreOf", name=EDGE)).click()
    console.page.get_by_role("menuitem", name=console.t(key), exact=True).click()


def opened_pages(console: Console, button: Locator) -> Page:
    """The edge service's own pages, in a window of their own."""
    with console.context.expect_page() as waiting:
        button.click()
    page = waiting.value
    page.set_default_timeout(DEADLINE_MS)
    return page


def test_the_wizard_and_two_projects(console: Console, control: ControlProcess) -> None:
    address = control.url.replace("http:", "https:")
    console.field(console.t("common.access.label")).fill(address)
    console.button(console.t("common.access.test")).click()
    expect(console.page.get_by_text(console.t("common.access.reached"))).to_be_visible()
    console.button(console.t("setup.address.finish")).click()
    console.button(console.t("setup.mail.later")).click()
    console.titled("guide.title")
    console.open("/orgs", console.t("orgs.title"))
    console.button(console.t("orgs.add")).first.click()
    console.field(console.t("orgs.field.name"), console.dialog).fill(ORG)
    console.button(console.t("orgs.create"), console.dialog).click()
    console.said(console.t("orgs.created"))
    console.open("/projects", console.t("projects.title"))
    for name in (OTHER_PLANT, PLANT):
        console.button(console.t("projects.add")).first.click()
        console.field(console.t("projects.field.name"), console.dialog).fill(name)
        console.button(console.t("projects.create"), console.dialog).click()
        console.said(console.t("projects.created"))


def test_the_empty_page_says_how_to_connect(console: Console, relay_port: int) -> None:
    agents(console)
    expect(console.page.get_by_text(console.t("edgeAgents.empty.title"))).to_be_visible()
    expect(console.page.get_by_text(f":{relay_port}")).to_be_visible()
    expect(console.page.get_by_role("alert")).to_contain_text(
        console.t("edgeAgents.enrolment.defaultTitle")
    )


def test_the_settings_show_the_relay_and_export_certificates(console: Console) -> None:
    console.open("/settings", console.t("settings.title"))
    expect(console.page.get_by_text(console.t("common.state.connected")).first).to_be_visible()
    expect(console.page.get_by_text(console.t("settings.relay.ask.must"))).to_be_visible()
    saved = console.downloaded(console.button(console.t("settings.relay.export")))
    assert saved.read_bytes().startswith(b"PK")


def test_without_a_certificate_the_edge_says_why_it_is_refused(
    pages: EdgePages, relay_port: int
) -> None:
    pages.go("agent")
    pages.titled("agent.title")
    agent_state(pages, "init")
    pages.check()
    flip(pages, pages.t("agent.enable"))
    pages.field(pages.t("agent.address")).fill(f"{HOST}:{relay_port}")
    pages.secret(pages.t("agent.password")).fill("public")
    pages.field(pages.t("agent.field.description")).fill(DESCRIBED)
    flip(pages, "SSL/TLS")
    pages.button(pages.t("agent.save")).click()
    pages.said(pages.t("agent.saved"))
    expect(pages.page.get_by_text(pages.t("agent.lastError"))).to_be_visible()


def test_with_its_certificates_it_enrols(pages: EdgePages, certs: Path) -> None:
    upload(pages, "rootCA", certs / "ca.pem")
    upload(pages, "certificate", certs / "edge.pem")
    upload(pages, "privateKey", certs / "edge.key")
    pages.check()
    pages.button(pages.t("agent.save")).click()
    pages.said(pages.t("agent.saved"))
    agent_state(pages, "pending")
    expect(pages.page.get_by_text(pages.t("agent.lastError"))).to_have_count(0)


def test_it_is_adopted_into_a_project(console: Console, pages_of_edge: EdgePages) -> None:
    agents(console)
    row = console.row(DESCRIBED)
    expect(row).to_contain_text(console.t("edgeAgents.states.pending"))
    expect(row).to_contain_text(console.t("edgeAgents.presences.online"))
    console.check()
    row.get_by_role("button", name=console.t("edgeAgents.adopt"), exact=False).first.click()
    console.field(console.t("edgeAgents.serviceName"), console.dialog).fill(EDGE)
    console.dialog.get_by_role("textbox").nth(1).click()
    console.page.get_by_role("option", name=f"{ORG} / {PLANT}", exact=True).click()
    console.check()
    console.button(console.t("edgeAgents.adopt"), console.dialog).click()
    console.said(console.t("edgeAgents.adopted"))
    expect(row).to_contain_text(console.t("edgeAgents.states.managed"))
    # Only after its edge service is un-adopted.
    expect(row.get_by_role("button").last).to_be_disabled()
    agent_state(pages_of_edge, "connected")
    expect(pages_of_edge.page.get_by_text(f"{ORG} / {PLANT}")).to_be_visible()


def test_its_own_pages_are_used_through_the_agent(console: Console) -> None:
    console.row(DESCRIBED).get_by_role("link", name=EDGE).click()
    expect(console.page.get_by_role("heading", level=1)).to_have_text(EDGE)
    expect(console.page.get_by_text(console.t("edges.states.running")).first).to_be_visible()
    console.check()
    page = opened_pages(console, console.button(console.t("edges.openOne", name=EDGE)))
    own = EdgePagesThere(page, console.language)
    own.add_device(DEVICE)
    page.close()
    # What was added there is in its next report.
    expect(console.row(DEVICE)).to_be_visible()


class EdgePagesThere:
    """The pages of an edge service, shown through the control plane."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self._texts = EdgePages.texts
        self._language = language

    def t(self, key: str, **values: object) -> str:
        return text(self._language, key, self._texts, **values)

    def add_device(self, name: str) -> None:
        """A simulator, with the settings that it has."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(
            self.t("nodes.drivers.title")
        )
        self.page.get_by_role("button", name=self.t("nodes.drivers.add")).first.click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("textbox", name=self.t("nodes.field.name")).first.fill(name)
        dialog.get_by_role("textbox", name=self.t("nodes.plugin")).first.click()
        plugin = "Simulator" if self._language == "en" else "模拟器"
        self.page.get_by_role("option", name=plugin, exact=True).click()
        dialog.get_by_role("button", name=self.t("nodes.create"), exact=True).click()
        expect(dialog).to_contain_text(self.t("common.settingsOf", name=name))
        dialog.get_by_role("button", name=self.t("common.save"), exact=True).click()
        row = self.page.get_by_role("row").filter(has_text=name)
        expect(row).to_contain_text(self.t("common.state.connected"))


def test_it_moves_to_another_project_and_is_let_go(console: Console) -> None:
    console.allow(r"GET /api/orgs/\w+/projects/\w+/edgeservices/\w+(/metrics)? 404")
    menu(console, "edges.transfer")
    console.choose(console.t("edges.target"), f"{ORG} / {OTHER_PLANT}", console.dialog)
    console.button(console.t("edges.transfer"), console.dialog).click()
    console.said(console.t("edges.transferred"))
    agents(console)
    console.row(DESCRIBED).get_by_role("link", name=EDGE).click()
    expect(console.page.get_by_role("heading", level=1)).to_have_text(EDGE)
    # The page asks once more for what is gone, before it leaves.
    console.allow(r"GET /api/orgs/\w+/projects/\w+/edgeservices/\w+(/metrics)? 404")
    menu(console, "edges.unadopt")
    console.agree(console.t("edges.unadopt"))
    console.said(console.t("edges.unadopted"))
    agents(console)
    row = console.row(DESCRIBED)
    expect(row).to_contain_text(console.t("edgeAgents.states.pending"))


def test_it_is_deleted_and_learns_it(console: Console, pages: EdgePages) -> None:
    row = console.row(DESCRIBED)
    row.get_by_role("button").last.click()
    console.agree(console.t("edgeAgents.delete"))
    console.said(console.t("edgeAgents.deleted"))
    expect(console.page.get_by_text(console.t("edgeAgents.empty.title"))).to_be_visible()
    agent_state(pages, "removed")
