"""Makes the pictures of the console that the documents show, of a control plane with real clusters.

    tools/console_screenshots.py [--only alarms] [--language zh] [--dark]

Starts a control plane and two nodes of this checkout, adopts them by the printed commands, lets one work
and breaks something at it, stops the other one, opens the pages in each language, and writes
``docs/screenshots/console-PAGE.LANGUAGE.png``. Takes about three minutes, most of them for charts that have
lines. Needs what ``tools/setup.sh test`` installs; for Chinese also a font that has its characters (Debian:
fonts-noto-cjk).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.adoption import AgentHost, Project, changes, commands  # noqa: E402
from harness.client import RawClient  # noqa: E402
from harness.console import Console, need_console, through_the_wizard  # noqa: E402
from harness.control import Asker, ControlProcess  # noqa: E402
from harness.dashboard import launch  # noqa: E402
from harness.node import HOST  # noqa: E402
from harness.packets import ConnAck, Connect  # noqa: E402
from harness.ports import free_port  # noqa: E402
from harness.rest_node import ADMIN as NODE_ADMIN  # noqa: E402
from harness.rest_node import PASSWORD as NODE_PASSWORD  # noqa: E402
from harness.rest_node import RestNode, rest_node  # noqa: E402
from screenshots import FOLDER, SIZE, command, shoot  # noqa: E402

PREFIX = "console-"
LONG = {"cluster": 2000, "settings": 1400, "monitoring": 1100}
"""Heights of pages whose pictures show more than fits a screen."""
REPORT_S = 5
SAMPLES_WANTED = 6
SAMPLES_S = 240.0
PRESS, PAINT, STORE = "press line", "paint shop", "warehouse"
PEOPLE = (("grace", "Grace", "admin"), ("linus", "Linus", "viewer"))
HOT = 'SELECT payload FROM "plant/+/temperature" WHERE payload.temp > 80'
CHANNEL = {
    "name": "night shift",
    "webhook": {"kind": "json", "url": "https://hooks.example.com/rookery"},
}


@dataclass
class Stage:
    """What the pictures are of."""

    control: ControlProcess
    press: RestNode
    paint: RestNode
    hosts: tuple[AgentHost, AgentHost]
    logs: Path


@contextlib.contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """A control plane that nobody has visited, two nodes, and a machine for the agent of each."""
    sets = {
        "control.bind": f"{HOST}:{free_port()}",
        "control.relay.tls": f"{HOST}:{free_port()}",
        "control.agents.report_interval": f"{REPORT_S}s",
        "control.alarms.check_interval": f"{REPORT_S}s",
    }
    arguments = [part for name, value in sets.items() for part in ("--set", f"{name}={value}")]
    logs = folder / "press" / "log"
    at_press = {"log.file.enable": "true", "access.anonymous": "everyone"}
    with contextlib.ExitStack() as stack:
        control = ControlProcess(folder / "control", *arguments)
        control.start()
        stack.callback(control.stop)
        press = stack.enter_context(rest_node(folder / "press", at_press))
        paint = stack.enter_context(rest_node(folder / "paint"))
        hosts = (AgentHost(folder / "a"), AgentHost(folder / "b"))
        for host in hosts:
            stack.callback(host.stop)
        yield Stage(control, press, paint, hosts, logs)


async def furnish(made: Stage) -> dict[str, str]:
    """Organization, people, clusters; the paths of pages that name one of them."""
    async with aiohttp.ClientSession() as client:
        asker = Asker(made.control.url, client)
        token = await asker.sign_in()
        org = await asker.make(token, "/orgs", {"name": "Factory East"})
        plant = await asker.make(token, f"/orgs/{org}/projects", {"name": "Plant 1"})
        await asker.make(token, f"/orgs/{org}/projects", {"name": "Plant 2"})
        of = Project(asker, token, org, plant)
        for email, name, role in PEOPLE:
            given = {"email": f"{email}@example.com", "name": name, "password": "A-long-secret-7"}
            await asker.make(token, f"/orgs/{org}/members", {**given, "role": role})
        invited = {"emails": ["hedy@example.com"], "orgId": org, "orgRole": "viewer"}
        await asker.ask("POST", "/invitations", invited, token=token)
        press = await adopt(of, PRESS, made.press, made.hosts[0], made.logs)
        await adopt(of, PAINT, made.paint, made.hosts[1], None)
        await of.ask("POST", "", {"name": STORE, "description": "to be adopted in May"})
        await channel(of)
        await limit(of, press, 500)
        break_something(made.press)
        place = f"/w/{org}/{plant}"
        return {
            "clusters": f"{place}/clusters",
            "cluster": f"{place}/clusters/{press}",
            "cluster-quota": f"{place}/clusters/{press}/quota",
            "commands": f"{place}/clusters/{press}/commands",
            "monitoring": f"{place}/monitoring",
            "clients": f"{place}/clients",
            "alarms": f"{place}/alarms",
            "alarm-rules": f"{place}/alarms/rules",
            "alarm-push": f"{place}/alarms/push",
            "logs": f"{place}/logs",
            "orgs": "/orgs",
            "projects": "/projects",
            "users": "/users",
            "invitations": "/invitations",
            "audit": "/audit",
            "quota": "/quota",
            "settings": "/settings",
            "tokens": "/tokens",
            "profile": "/profile",
        }


async def adopt(of: Project, name: str, node: RestNode, host: AgentHost, logs: Path | None) -> str:
    url = f"http://{HOST}:{node.port()}"
    entry: str = (await of.ask("POST", "", {"name": name, "address": url}))["id"]
    issued = await of.ask("POST", f"/{entry}/registration-token", {})
    typed = {
        "registrationToken": issued["token"],
        "username": NODE_ADMIN,
        "password": NODE_PASSWORD,
        "dashboardUrl": url,
        "apiUrl": url,
    }
    if logs is not None:
        typed |= {"logCollection": "true", "logDir": str(logs)}
    async with changes(of) as told:
        for text in await commands(of, entry, typed):
            host.run(text)
        await told.until("cluster", lambda row: row["id"] == entry and row["state"] == "running")
    return entry


async def channel(of: Project) -> None:
    """Somebody is to be told of alarms."""
    path = f"/orgs/{of.org}/projects/{of.id}/alarms/channels"
    answer = await of.asker.ask("POST", path, CHANNEL, token=of.token)
    assert answer.status < 300, answer.text


async def limit(of: Project, cluster: str, count: int) -> None:
    """A connection limit that the load fits into, in force."""
    async with changes(of) as told:
        await of.ask("PUT", f"/{cluster}/quota", {"limit": count})
        while (await of.ask("GET", f"/{cluster}/quota"))["reportedLimit"] != count:
            await told.until("cluster", lambda row: row["id"] == cluster)


def break_something(node: RestNode) -> None:
    """A rule that tells a service which is not there, and one that is switched off."""
    admin = node.admin
    service = {"type": "http", "name": "mes", "url": "http://127.0.0.1:9/api"}
    tell = {"type": "http", "name": "tell_mes", "connector": "mes"}
    rules = (
        {"id": "hot", "sql": HOT, "actions": ["http:tell_mes"]},
        {"id": "archive", "sql": 'SELECT * FROM "plant/#"', "enable": False},
    )
    asked = [("/connectors", service), ("/actions", tell), *(("/rules", rule) for rule in rules)]
    for path, body in asked:
        answer = admin.post(path, body)
        assert answer.status == 201, answer


@contextlib.contextmanager
def load(node: RestNode) -> Iterator[None]:
    """Messages, clients with names that say something, and lines in the log."""
    bench = subprocess.Popen(
        [
            *command(), "bench", "pairs", "--host", HOST, "--port", str(node.node.port),
            "--publishers", "20", "--rate", "300", "--qos", "1", "--duration", "3600",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with contextlib.ExitStack() as held:
        held.callback(bench.wait)
        held.callback(bench.terminate)
        for number in range(1, 9):
            client = held.enter_context(RawClient(HOST, node.node.port, 5))
            client.send(Connect(f"press-{number:02}", True, 0))
            client.expect(ConnAck)
        yield


async def wait_for_samples(made: Stage, cluster_path: str) -> None:
    """Charts need lines: let the control plane tell when it has enough."""
    org, project, _, cluster = cluster_path.removeprefix("/w/").split("/")
    path = f"/orgs/{org}/projects/{project}/clusters/{cluster}/metrics?names=connections"
    end_s = time.monotonic() + SAMPLES_S
    async with aiohttp.ClientSession() as client:
        asker = Asker(made.control.url, client)
        token = await asker.sign_in()
        while True:
            answer = await asker.ask("GET", path, token=token)
            lines: list[Any] = answer.json["series"]
            counts = [sum(value is not None for value in values_of(line)) for line in lines]
            if max(counts, default=0) >= SAMPLES_WANTED:
                return
            if time.monotonic() > end_s:
                raise SystemExit(f"the control plane takes no samples: {answer.text[:500]}")
            await asyncio.sleep(2)


def values_of(line: dict[str, Any]) -> list[Any]:
    """Of one line of a chart."""
    return next((value for value in line.values() if isinstance(value, list)), [])


def take(shown: Console, name: str, path: str) -> None:
    width, height = SIZE
    shown.page.set_viewport_size({"width": width, "height": LONG.get(name, height)})
    shown.page.goto(f"{shown.address}/#{path}")
    expect(shown.page.get_by_role("heading", level=1)).to_be_visible()
    shown.settle()
    shoot(shown, PREFIX + name)


def take_drawer(shown: Console, clusters: str) -> None:
    """The commands that adopt a cluster, with what has happened so far."""
    shown.page.goto(f"{shown.address}/#{clusters}")
    shown.button(shown.t("clusters.registerOne", name=STORE)).click()
    shown.button(shown.t("register.token.issue"), shown.dialog).click()
    expect(shown.dialog.locator(".command code").first).to_be_visible()
    shown.settle()
    shoot(shown, f"{PREFIX}register")
    shown.page.keyboard.press("Escape")


def take_clients(shown: Console, path: str) -> None:
    """Somebody is looked for in all clusters."""
    shown.page.goto(f"{shown.address}/#{path}?search=press")
    expect(shown.page.get_by_role("cell", name="press-01").first).to_be_visible()
    shown.settle()
    shoot(shown, f"{PREFIX}clients")


def first_visit(
    browser: Browser, made: Stage, languages: list[str], scheme: str, wanted: Callable[[str], bool]
) -> None:
    """The wizard; it is gone through once."""
    for language in languages:
        shown = Console(browser, made.control.url, language, SIZE, scheme)
        shown.page.goto(made.control.url)
        shown.titled("setup.title")
        if wanted("setup"):
            shoot(shown, f"{PREFIX}setup")
        shown.close()
    shown = through_the_wizard(browser, made.control, "en", SIZE)
    address = made.control.url.replace("http:", "https:")
    shown.field(shown.t("common.access.label")).fill(address)
    shown.button(shown.t("setup.address.finish")).click()
    expect(shown.button(shown.t("setup.mail.finish"))).to_be_visible()
    shown.close()


def pictures(
    browser: Browser,
    made: Stage,
    language: str,
    scheme: str,
    paths: dict[str, str],
    wanted: Callable[[str], bool],
) -> None:
    shown = Console(browser, made.control.url, language, SIZE, scheme)
    shown.sign_in()
    shown.titled("clusters.title")
    for name, path in paths.items():
        if wanted(name):
            (take_clients(shown, path) if name == "clients" else take(shown, name, path))
    if wanted("register"):
        take_drawer(shown, paths["clusters"])
    if wanted("guide"):
        take(shown, "guide", "/guide")
    shown.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="this page, as its file is called")
    parser.add_argument("--language", choices=("en", "zh"), action="append")
    parser.add_argument("--dark", action="store_true", help="in dark colours")
    chosen = parser.parse_args()
    need_console()
    FOLDER.mkdir(parents=True, exist_ok=True)
    languages = chosen.language or ["en", "zh"]
    scheme = "dark" if chosen.dark else "light"

    def wanted(name: str) -> bool:
        return not chosen.only or name in chosen.only

    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as made:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            first_visit(browser, made, languages, scheme, wanted)
            browser.close()
        # The browser's own loop has ended: this thread has room for another one.
        paths = asyncio.run(furnish(made))
        with load(made.press):
            asyncio.run(wait_for_samples(made, paths["cluster"]))
            made.paint.node.stop()
            with sync_playwright() as playwright:
                browser = launch(playwright)
                for language in languages:
                    pictures(browser, made, language, scheme, paths, wanted)
                browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
