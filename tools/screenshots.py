"""Makes the pictures of the dashboard that the documents show, from a node under traffic.

    tools/screenshots.py [--only clients] [--language zh] [--dark]

Starts a node of this checkout, lets ``rookery bench`` and a few named clients talk to it, opens every
page in each language, and writes ``docs/screenshots/PAGE.LANGUAGE.png``. Needs what
``tools/setup.sh test`` installs; for Chinese also a font that has its characters (Debian:
fonts-noto-cjk).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from harness.client import RawClient  # noqa: E402
from harness.dashboard import PASSWORD, Dashboard, launch, ports_of  # noqa: E402
from harness.node import HOST  # noqa: E402
from harness.operator import Operator, operated  # noqa: E402
from harness.packets import Connect  # noqa: E402
from harness.plugins import Plugins  # noqa: E402
from rookery.plugins.build import build  # noqa: E402

FOLDER = ROOT / "docs" / "screenshots"
SIZE = (1280, 800)
# So long traffic flows before the first picture: lines need some samples.
SAMPLES_WANTED = 7
REWRITTEN = [
    {"action": "publish", "source_topic": "old/#", "dest_topic": "plant/1/$1", "re": "^old/(.+)$"},
    {
        "action": "all",
        "source_topic": "line/+/state",
        "dest_topic": "plant/1/$1/state",
        "re": "^line/([^/]+)/state$",
    },
]
SUBSCRIBED = [{"topic": "client/${clientid}/#", "qos": 1}, {"topic": "broadcast/#", "nl": 1}]
HOT = """SELECT
  payload.temp AS temp,
  clientid
FROM
  "plant/1/+/temperature"
