"""A cluster is adopted in a browser: by the commands of the page, watched on the page, and let go."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from harness.adoption import AgentHost
from harness.console import Console
from harness.control import ADMIN, PASSWORD, ControlProcess
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode, rest_node

CLUSTER = "press line"
REPORT_S = 1


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    """A control plane with two projects and nothing in them."""
    sets = {
        "control.bind": f"127.0.0.1:{free_port()}",
        "control.relay.tcp": f"127.0.0.1:{free_port()}",
        "control.relay.tls": f"127.0.0.1:{free_port()}",
        "control.agents.report_interval": f"{REPORT_S}s",
    }
    arguments = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    process = ControlProcess(tmp_path_factory.mktemp("control"), *arguments)
    process.start()
    try:
        address = process.url.replace("http:", "https:")
        given = {"email": ADMIN, "password": PASSWORD, "name": "Ada", "accessAddress": address}
        _post(process, "/setup", given)
        signed_in = _post(process, "/login", {"email": ADMIN, "password": PASSWORD})
        token = signed_in["accessToken"]
        org = _post(process, "/orgs", {"name": "Factory"}, token)
        for name in ("Plant 1", "Plant 2"):
            _post(process, f"/orgs/{org['id']}/projects", {"name": name}, token)
        yield process
    finally:
        process.stop()


def _post(process: ControlProcess, path: str, body: object, token: str = "") -> Any:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    if not token:
        del headers["authorization"]
    asked = urllib.request.Request(
        f"{process.url}/api{path}", json.dumps(body).encode(), headers, method="POST"
    )
    with urllib.request.urlopen(asked) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestNode]:
    # It comes back where it was.
    settings = {"dashboard.listeners.http.bind": f"127.0.0.1:{free_port()}"}
    with rest_node(tmp_path_factory.mktemp("node"), settings) as made:
        yield made


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentHost]:
    made = AgentHost(tmp_path_factory.mktemp("host"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, control: ControlProcess, language: str) -> Iterator[Console]:
    shown = Console(browser, control.url, language)
    shown.sign_in()
    shown.titled("clusters.title")
    yield shown
    shown.close()


def card(console: Console) -> Locator:
    return console.page.get_by_role("article", name=CLUSTER)


def state(console: Console, name: str) -> None:
    """Wait until the page shows the cluster in that state; nobody reloads it."""
    badge = card(console).get_by_role("button", name=console.t(f"clusters.states.{name}"))
    expect(badge).to_be_visible()


def menu(console: Console, key: str) -> None:
    """Choose something from the menu of the cluster."""
    console.button(console.t("clusters.moreOf", name=CLUSTER)).click()
    console.page.get_by_role("menuitem", name=console.t(key), exact=True).click()


def run_the_commands(
    console: Console, node: RestNode, host: AgentHost, counts: tuple[int, ...]
) -> None:
    """What the drawer prints is pasted; after each, so many lines of the checklist are done."""
    console.button(console.t("register.token.issue"), console.dialog).click()
    console.dialog.get_by_role("combobox").first.select_option("python")
    url = f"http://127.0.0.1:{node.port()}"
    # Their labels are the control plane's own; the order is that of the description.
    boxes = console.dialog.get_by_role("textbox")
    for index, typed in enumerate((NODE_ADMIN, NODE_PASSWORD, url, url)):
        boxes.nth(index).fill(typed)
    commands = console.dialog.locator(".command[data-insecure=false] code")
    expect(commands).to_have_count(3)
    steps = console.dialog.get_by_role("list", name=console.t("register.progress"))
    done = steps.locator("li[data-done=true]")
    for command, count in zip(commands.all_inner_texts(), counts, strict=True):
        host.run(command)
        expect(done).to_have_count(count)
    console.check()
    console.page.keyboard.press("Escape")
    expect(console.dialog).to_have_count(0)


def test_the_commands_of_the_page_adopt_a_cluster(
    console: Console, node: RestNode, host: AgentHost
) -> None:
    console.button(console.t("clusters.adopt")).first.click()
    console.field(console.t("clusters.clusterName"), console.dialog).fill(CLUSTER)
    address = console.field(console.t("clusters.clusterAddress"), console.dialog)
    address.fill(f"http://127.0.0.1:{node.port()}")
    console.button(console.t("clusters.create"), console.dialog).click()
    console.said(console.t("clusters.entryMade"))
    state(console, "created")
    console.button(console.t("clusters.registerOne", name=CLUSTER)).click()
    run_the_commands(console, node, host, (2, 3, 5))
    state(console, "running")
    expect(card(console)).to_contain_text("1/1")


def test_its_dashboard_opens_signed_in(console: Console) -> None:
    with console.context.expect_page() as opened:
        console.button(console.t("clusters.enterOne", name=CLUSTER)).click()
    dashboard = opened.value
    expect(dashboard.get_by_role("banner")).to_be_visible()
    assert "sso_code" not in dashboard.url
    dashboard.close()


def test_its_connection_limit_is_changed_and_the_command_is_seen(console: Console) -> None:
    menu(console, "clusters.changeLimit")
    main = console.page.get_by_role("main")
    facts = main.locator("dl")
    # The ten of a new cluster.
    expect(facts).to_contain_text(console.t("quota.holds.inForce"))
    console.field(console.t("quota.limit"), main).fill("25")
    console.check()
    console.button(console.t("quota.save")).click()
    expect(facts).to_contain_text("25")
    tabs = console.page.get_by_role("list", name=console.t("shell.tab.label"))
    tabs.get_by_role("link", name=console.t("shell.tab.commands")).click()
    row = console.page.get_by_role("row").filter(has_text="25")
    expect(row).to_contain_text(console.t("commands.states.succeeded"))
    console.check()
    tabs.get_by_role("link", name=console.t("shell.tab.overview")).click()
    expect(main).to_contain_text("/ 25")
    console.page.get_by_role("link", name=console.t("shell.tab.back")).click()
    console.titled("clusters.title")


def test_a_cluster_that_stops_is_abnormal_and_the_badge_says_why(
    console: Console, node: RestNode
) -> None:
    node.node.stop()
    state(console, "abnormal")
    badge = card(console).get_by_role("button", name=console.t("clusters.states.abnormal"))
    badge.click()
    why = console.page.get_by_role("dialog")
    expect(why).to_contain_text(console.t("clusters.condition.ClusterUnreachable"))
    console.check()
    console.page.keyboard.press("Escape")
    node.node.start()
    state(console, "running")


def test_it_is_transferred(console: Console) -> None:
    menu(console, "clusters.transfer")
    console.choose(console.t("clusters.targetProject"), "Factory / Plant 2", console.dialog)
    console.check()
    console.button(console.t("clusters.transfer"), console.dialog).click()
    console.said(console.t("clusters.transferred"))
    expect(card(console)).to_have_count(0)
    switcher = console.page.get_by_role("banner").get_by_role("textbox")
    switcher.click()
    console.page.get_by_role("option", name="Factory / Plant 2").click()
    state(console, "running")


def test_it_is_let_go_adopted_again_and_deleted(
    console: Console, node: RestNode, host: AgentHost
) -> None:
    menu(console, "clusters.unregister")
    console.agree(console.t("clusters.unregister"))
    state(console, "created")
    host.wait_until_removed()
    console.button(console.t("clusters.registerOne", name=CLUSTER)).click()
    # The agent still runs: it connects as soon as it is registered.
    run_the_commands(console, node, host, (2, 5, 5))
    state(console, "running")
    menu(console, "clusters.delete.action")
    button = console.button(console.t("clusters.delete.action"), console.dialog)
    expect(button).to_be_disabled()
    console.field(console.t("clusters.delete.type", name=CLUSTER), console.dialog).fill(CLUSTER)
    console.check()
    button.click()
    console.said(console.t("clusters.deleteBegun"))
    expect(card(console)).to_have_count(0)
    expect(console.page.get_by_text(console.t("clusters.empty.title"))).to_be_visible()
