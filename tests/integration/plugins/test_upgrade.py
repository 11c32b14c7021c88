"""Another version of a plugin in the place of the one that runs, while clients come and publish."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.operator import Operator, operated
from harness.plugins import Plugins, archive_of
from rookery.errors import BadRequestError

OLD, NEW, BROKEN = "probe-1.0.0", "probe-2.0.0", "probe-3.0.0"
# Admits one password, marks messages, and refuses to start beside another process of its name.
CODE = """
from rookery.plugins import Plugin

class Probe(Plugin):
    async def start(self):
        self.mine = self.context.data_dir / "mine"
        self.mine.touch(exist_ok=False)

    async def stop(self):
        self.mine.unlink()

    def on_authenticate(self, client, password):
        return password == b"right"

    def on_publish(self, message):
        return message.replace(payload=message.payload + b"MARK")
"""
BEHIND = """
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_publish(self, message):
        return message.replace(payload=message.payload + b".")
"""
NEEDS = json.dumps(
    {"type": "object", "properties": {"url": {"type": "string"}}, "required": ["url"]}
)


def version(number: int, **more: str) -> bytes:
    code = CODE.replace("MARK", str(number))
    return archive_of(code, version=f"{number}.0.0", deadline_s=30, **more)


def during(what: Callable[[], object], do: Callable[[], object]) -> None:
    """Do it again and again until the other is over, and once more after that."""
    thread = threading.Thread(target=what)
    thread.start()
    while thread.is_alive():
        do()
    thread.join()
    do()


def names(operator: Operator) -> list[str]:
    return [row["name"] for row in operator.rest.get("/plugins")]


def test_nobody_goes_unasked_while_a_version_takes_the_place_of_another(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        plugins.run(version(1))
        plugins.run(archive_of(BEHIND, name="behind"), "behind-1.0.0")
        plugins.install(version(2))
        before, heard = plugins.pids(), []
        with operator.login("ann", "right") as client:
            client.subscribe("t", qos=1)

            def come_and_publish() -> None:
                assert operator.refusal("eve", "wrong") == 0x86
                client.publish("t", b"m", qos=1)
                heard.append(client.receive("t").payload)
                operator.rest.post("/publish", {"topic": "t", "payload": "m"})
                heard.append(client.receive("t").payload)

            during(lambda: plugins.act(NEW, "start"), come_and_publish)

        assert set(heard) <= {b"m1.", b"m2."}, "each was asked, in the same order as ever"
        assert heard == sorted(heard)
        assert heard[-1] == b"m2."
        assert len(before & plugins.pids()) == 1, "only the process of the other plugin stays"
        assert names(operator) == [NEW, OLD, "behind-1.0.0"]
        rows = [(plugins.row(name)["status"], plugins.row(name)["enable"]) for name in (OLD, NEW)]
        assert rows == [("stopped", False), ("running", True)]


def test_an_upgrade_that_fails_lets_nobody_in_and_can_be_taken_back(tmp_path: Path) -> None:
    settings = {"plugins.restart_backoff": "60s"}
    with operated(tmp_path, settings=settings) as operator:
        plugins = Plugins(operator)
        plugins.run(version(1))
        # One that lacks settings cannot begin: the one before goes on.
        plugins.install(version(2, schema=NEEDS))
        with pytest.raises(BadRequestError, match="configured first: url"):
            plugins.act(NEW, "start")
        assert operator.refusal("eve", "wrong") == 0x86

        plugins.install(archive_of("raise OSError('no such luck')", version="3.0.0"))
        with pytest.raises(BadRequestError, match=f"no such luck.*ctl plugins start {OLD}"):
            plugins.act(BROKEN, "start")
        assert operator.refusal("ann", "right") == 0x88
        assert (plugins.row(BROKEN)["enable"], plugins.row(OLD)["enable"]) == (True, False)

        operator.node.restart()  # neither does it then
        assert operator.refusal("ann", "right") in (0x87, 0x88)

        plugins.act(OLD, "start")
        assert operator.refusal("eve", "wrong") == 0x86
        operator.login("ann", "right").drop()
        assert (plugins.row(BROKEN)["status"], plugins.row(OLD)["status"]) == ("stopped", "running")
        assert not [
            alarm
            for alarm in operator.rest.get("/alarms")["data"]
            if alarm["name"] == f"plugin_crash/{BROKEN}"
        ]