WHERE
  payload.temp > 80"""
SETTINGS = {"mqtt.max_inflight": "64", "access.anonymous": "everyone"}


def command() -> list[str]:
    """How the command line of this checkout is called."""
    return [os.environ.get("ROOKERY_TEST_CLI", str(ROOT / ".venv/bin/rookery"))]


@contextlib.contextmanager
def traffic(operator: Operator) -> Iterator[None]:
    """Load, and clients with names that say something."""
    bench = subprocess.Popen(
        [
            *command(), "bench", "pairs", "--host", "127.0.0.1", "--port", str(operator.node.port),
            "--publishers", "120", "--rate", "2500", "--qos", "1", "--duration", "3600",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with contextlib.ExitStack() as held:
        try:
            for number in range(1, 13):
                name = f"press-{number:02}"
                client = held.enter_context(silent(operator, name))
                client.subscribe(f"plant/1/{name}/set", qos=1)
                client.publish(
                    f"plant/1/{name}/state", b'{"on": true, "pressure": 4.2}', qos=1, retain=True
                )
                client.publish(f"$delayed/900/plant/1/{name}/service", b'{"due": true}', qos=1)
            yield
            if bench.poll() is not None:
                raise SystemExit("rookery bench has ended: the pictures show no traffic")
        finally:
            bench.terminate()
            bench.wait()


def silent(operator: Operator, name: str) -> RawClient:
    """A client that stays without saying anything: its Keep Alive is off."""
    client = RawClient(HOST, operator.node.port, 5)
    client.connect(Connect(name, True, 0))
    return client


def slow_down(operator: Operator) -> None:
    """Subscriptions that take their time to acknowledge: the pause is what the page shows."""
    settings = {"enable": True, "threshold": "100ms", "expire_interval": "1h"}
    held = operator.rest.get("/slow_subscriptions/settings")
    operator.rest.put("/slow_subscriptions/settings", {**held, **settings})
    with contextlib.ExitStack() as stack:
        waiting = []
        for name, topic in (("archive", "plant/1/#"), ("panel", "plant/1/press-07/alarm")):
            client = stack.enter_context(silent(operator, name))
            client.subscribe(topic, qos=1)
            waiting.append(client)
        publisher = stack.enter_context(silent(operator, "publisher"))
        publisher.publish("plant/1/press-07/alarm", b"too hot", qos=1)
        for client in waiting:
            message = client.expect_publish()
            while message.payload != b"too hot":
                client.acknowledge(message)
                message = client.expect_publish()
            time.sleep(0.4)
            client.acknowledge(message)
            client.fence()


def add_plugins(operator: Operator, folder: Path) -> None:
    """Two of the examples; the first one runs."""
    plugins = Plugins(operator)
    for name in ("payload_transform", "presence_webhook"):
        plugins.install(build(ROOT / "examples" / "plugins" / name, folder / name).read_bytes())
    plugins.act("payload_transform-1.0.0", "start")


def prepare(operator: Operator, folder: Path) -> None:
    """Something to see on pages that start empty."""
    rest = operator.rest
    rest.put("/mqtt/topic_rewrite", REWRITTEN)
    rest.put("/mqtt/auto_subscribe", SUBSCRIBED)
    for name in ("press-01", "press-02"):
        rest.post("/mqtt/topic_metrics", {"topic": f"plant/1/{name}/state"})
    slow_down(operator)
    add_plugins(operator, folder)
    count(operator)
    rest.post("/authentication", {"mechanism": "password_based", "backend": "built_in_database"})
    for name in ("line-1", "line-2", "maintenance"):
        operator.add_user(name, "a long secret", is_superuser=name == "maintenance")
    rest.post("/authorization/sources", {"type": "built_in_database"})
    rules = [{"topic": "plant/1/#", "permission": "allow", "action": "all"}]
    base = "/authorization/sources/built_in_database/rules"
    rest.post(f"{base}/users", [{"username": "line-1", "rules": rules}])
    for name, reason in (("scanner-7", "flooded plant/1"), ("old-gateway", "was stolen")):
        rest.post("/banned", {"as": "clientid", "who": name, "by": "admin", "reason": reason})
    rest.post(
        "/api_key", {"name": "monitoring", "enable": True, "role": "viewer", "desc": "Grafana"}
    )
    rest.post("/users", {"username": "anna", "password": "a-l0ng-secret", "role": "viewer"})
    rest.put("/license/setting", {"dynamic_max_connections": 5000})
    rest.post("/data/export", {})
    rest.post("/trace", {"name": "press-03", "type": "clientid", "clientid": "press-03"})
    # Something for it to write down.
    order = {"topic": "plant/1/press-03/set", "payload": '{"on": false}', "qos": 1}
    rest.post("/publish", order)


def count(operator: Operator) -> None:
    """Messages of the topics that are counted."""
    with silent(operator, "press-01-relay") as relay:
        for number in range(20):
            for name in ("press-01", "press-02"):
                relay.publish(f"plant/1/{name}/state", b'{"on": true}', qos=number % 2)


def integrate(operator: Operator) -> None:
    """A source, and a rule that tells a service which is not there, and what it has counted."""
    rest = operator.rest
    service = {"type": "http", "name": "plant_service", "url": "http://127.0.0.1:9/api"}
    rest.post("/connectors", service)
    tell = {"type": "http", "name": "tell_plant", "connector": "plant_service"}
    rest.post("/actions", {**tell, "parameters": {"path": "/alarms"}})
    again = {"function": "republish", "args": {"topic": "alarms/${clientid}"}}
    about = "Tells the plant when a press gets hot."
    actions = ["http:tell_plant", again]
    rest.post("/rules", {"id": "hot", "sql": HOT, "actions": actions, "description": about})
    plant = {"type": "mqtt", "name": "other_plant", "server": f"{HOST}:{operator.node.port}"}
    rest.post("/connectors", {**plant, "username": "line-2", "password": "a long secret"})
    orders = {"topic": "orders/#", "qos": 1}
    source = {"type": "mqtt", "name": "orders", "connector": "other_plant", "parameters": orders}
    rest.post("/sources", source)
    for temperature in (75, 82, 91, 60, 88):
        payload = f'{{"temp": {temperature}}}'
        rest.post("/publish", {"topic": "plant/1/press-07/temperature", "payload": payload})


def sign_in_first(shown: Dashboard) -> None:
    """The first sign-in, which ends with a password of one's own."""
    shown.sign_in(password="public")
    shown.secret(shown.t("login.change.old")).fill("public")
    shown.secret(shown.t("login.change.next")).fill(PASSWORD)
    shown.secret(shown.t("login.change.again")).fill(PASSWORD)
    shown.button(shown.t("login.change.submit")).click()
    shown.wait_for_menu()


