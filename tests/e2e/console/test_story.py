"""A cluster's life in a browser, in one piece: from a control plane that nobody has visited yet to the
entry's end, by what the pages show and the commands that they print.
"""

from __future__ import annotations

import json
import queue
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from playwright.sync_api import Browser, Locator, expect

from harness.adoption import AgentHost
from harness.client import RawClient
from harness.console import Console, through_the_wizard
from harness.control import ADMIN, ControlProcess
from harness.mail import MailServer, text_of
from harness.node import HOST, fresh_name
from harness.packets import ConnAck, Connect
from harness.ports import free_port
from harness.rest_node import ADMIN as NODE_ADMIN
from harness.rest_node import PASSWORD as NODE_PASSWORD
from harness.rest_node import RestNode, rest_node
from harness.web_service import WebService, web_service
from rookery.control.alarms.catalogue import Kind
from rookery.control.alarms.push.messages import STATUS
from rookery.control.alarms.push.store import Event
from rookery.control.alarms.wording import name_of, say
from rookery.control.clusters.state import Condition, ConditionType
from rookery.control.clusters.texts import text_of as condition_text

ORG, PLANT, OTHER_PLANT, CLUSTER = "Factory", "Plant 1", "Plant 2", "press line"
COLLEAGUE, THEIR_PASSWORD = "grace@example.com", "Grace-hopper-7"
NIGHT_SHIFT = "night@example.com"
REPORT_S = 1
QUOTA_EXCEEDED = 0x97
CONNECTOR = {"type": "http", "name": "mes", "resource_opts": {"health_check_interval": "1s"}}
ACTION = {"type": "http", "name": "tell", "connector": "mes"}
RULE = {"id": "hot", "sql": 'SELECT payload FROM "t/#"', "actions": ["http:tell"]}


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlProcess]:
    """A control plane that nobody has visited yet."""
    sets = {
        "control.bind": f"{HOST}:{free_port()}",
        "control.relay.tcp": f"{HOST}:{free_port()}",
        "control.relay.tls": f"{HOST}:{free_port()}",
        "control.agents.report_interval": f"{REPORT_S}s",
        "control.doors.ports": "{0}-{0}".format(free_port()),
        "control.alarms.check_interval": f"{REPORT_S}s",
        # Mail and webhook go to this machine.
        "control.alarms.targets": "any",
    }
    arguments = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    process = ControlProcess(tmp_path_factory.mktemp("control"), *arguments)
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    folder = tmp_path_factory.mktemp("mail")
    with MailServer(folder, user="rookery", password="s3cret") as server:
        yield server


class Notices:
    """What people were told, by mail and by webhook."""

    def __init__(self, mail: MailServer, hook: WebService) -> None:
        self._takes: tuple[Callable[[], str], ...] = (
            partial(_mail_text, mail),
            partial(_call_text, hook),
        )
        self._seen: tuple[list[str], list[str]] = ([], [])

    def wait(self, kind: Kind, event: Event, language: str) -> None:
        """Wait until both have told that of the cluster; of other alarms they tell as well."""
        # Programs get a word that is the same in each language.
        for take, seen, status in zip(
            self._takes, self._seen, (say(STATUS[event], language), event), strict=True
        ):
            words = (name_of(kind, language), CLUSTER, status)
            while not any(all(word in told for word in words) for told in seen):
                try:
                    seen.append(take())
                except queue.Empty:
                    raise AssertionError(f"nobody was told {words}, only: {seen}") from None


def _mail_text(mail: MailServer) -> str:
    message = mail.next()
    return f"{message['To']} {message['Subject']} {text_of(message)}"


def _call_text(hook: WebService) -> str:
    return json.dumps(json.loads(hook.called().body), ensure_ascii=False)


@pytest.fixture(scope="module")
def notices(mail: MailServer, hook: WebService) -> Notices:
    return Notices(mail, hook)


@pytest.fixture(scope="module")
def hook() -> Iterator[WebService]:
    """Takes webhooks."""
    with web_service() as made:
        yield made


