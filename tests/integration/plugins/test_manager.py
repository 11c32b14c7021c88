"""Installing, ordering, configuring and reloading plugins of a running node."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import threading
from pathlib import Path

import pytest

from harness.operator import operated
from harness.plugins import Plugins, archive_of
from harness.waiting import until
from rookery.errors import BadRequestError, RookeryError

ID = "probe-1.0.0"
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "mark": {"type": "string", "default": "!", "maxLength": 3},
            "secret": {"type": "string", "format": "password", "default": ""},
        },
    }
)
MARKS = """
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_publish(self, message):
        return message.replace(payload=message.payload + self.settings["mark"].encode())

    def settings_changed(self, settings):
        if settings["mark"] == "no":
            raise ValueError("not that one")
"""
DECIDES = """
from rookery.plugins import Allow, Deny, Plugin

class Probe(Plugin):
    async def on_authenticate(self, client, password):
        if client.username is None:
            return None
        return Allow(client_attrs=(("room", "7"),)) if password == b"right" else False

    def on_authorize(self, client, action, topic, qos, retain):
        return None if topic.startswith("open/") else topic.startswith(f"{client.username}/")
"""
TELLS = """
import json
from rookery.plugins import Plugin

class Probe(Plugin):
    def __getattribute__(self, name):
        return super().__getattribute__(name)

    def _tell(self, hook, *arguments):
        if not any(getattr(item, "topic", "").startswith("told/") for item in arguments):
            self.context.publish(f"told/{hook}", str(arguments[0]))