def paths(shown: Dashboard) -> dict[str, str]:
    """By name of the picture: every page of the menu, one client, and one rule."""
    links = [str(link.get_attribute("href")) for link in shown.page.locator("#menu a").all()]
    found = {link.removeprefix("#/") or "overview": link.removeprefix("#") for link in links}
    rule = {"rule": "/rules/hot", "rule-editor": "/rules/hot?tab=edit"}
    return {**found, "client": "/clients/press-03", **rule}


def shoot(shown: Dashboard, name: str) -> None:
    file = FOLDER / f"{name}.{shown.language}.png"
    # The pointer would colour the row or button below it.
    shown.page.mouse.move(0, 0)
    shown.page.screenshot(path=file)
    print(f"{file.relative_to(ROOT)}  {file.stat().st_size // 1024} KB")


def take(shown: Dashboard, name: str, path: str) -> None:
    shown.page.goto(f"{shown.address}/#{path}")
    expect(shown.page.get_by_role("heading", level=1)).to_be_visible()
    shown.settle()
    shoot(shown, name)


def take_dialogs(shown: Dashboard, wanted: Callable[[str], bool]) -> None:
    """What is seen only after a button is pressed."""
    t = shown.t
    if wanted("trace-log"):
        shown.open("/trace", t("trace.title"))
        shown.page.get_by_role("button", name=t("trace.read")).first.click()
        expect(shown.dialog.locator("pre")).not_to_be_empty()
        shown.settle()
        shoot(shown, "trace-log")
    if wanted("plugin-settings"):
        shown.open("/plugins", t("plugins.title"))
        shown.button(f"{t('plugins.settings')} payload_transform-1.0.0").click()
        expect(shown.dialog.get_by_role("textbox").first).to_be_visible()
        shoot(shown, "plugin-settings")


def wait_for_samples(operator: Operator) -> None:
    """Charts need lines: let the page itself tell when it has enough."""
    deadline = time.monotonic() + 30 + 10 * SAMPLES_WANTED
    while len(operator.rest.get("/monitor?latest=600")) < SAMPLES_WANTED:
        if time.monotonic() > deadline:
            raise SystemExit("the node takes no samples")
        time.sleep(1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="this page, as its file is called")
    parser.add_argument("--language", choices=("en", "zh"), action="append")
    parser.add_argument("--dark", action="store_true", help="in dark colours")
    chosen = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)

    def wanted(name: str) -> bool:
        return not chosen.only or name in chosen.only

    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as built,
        operated(Path(folder), settings=SETTINGS) as operator,
        sync_playwright() as playwright,
    ):
        browser = launch(playwright)
        address = f"http://{ports_of(operator)['http:dashboard']}"
        first = Dashboard(browser, address, "en", SIZE)
        sign_in_first(first)
        first.close()
        with traffic(operator):
            wait_for_samples(operator)
            prepare(operator, Path(built))
            integrate(operator)
            for language in chosen.language or ("en", "zh"):
                shown = Dashboard(
                    browser, address, language, SIZE, "dark" if chosen.dark else "light"
                )
                if wanted("login"):
                    shown.page.goto(address)
                    expect(shown.button(shown.t("login.submit"))).to_be_visible()
                    shoot(shown, "login")
                shown.sign_in()
                shown.wait_for_menu()
                for name, path in paths(shown).items():
                    if wanted(name):
                        take(shown, name, path)
                take_dialogs(shown, wanted)
                shown.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