@pytest.fixture(scope="module")
def service() -> Iterator[WebService]:
    """What the cluster's connector leads to."""
    with web_service() as made:
        yield made


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, service: WebService) -> Iterator[RestNode]:
    """The cluster, with a rule that sends to a service; it comes back where it was."""
    settings = {
        "dashboard.listeners.http.bind": f"{HOST}:{free_port()}",
        "listeners.tcp.default.bind": f"{HOST}:{free_port()}",
    }
    with rest_node(tmp_path_factory.mktemp("node"), settings) as made:
        admin = made.admin
        connector = {**CONNECTOR, "url": service.url}
        for path, body in (("/connectors", connector), ("/actions", ACTION), ("/rules", RULE)):
            assert admin.post(path, body).status == 201
        yield made


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentHost]:
    made = AgentHost(tmp_path_factory.mktemp("host"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, control: ControlProcess, language: str) -> Iterator[Console]:
    shown = through_the_wizard(browser, control, language)
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


def clusters(console: Console) -> None:
    """Go to the clusters of the project."""
    console.page.get_by_role("link", name=console.t("shell.area.workbench")).click()
    console.titled("clusters.title")


def alarms(console: Console, tab: str) -> None:
    """Go to a tab of the page of the alarms."""
    console.page.get_by_role("link", name=console.t("shell.page.alarms"), exact=True).first.click()
    console.titled("alarms.title")
    console.page.get_by_role("tab", name=console.t(f"alarms.tabs.{tab}")).click()


def in_project(console: Console, name: str) -> None:
    """Choose a project at the top of the page."""
    console.page.get_by_role("banner").get_by_role("textbox").click()
    console.page.get_by_role("option", name=f"{ORG} / {name}").click()


def connect(clients: ExitStack, node: RestNode) -> int:
    """The reason code of another client's CONNACK; it stays."""
    client = clients.enter_context(RawClient(HOST, node.node.port, 5))
    client.send(Connect(fresh_name("c"), True, 60))
    return client.expect(ConnAck).reason_code


def run_the_commands(
    console: Console, node: RestNode, host: AgentHost, counts: tuple[int, ...]
) -> None:
    """What the drawer prints is pasted; after each, so many lines of the checklist are done."""
    console.button(console.t("register.token.issue"), console.dialog).click()
    # Of the platforms that are offered, this is the one of this machine.
    console.dialog.get_by_role("combobox").first.select_option("python")
    url = f"http://{HOST}:{node.port()}"
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


def test_the_wizard_leaves_a_tested_address_and_mail_that_arrives(
    console: Console, control: ControlProcess, mail: MailServer
) -> None:
    address = control.url.replace("http:", "https:")
    console.field(console.t("common.access.label")).fill(address)
    console.button(console.t("common.access.test")).click()
    expect(console.page.get_by_text(console.t("common.access.reached"))).to_be_visible()
    console.button(console.t("setup.address.finish")).click()
    server = mail.settings()
    for key in ("host", "port", "username", "sender"):
        console.field(console.t(f"common.mail.{key}")).fill(str(server[key]))
    console.secret(console.t("common.mail.password")).fill(server["password"])
    console.field(console.t("common.mail.authority")).fill(server["caCertificate"])
    console.button(console.t("common.mail.test")).click()
    expect(console.page.get_by_text(console.t("common.mail.sent"))).to_be_visible()
    assert mail.next()["To"] == ADMIN
    console.check()
    console.button(console.t("setup.mail.finish")).click()
    console.titled("guide.title")


def test_an_organization_has_two_projects_and_a_colleague_in_one(console: Console) -> None:
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
    console.open("/users", console.t("users.title"))
    console.button(console.t("users.add")).click()
    console.field(console.t("users.email"), console.dialog).fill(COLLEAGUE)
    console.field(console.t("users.personName"), console.dialog).fill("Grace")
    console.new_password(THEIR_PASSWORD)
    console.switch(console.t("users.password.mustChange")).click()
    console.choose(console.t("users.project"), f"{ORG} / {PLANT}", console.dialog)
    console.button(console.t("users.create"), console.dialog).click()
    console.said(console.t("users.saved"))


def test_the_commands_of_the_page_adopt_a_cluster(
    console: Console, node: RestNode, host: AgentHost
) -> None:
    clusters(console)
    in_project(console, PLANT)
    console.button(console.t("clusters.adopt")).first.click()
    console.field(console.t("clusters.clusterName"), console.dialog).fill(CLUSTER)
    address = console.field(console.t("clusters.clusterAddress"), console.dialog)
    address.fill(f"http://{HOST}:{node.port()}")
    console.button(console.t("clusters.create"), console.dialog).click()
    console.said(console.t("clusters.entryMade"))
    state(console, "created")
    console.button(console.t("clusters.registerOne", name=CLUSTER)).click()
    run_the_commands(console, node, host, (2, 3, 5))
    state(console, "running")
    expect(card(console)).to_contain_text("1/1")


def test_the_colleague_sees_it(browser: Browser, control: ControlProcess, console: Console) -> None:
    theirs = Console(browser, control.url, console.language)
    theirs.sign_in(COLLEAGUE, THEIR_PASSWORD)
    theirs.titled("clusters.title")
    state(theirs, "running")
    theirs.check()
    theirs.close()


def test_its_dashboard_opens_signed_in(console: Console) -> None:
    with console.context.expect_page() as opened:
        console.button(console.t("clusters.enterOne", name=CLUSTER)).click()
    dashboard = opened.value
    expect(dashboard.get_by_role("banner")).to_be_visible()
    assert "sso_code" not in dashboard.url
    dashboard.close()


def test_its_dashboard_opens_through_the_tunnel(
    browser: Browser, control: ControlProcess, console: Console
) -> None:
    # As from elsewhere, where it is HTTPS and cookies are guarded.
    address = control.url.replace("http:", "https:")
    theirs = Console(browser, address, console.language, trusts_all=True)
    theirs.sign_in(COLLEAGUE, THEIR_PASSWORD)
    theirs.titled("clusters.title")
    with theirs.context.expect_page() as opened:
        theirs.button(theirs.t("clusters.waysInto", name=CLUSTER)).click()
        theirs.page.get_by_role("menuitem", name=theirs.t("clusters.enterTunnel")).click()
    dashboard = opened.value
    expect(dashboard.get_by_role("banner")).to_be_visible()
    assert dashboard.url.startswith("https://")
    # A script of those pages sets cookies for the whole host, and gets at none of ours.
    seen = dashboard.evaluate(
        """() => {
            document.cookie = "__Host-Http-rookery_door_x=mine; Secure; Path=/";
            document.cookie = "own=1; Path=/";
            return document.cookie;
        }"""
    )
    assert "rookery_door" not in seen.replace("__Host-Http-rookery_door_x", "")
    dashboard.reload()
    expect(dashboard.get_by_role("banner")).to_be_visible()
    dashboard.close()
    theirs.page.reload()
    theirs.titled("clusters.title")
    theirs.close()


def test_people_are_to_be_told_of_alarms(console: Console, hook: WebService) -> None:
    alarms(console, "push")
    console.button(console.t("alarms.channel.add")).first.click()
    console.field(console.t("alarms.field.name"), console.dialog).fill("night")
    console.dialog.get_by_label(console.t("alarms.channel.recipients")).fill(NIGHT_SHIFT)
    console.dialog.get_by_label(console.t("alarms.media.webhook")).select_option("json")
    console.field(console.t("alarms.webhook.url"), console.dialog).fill(f"{hook.url}/alarm")
    console.check()
    console.button(console.t("alarms.save"), console.dialog).click()
    console.said(console.t("alarms.saved"))
    expect(console.row("night", NIGHT_SHIFT)).to_be_visible()


def test_a_service_that_is_gone_is_an_alarm_of_its_connector_and_of_the_rule(
    console: Console, service: WebService, notices: Notices
) -> None:
    kinds = (Kind.CONNECTOR_ABNORMAL, Kind.RULE_ABNORMAL)
    console.page.get_by_role("tab", name=console.t("alarms.tabs.current")).click()
    service.close()
    for kind in kinds:
        expect(console.row(name_of(kind, console.language), CLUSTER)).to_be_visible()
        notices.wait(kind, Event.FIRED, console.language)
    service.open()
    for kind in kinds:
        expect(console.row(name_of(kind, console.language), CLUSTER)).to_have_count(0)
        notices.wait(kind, Event.RESOLVED, console.language)


def test_a_cluster_that_stops_is_abnormal_and_people_are_told(
    console: Console, node: RestNode, notices: Notices
) -> None:
    clusters(console)
    node.node.stop()
    state(console, "abnormal")
    # The reason is on the card; the badge has all of them.
    kinds = (ConditionType.CLUSTER_UNREACHABLE, ConditionType.NODE_UNREACHABLE)
    reasons = (re.escape(condition_text(Condition(kind, 0), console.language)) for kind in kinds)
    expect(card(console)).to_contain_text(re.compile("|".join(reasons)))
    badge = card(console).get_by_role("button", name=console.t("clusters.states.abnormal"))
    badge.click()
    why = console.page.get_by_role("dialog")
    expect(why).to_contain_text(console.t("clusters.condition.ClusterUnreachable"))
    console.check()
    console.page.keyboard.press("Escape")
    alarms(console, "current")
    name = name_of(Kind.CLUSTER_UNREACHABLE, console.language)
    row = console.row(name, CLUSTER)
    expect(row).to_contain_text(console.t("alarms.severities.critical"))
    notices.wait(Kind.CLUSTER_UNREACHABLE, Event.FIRED, console.language)


def test_it_comes_back_and_people_are_told(
    console: Console, node: RestNode, notices: Notices
) -> None:
    name = name_of(Kind.CLUSTER_UNREACHABLE, console.language)
    node.node.start()
    expect(console.row(name, CLUSTER)).to_have_count(0)
    notices.wait(Kind.CLUSTER_UNREACHABLE, Event.RESOLVED, console.language)
    console.page.get_by_role("tab", name=console.t("alarms.tabs.history")).click()
    expect(console.row(name, CLUSTER)).to_contain_text(console.t("alarms.endReasons.recovered"))
    console.check()
    clusters(console)
    state(console, "running")


def test_its_connection_limit_is_changed_and_holds_for_clients(
    console: Console, node: RestNode
) -> None:
    menu(console, "clusters.changeLimit")
    main = console.page.get_by_role("main")
    facts = main.locator("dl")
    # The ten of a new cluster.
    expect(facts).to_contain_text(console.t("quota.holds.inForce"))
    console.field(console.t("quota.limit"), main).fill("2")
    console.check()
    console.button(console.t("quota.save")).click()
    # By the cluster's own report.
    expect(facts.get_by_text("2", exact=True)).to_have_count(2)
    expect(facts).to_contain_text(console.t("quota.holds.inForce"))
    tabs = console.page.get_by_role("list", name=console.t("shell.tab.label"))
    tabs.get_by_role("link", name=console.t("shell.tab.commands")).click()
    # The latest is the first below the heads.
    row = console.page.get_by_role("row").nth(1)
    expect(row).to_contain_text(console.t("commands.states.succeeded"))
    console.check()
    tabs.get_by_role("link", name=console.t("shell.tab.overview")).click()
    expect(main).to_contain_text("/ 2")
    with ExitStack() as clients:
        assert [connect(clients, node) for _ in range(3)] == [0, 0, QUOTA_EXCEEDED]
    console.page.get_by_role("link", name=console.t("shell.tab.back")).click()
    console.titled("clusters.title")


def test_it_is_transferred(console: Console) -> None:
    menu(console, "clusters.transfer")
    console.choose(console.t("clusters.targetProject"), f"{ORG} / {OTHER_PLANT}", console.dialog)
    console.check()
    console.button(console.t("clusters.transfer"), console.dialog).click()
    console.said(console.t("clusters.transferred"))
    expect(card(console)).to_have_count(0)
    in_project(console, OTHER_PLANT)
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