"""


def tells_all() -> str:
    from rookery.plugins.hookpoints import HOOKPOINTS

    code = TELLS
    for hookpoint in HOOKPOINTS:
        if hookpoint.kind == "notice" and not hookpoint.name.startswith("alarm."):
            code += f"\n    def {hookpoint.method}(self, *arguments):\n"
            code += f"        self._tell({hookpoint.method!r}, *arguments)\n"
    return code


def test_settings_are_checked_taken_at_once_and_kept(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(MARKS, schema=SCHEMA), ID)
        config = f"/plugins/{ID}/config"
        operator.rest.put(config, {"mark": "?", "secret": "s"})
        for wrong in ({"mark": "long mark"}, {"other": 1}, {"mark": "no"}):
            with pytest.raises(BadRequestError):
                operator.rest.put(config, wrong)
        assert operator.rest.get(config) == {"mark": "?", "secret": "******"}
        with operator.login() as client:
            client.subscribe("t", qos=1)
            client.publish("t", b"m", qos=1)
            client.receive("t", b"m?")

        operator.node.restart()

        assert operator.rest.get(config) == {"mark": "?", "secret": "******"}
        with operator.login() as client:
            client.subscribe("t", qos=1)
            client.publish("t", b"m", qos=1)  # waits until the plugin is there
            client.receive("t", b"m?")


def test_plugins_are_asked_in_their_order(tmp_path: Path) -> None:
    code = "from rookery.plugins import Plugin\nclass Probe(Plugin):\n"
    code += "    def on_publish(self, message):\n"
    code += "        return message.replace(payload=message.payload + b'{}')\n"
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        for name in ("one", "two"):
            plugins.run(archive_of(code.format(name), name=name), f"{name}-1.0.0")
        with operator.login() as client:
            client.subscribe("t", qos=1)
            client.publish("t", b"", qos=1)
            client.receive("t", b"onetwo")

            operator.rest.post("/plugins/two-1.0.0/move", {"position": "before:one-1.0.0"})

            client.publish("t", b"", qos=1)
            client.receive("t", b"twoone")


def test_a_client_does_not_notice_a_restart_of_a_plugin(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(MARKS, schema=SCHEMA, deadline_s=30), ID)
        before = plugins.pids()
        with operator.login() as client:
            client.subscribe("t", qos=1)
            restarting = threading.Thread(target=plugins.act, args=(ID, "restart"))
            restarting.start()
            sent = 0
            while restarting.is_alive() or sent < 10:
                client.publish("t", b"%d" % sent, qos=1)
                client.receive("t", b"%d!" % sent)
                sent += 1
            restarting.join()
        assert not before & plugins.pids(), "old and new code do not run together"
        assert len(plugins.pids()) == 1


def test_a_plugin_decides_who_comes_in_and_what_they_do(tmp_path: Path) -> None:
    with operated(tmp_path, settings={"authorization.no_match": "deny"}) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(DECIDES), ID)
        assert operator.refusal("ann", "wrong") == 0x86
        with operator.login("ann", "right") as client:
            assert client.subscribe("ann/#", qos=1) is not None
            client.publish("ann/t", b"m", qos=1)
            client.receive("ann/t", b"m")
        # Without an opinion what is configured decides: this machine is admitted.
        with operator.login():
            pass


def test_while_a_deciding_plugin_is_away_nobody_comes_in(tmp_path: Path) -> None:
    with operated(tmp_path, settings={"plugins.restart_backoff": "60s"}) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(DECIDES), ID)
        import os
        import signal

        for pid in plugins.pids():
            os.kill(pid, signal.SIGKILL)
        until(lambda: plugins.row(ID)["status"] == "restarting", "it is gone")

        assert operator.refusal("ann", "right") == 0x88
        plugins.act(ID, "stop")
        with operator.login("ann", "whatever"):
            pass


def test_every_notice_is_told(tmp_path: Path) -> None:
    with operated(tmp_path) as operator, operator.login() as watcher:
        watcher.subscribe("told/#", qos=1)
        Plugins(operator).run(archive_of(tells_all()), ID)
        with operator.login(client_id="seen") as client:
            client.subscribe("t", qos=1)
            client.publish("t", b"m", qos=1)
            client.receive("t", b"m")
            client.publish("nobody", b"m", qos=1)
            client.unsubscribe("t")
        expected = {
            "on_connect", "on_connack", "on_connected", "on_disconnected", "on_subscribed",
            "on_unsubscribed", "on_session_created", "on_session_terminated", "on_puback",
            "on_delivered", "on_acked", "on_dropped",
        }  # fmt: skip
        told: set[str] = set()
        while not expected <= told:
            told.add(watcher.receive().topic_name.removeprefix("told/"))


def test_an_archive_may_hold_nothing_else_than_a_plugin(tmp_path: Path) -> None:
    def with_entry(entry: tarfile.TarInfo, content: bytes = b"") -> bytes:
        good = archive_of(MARKS)
        out = io.BytesIO()
        with (
            tarfile.open(fileobj=io.BytesIO(good)) as old,
            tarfile.open(fileobj=out, mode="w:gz") as new,
        ):
            for member in old:
                new.addfile(member, old.extractfile(member))
            new.addfile(entry, io.BytesIO(content))
        return out.getvalue()

    outside = tarfile.TarInfo(f"{ID}/../../../escaped")
    link = tarfile.TarInfo(f"{ID}/package/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    bomb = gzip.compress(bytes(600 << 20), 1)
    huge = tarfile.TarInfo(f"{ID}/package/huge")
    huge.size = 600 << 20
    claim = gzip.compress(huge.tobuf() + bytes(1024))
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        for archive in (with_entry(outside), with_entry(link), bomb, claim, b"no archive"):
            with pytest.raises(RookeryError):
                plugins.install(archive)
        assert operator.rest.get("/plugins") == []
        assert not list(tmp_path.rglob("escaped"))
        operator.node.assert_served()


def test_what_a_plugin_needs_is_its_own(tmp_path: Path) -> None:
    code = "class Probe: pass"
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        from rookery.plugins.archive import pack
        from rookery.plugins.manifest import Manifest

        manifest = Manifest(
            name="probe", rel_vsn="1.0.0", entry="probe:Probe", requires=("no-such-package-here",)
        )
        files = {"package/probe.py": code.encode(), "wheels/none.txt": b""}
        with pytest.raises(RookeryError, match="no-such-package-here"):
            plugins.install(pack(manifest, files))
        assert operator.rest.get("/plugins") == []
