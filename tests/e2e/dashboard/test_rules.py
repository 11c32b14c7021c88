"""Pages of the data integration: a rule that calls a service, and the truth when the service is gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest
from playwright.sync_api import Locator, expect

from harness.client import RawClient
from harness.dashboard import Dashboard, ports_of
from harness.databases import Server, postgresql_server
from harness.mosquitto import Mosquitto, mosquitto
from harness.node import HOST, fresh_name
from harness.operator import Operator
from harness.packets import Connect
from harness.web_sink import WebSink

INSERT = "INSERT INTO alarms (line, temp) VALUES (${topic}, ${temp})"
READ = "SELECT temp FROM alarms WHERE line LIKE '{}/%' ORDER BY id"

# The one that goes away, and the one that stays.
Services = tuple[WebSink, Server]


def asked(server: Server, statement: str) -> list[int]:
    """What a statement gives; in a thread, because this one drives the browser."""

    async def ask() -> list[int]:
        connection = await asyncpg.connect(
            host=server.host,
            port=server.port,
            user="rookery",
            password="it's secret",
            database="postgres",
        )
        try:
            return [row[0] for row in await connection.fetch(statement)]
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(ask())).result()


@pytest.fixture(scope="module")
def alarms() -> Iterator[Server]:
    """A database with a table of alarms."""
    with postgresql_server() as server:
        asked(server, "CREATE TABLE alarms (id SERIAL PRIMARY KEY, line TEXT, temp INTEGER)")
        yield server


@pytest.fixture
def sink() -> Iterator[WebSink]:
    running = WebSink()
    yield running
    running.stop()


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Mosquitto]:
    """Another broker."""
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def clean(operator: Operator) -> Iterator[None]:
    """Whatever becomes of the test, the next one finds nothing."""
    yield
    for rule in operator.rest.get("/rules?limit=1000")["data"]:
        operator.rest.delete(f"/rules/{rule['id']}")
    for kind in ("actions", "sources", "connectors"):
        for row in operator.rest.get(f"/{kind}"):
            operator.rest.delete(f"/{kind}/{quote(row['type'] + ':' + row['name'], safe='')}")


class Pages:
    """What somebody does on these pages."""

    def __init__(self, dashboard: Dashboard, operator: Operator) -> None:
        self.dashboard = dashboard
        self.t = dashboard.t
        self._types: dict[str, Any] = {
            row["type"]: row for row in operator.rest.get("/connector_types")
        }

    def title(self, type_: str) -> str:
        return self._said(self._types[type_])

    def fill(self, type_: str, role: str, values: dict[str, str]) -> None:
        """Fill in fields of the form, named by their paths in the schema."""
        schema = self._types[type_][role]
        for path, value in values.items():
            part = schema
            for step in path.split("."):
                target = part.get("$ref", "").rpartition("/")[2]
                part = (schema["$defs"][target] if target else part)["properties"][step]
            label = self._said({**part, "title_zh": part.get("x-zh", {}).get("title")})
            find = self.dashboard.secret if part.get("writeOnly") else self.dashboard.field
            find(label, self.dialog).fill(value)

    def _said(self, words: dict[str, Any]) -> str:
        key = "title_zh" if self.dashboard.language == "zh" else "title"
        return str(words.get(key) or words["title"])

    def choose_type(self, type_: str) -> None:
        self.dialog.get_by_role("button").filter(has_text=self.title(type_)).first.click()

    @property
    def dialog(self) -> Locator:
        """The one on top."""
        return self.dashboard.dialog.last

    def make_connector(self, type_: str, name: str, values: dict[str, str]) -> None:
        """From the list of connectors to the page of a new one."""
        t = self.t
        self.dashboard.open("/connectors", t("integration.connectors.title"))
        self.dashboard.button(t("integration.connector.add")).first.click()
        self.choose_type(type_)
        self.dashboard.field(t("common.field.name"), self.dialog).fill(name)
        self.fill(type_, "connector", values)
        self.dashboard.button(t("integration.probe.action"), self.dialog).click()
        good = self.dialog.get_by_text(t("integration.probe.good"), exact=True)
        expect(good).to_be_visible()
        self.dashboard.check()
        self.dashboard.button(t("common.create"), self.dialog).click()
        self.dashboard.said(t("common.saved"))
        self.heading(f"{type_}:{name}")
        self.says("connected")

    def make_action(self, type_: str, name: str, values: dict[str, str]) -> None:
        """In place, where the outputs of a rule are."""
        t = self.t
        self.dashboard.button(t("rules.outputs.newAction")).click()
        self.choose_type(type_)
        self.dashboard.field(t("common.field.name"), self.dialog).fill(name)
        self.dashboard.choose(t("integration.connector.one"), name, self.dialog)
        self.fill(type_, "action", values)
        self.dashboard.check()
        self.dashboard.button(t("common.create"), self.dialog).click()
        self.dashboard.said(t("common.saved"))
        outputs = self.dashboard.page.get_by_role("list", name=t("rules.outputs.title"))
        expect(outputs).to_contain_text(f"{type_}:{name}")

    def make_source(self, type_: str, name: str, values: dict[str, str]) -> None:
        """From the list of sources, which is empty, to the page of a new one."""
        t = self.t
        self.dashboard.open("/sources", t("integration.sources.title"))
        expect(
            self.dashboard.page.get_by_text(t("integration.sources.empty.title"))
        ).to_be_visible()
        self.dashboard.button(t("integration.sources.add")).first.click()
        self.choose_type(type_)
        self.dashboard.field(t("common.field.name"), self.dialog).fill(name)
        self.dashboard.choose(t("integration.connector.one"), name, self.dialog)
        self.fill(type_, "source", values)
        self.dashboard.check()
        self.dashboard.button(t("common.create"), self.dialog).click()
        self.dashboard.said(t("common.saved"))
        self.heading(f"{type_}:{name}")
        self.says("connected")

    def write_sql(self, sql: str) -> None:
        editor = self.dashboard.page.get_by_role("textbox", name=self.t("rules.sql"), exact=True)
        editor.click()
        keyboard = self.dashboard.page.keyboard
        keyboard.press("Control+a")
        keyboard.insert_text(sql)

    def heading(self, text: str) -> None:
        expect(self.dashboard.page.get_by_role("heading", level=1)).to_have_text(text)
        self.dashboard.settle()

    def says(self, state: str) -> None:
        """The page tells that state, in its language."""
        word = self.t(f"common.state.{state}")
        expect(
            self.dashboard.page.get_by_role("main").get_by_text(word, exact=True).first
        ).to_be_visible()

    def figure(self, card: str, key: str) -> Locator:
        """A counter below the heading `card`."""
        page = self.dashboard.page
        held = page.locator(".facts-card").filter(
            has=page.get_by_role("heading", name=card, exact=True)
        )
        return held.locator(f'[data-figure="{key}"]')


@pytest.fixture
def pages(dashboard: Dashboard, operator: Operator) -> Pages:
    return Pages(dashboard, operator)


def publish(operator: Operator, topic: str, temperatures: list[int]) -> None:
    with operator.login() as client:
        for temperature in temperatures:
            client.publish(topic, json.dumps({"temp": temperature}).encode(), qos=1)


def make_rule(pages: Pages, name: str, line: str) -> None:
    """Write it, try it, make its actions in place, save it."""
    dashboard, t = pages.dashboard, pages.t
    dashboard.open("/rules", t("rules.title"))
    expect(dashboard.page.get_by_text(t("rules.empty.title"))).to_be_visible()
    dashboard.page.get_by_role("link", name=t("rules.add"), exact=True).first.click()
    pages.heading(t("rules.new.title"))
    dashboard.field(t("rules.id")).fill(name)
    pages.write_sql(
        f'SELECT payload.temp AS temp, clientid, topic\nFROM "{line}/+"\nWHERE payload.temp > 80'
    )
    pages.make_action("http", name, {"parameters.path": "/alarms"})
    pages.make_action("pgsql", name, {"parameters.sql": INSERT})
    result = dashboard.page.get_by_role("status", name=t("rules.test.result"))
    dashboard.field("payload").fill('{"temp": 20}')
    expect(result).to_contain_text(t("rules.test.none.title"))
    dashboard.field("payload").fill('{"temp": 81}')
    expect(result).to_contain_text('"temp": 81')
    dashboard.check()
    dashboard.button(t("common.create")).click()
    dashboard.said(t("common.saved"))
    pages.heading(name)
    pages.says("connected")


def outage(pages: Pages, operator: Operator, names: tuple[str, str], services: Services) -> None:
    """The HTTP service goes and comes back while messages come; the pages tell each step."""
    dashboard, t = pages.dashboard, pages.t
    (name, line), (sink, alarms) = names, services
    action = f"http:{name}"
    sink.stop()
    publish(operator, f"{line}/a", [92, 93])
    picture = dashboard.page.get_by_role("region", name=t("rules.flow.title"))
    expect(picture).to_contain_text(t("common.state.disconnected"))
    expect(picture).to_contain_text(t("rules.flow.actionCounts", success=2, failed=0, waiting=2))
    expect(pages.figure(f"pgsql:{name}", "success")).to_have_text("4")
    assert asked(alarms, READ.format(line)) == [90, 91, 92, 93]
    dashboard.check()
    picture.get_by_role("link").filter(has_text=action).click()
    pages.heading(action)
    pages.says("disconnected")
    expect(dashboard.page.locator(".status-cell")).to_contain_text(sink.url.removeprefix("http://"))
    dashboard.check()

    sink.start()
    pages.says("connected")
    expect(pages.figure(t("integration.figures.title"), "success")).to_have_text("4")
    expect(pages.figure(t("integration.figures.title"), "queuing")).to_have_text("0")
    assert [row["temp"] for row in sink.taken] == [90, 91, 92, 93]
    dashboard.button(t("integration.figures.reset.one", name=action)).click()
    dashboard.agree(t("integration.figures.reset.action"))
    dashboard.said(t("integration.figures.reset.done"))
    expect(pages.figure(t("integration.figures.title"), "success")).to_have_text("0")


def take_apart(pages: Pages, operator: Operator, name: str, line: str) -> None:
    """What is in use is not deleted; then everything is, rule first."""
    dashboard, t = pages.dashboard, pages.t
    action = f"http:{name}"
    dashboard.open("/connectors", t("integration.connectors.title"))
    dashboard.button(t("common.deleteOne", name=action)).click()
    expect(dashboard.dialog).to_contain_text(t("integration.delete.used"))
    dashboard.check()
    dashboard.button(t("common.close"), dashboard.dialog).first.click()

    dashboard.open("/rules", t("rules.title"))
    expect(dashboard.row(name, f"{line}/+").locator('[data-figure="passed"]')).to_have_text("4")
    dashboard.page.get_by_role("switch", name=t("rules.enableOne", name=name)).locator(
        "xpath=.."
    ).click()
    dashboard.said(t("common.saved"))
    assert operator.rest.get(f"/rules/{name}")["enable"] is False
    dashboard.button(t("common.deleteOne", name=name)).click()
    expect(dashboard.dialog).to_contain_text(action)
    dashboard.agree(t("common.delete"))
    dashboard.said(t("common.deleted"))
    for kind in ("actions", "connectors"):
        dashboard.open(f"/{kind}", t(f"integration.{kind}.title"))
        for each in (action, f"pgsql:{name}"):
            dashboard.button(t("common.deleteOne", name=each)).click()
            dashboard.button(t("integration.delete.action"), dashboard.dialog).click()
            dashboard.said(t("common.deleted"))
        expect(dashboard.page.get_by_text(t(f"integration.{kind}.empty.title"))).to_be_visible()


@pytest.mark.usefixtures("clean")
def test_a_rule_tells_the_truth_while_its_service_is_gone(
    pages: Pages, operator: Operator, sink: WebSink, alarms: Server
) -> None:
    name, line = fresh_name("plant"), fresh_name("line")
    pages.make_connector("http", name, {"url": sink.url})
    account = {"server": alarms.address, "database": "postgres"}
    pages.make_connector(
        "pgsql", name, {**account, "username": "rookery", "password": "it's secret"}
    )
    make_rule(pages, name, line)

    publish(operator, f"{line}/a", [90, 20, 91])
    expect(pages.figure(f"http:{name}", "success")).to_have_text("2")
    expect(pages.figure(pages.t("rules.figures.rule"), "matched")).to_have_text("3")
    expect(pages.figure(pages.t("rules.figures.rule"), "failed.no_result")).to_have_text("1")
    assert [row["temp"] for row in sink.taken] == [90, 91]
    expect(pages.figure(f"pgsql:{name}", "success")).to_have_text("2")

    outage(pages, operator, (name, line), (sink, alarms))
    take_apart(pages, operator, name, line)


@pytest.mark.usefixtures("clean")
def test_a_mistake_is_shown_where_it_is_and_nothing_is_saved(
    pages: Pages, operator: Operator
) -> None:
    dashboard, t = pages.dashboard, pages.t
    dashboard.allow(r"POST /api/v5/rules 400$")
    dashboard.open("/rules/new", t("rules.new.title"))
    pages.write_sql('SELECT payload.a +\nFROM "t/#"')
    place = dashboard.page.get_by_text(t("rules.mistake", line=2, column=1), exact=True)
    expect(place).to_be_visible()
    expect(dashboard.page.locator(".cm-lintRange-error")).to_be_visible()
    dashboard.button(t("common.create")).click()
    expect(place).to_be_visible()
    assert operator.rest.get("/rules")["data"] == []
    dashboard.check()


@pytest.mark.usefixtures("clean")
def test_the_editor_knows_what_can_be_written(pages: Pages) -> None:
    dashboard, t = pages.dashboard, pages.t
    dashboard.open("/rules/new", t("rules.new.title"))
    pages.write_sql('SELECT \nFROM "t/#"')
    keyboard = dashboard.page.keyboard
    offered = dashboard.page.get_by_role("listbox").get_by_role("option")
    keyboard.press("Control+Home")
    keyboard.press("End")
    keyboard.type("publish_rec")
    expect(offered.filter(has_text="publish_received_at")).to_be_visible()
    keyboard.press("Enter")
    keyboard.type(", json_dec")
    expect(offered.filter(has_text="json_decode")).to_be_visible()
    keyboard.press("Escape")
    keyboard.press("Control+End")
    keyboard.type(', "$events/cl')
    expect(offered.filter(has_text="client/connected").first).to_be_visible()
    dashboard.check()
    keyboard.press("Escape")
    keyboard.press("Tab")
    expect(dashboard.page.locator(".cm-content")).not_to_be_focused()


@pytest.mark.usefixtures("clean")
def test_a_message_that_comes_by_becomes_the_sample(pages: Pages, operator: Operator) -> None:
    dashboard, t = pages.dashboard, pages.t
    topic = fresh_name("sampled")
    dashboard.open("/rules/new", t("rules.new.title"))
    pages.write_sql(f'SELECT payload.temp AS temp FROM "{topic}/#"')
    dashboard.button(t("rules.capture.title")).click()
    dashboard.field(t("rules.capture.address")).fill(
        f"ws://{ports_of(operator)['ws:default']}/mqtt"
    )
    dashboard.button(t("rules.capture.start")).click()
    # What it shows in place of that, a reason among it, is in the failure.
    progress = dashboard.page.get_by_role("status", name=t("rules.capture.progress"))
    expect(progress).to_have_text(t("rules.capture.state.listening", number=0))
    publish(operator, f"{topic}/oven", [77])
    caught = dashboard.page.get_by_role("list", name=t("rules.capture.messages"))
    caught.get_by_role("button").first.click()
    expect(dashboard.field("topic")).to_have_value(f"{topic}/oven")
    result = dashboard.page.get_by_role("status", name=t("rules.test.result"))
    expect(result).to_contain_text('"temp": 77')
    dashboard.button(t("rules.capture.stop")).click()
    expect(dashboard.button(t("rules.capture.start"))).to_be_visible()
    dashboard.check()


def test_a_result_that_comes_does_not_move_a_button_that_is_pressed(
    pages: Pages, operator: Operator
) -> None:
    dashboard, t = pages.dashboard, pages.t
    # Not the page that the test before left behind, as it left it.
    dashboard.open("/rules", t("rules.title"))
    dashboard.open("/rules/new", t("rules.new.title"))
    dashboard.button(t("rules.capture.title")).click()
    dashboard.field(t("rules.capture.address")).fill(
        f"ws://{ports_of(operator)['ws:default']}/mqtt"
    )
    start = dashboard.button(t("rules.capture.start"))
    result = dashboard.page.get_by_role("status", name=t("rules.test.result"))
    pages.write_sql(f'SELECT qos FROM "{fresh_name("pressed")}/#"')
    # The node is asked a moment after the last change: that is while the button is down.
    start.hover()
    dashboard.page.mouse.down()
    expect(result).to_contain_text('"qos"')
    dashboard.page.mouse.up()
    progress = dashboard.page.get_by_role("status", name=t("rules.capture.progress"))
    expect(progress).to_have_text(t("rules.capture.state.listening", number=0))
    dashboard.button(t("rules.capture.stop")).click()
    expect(start).to_be_visible()


@pytest.mark.usefixtures("clean")
def test_a_row_is_published_again(pages: Pages, operator: Operator) -> None:
    dashboard, t = pages.dashboard, pages.t
    name = fresh_name("again")
    dashboard.open("/rules/new", t("rules.new.title"))
    dashboard.field(t("rules.id")).fill(name)
    pages.write_sql(f'SELECT payload.temp AS temp FROM "{name}/in"')
    dashboard.button(t("rules.outputs.republish")).click()
    dashboard.field(t("rules.republish.topic"), dashboard.dialog).fill(f"{name}/out")
    dashboard.field(t("rules.republish.payload"), dashboard.dialog).fill("it has ${temp}")
    dashboard.check()
    dashboard.button(t("rules.republish.add"), dashboard.dialog).click()
    dashboard.button(t("rules.outputs.console")).click()
    dashboard.button(t("common.create")).click()
    dashboard.said(t("common.saved"))
    pages.heading(name)
    with operator.login() as client:
        client.subscribe(f"{name}/out", qos=0)
        publish(operator, f"{name}/in", [55])
        client.receive(f"{name}/out", b"it has 55")
    expect(pages.figure(t("rules.figures.outputs"), "actions.success")).to_have_text("2")
    dashboard.check()


def publish_there(remote: Mosquitto, topic: str, payload: bytes) -> None:
    """A message of somebody at the other broker."""
    with RawClient(HOST, remote.port) as client:
        client.connect(Connect("somebody"))
        client.publish(topic, payload, qos=1)


def make_rule_of_source(pages: Pages, name: str) -> None:
    """From the page of a source to a rule that publishes here what it gets there."""
    dashboard, t = pages.dashboard, pages.t
    dashboard.page.get_by_role("link", name=t("integration.sources.next"), exact=True).click()
    pages.heading(t("rules.new.title"))
    expect(dashboard.page.locator(".cm-content")).to_contain_text(f"mqtt:{name}")
    dashboard.field(t("rules.id")).fill(name)
    dashboard.button(t("rules.outputs.republish")).click()
    dashboard.field(t("rules.republish.topic"), dashboard.dialog).fill(f"{name}/here")
    dashboard.field(t("rules.republish.payload"), dashboard.dialog).fill("${payload}")
    dashboard.button(t("rules.republish.add"), dashboard.dialog).click()
    dashboard.button(t("common.create")).click()
    dashboard.said(t("common.saved"))
    pages.heading(name)


@pytest.mark.usefixtures("clean")
def test_a_source_brings_messages_of_another_broker_and_says_when_it_is_gone(
    pages: Pages, operator: Operator, remote: Mosquitto
) -> None:
    dashboard, t = pages.dashboard, pages.t
    name = fresh_name("plant")
    source = f"mqtt:{name}"
    pages.make_connector("mqtt", name, {"server": f"{HOST}:{remote.port}"})
    pages.make_source("mqtt", name, {"parameters.topic": f"{name}/#"})
    make_rule_of_source(pages, name)
    with operator.login() as client:
        client.subscribe(f"{name}/here", qos=1)
        publish_there(remote, f"{name}/oven", b"21")
        client.receive(f"{name}/here", b"21")
        expect(pages.figure(t("rules.figures.rule"), "passed")).to_have_text("1")
        dashboard.open("/sources", t("integration.sources.title"))
        expect(dashboard.row(name)).to_contain_text(t("common.state.connected"))
        dashboard.page.get_by_role("link", name=name, exact=True).first.click()
        pages.heading(source)
        received = pages.figure(t("integration.figures.title"), "received")
        expect(received).to_have_text("1")
        dashboard.check()

        remote.stop()
        pages.says("disconnected")
        status = dashboard.page.locator(".status-cell")
        expect(status).to_contain_text(f"{HOST}:{remote.port}")
        dashboard.check()
        remote.start()
        pages.says("connected")
        publish_there(remote, f"{name}/oven", b"22")
        client.receive(f"{name}/here", b"22")
        expect(received).to_have_text("2")

    dashboard.button(t("integration.delete.action")).click()
    expect(dashboard.dialog).to_contain_text(t("integration.delete.used"))
    expect(dashboard.dialog).to_contain_text(name)
    dashboard.check()
