"""Plugins as an operator has them: who may install them, by which command, with what they need."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import pytest

from harness.node import ROOT
from harness.operator import Operator, operated
from harness.plugins import Plugins, archive_of, multipart
from harness.rest_node import Answer, Rest, rest_node
from harness.waiting import until
from rookery.plugins.archive import pack
from rookery.plugins.manifest import Manifest

ID = "probe-1.0.0"
QUIET = "from rookery.plugins import Plugin\nclass Probe(Plugin):\n    pass\n"
ALARMS = """
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_alarm_activated(self, alarm):
        self.context.publish("alarm/began", alarm["name"])

    def on_alarm_deactivated(self, alarm):
        self.context.publish("alarm/over", f"{alarm['name']} {alarm['deactivate_at'] > 0}")
"""
NEEDS = """
import small_wheel
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_publish(self, message):
        return message.replace(payload=small_wheel.WORD)
"""
SCHEMA = json.dumps({"type": "object", "properties": {"mark": {"type": "string", "default": "!"}}})


def wheel(name: str, version: str, code: str) -> bytes:
    """A wheel of one module, PEP 427."""
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": code,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            digest = urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record += f"{path},sha256={digest},{len(text)}\n"
            archive.writestr(path, text)
        archive.writestr(f"{about}/RECORD", f"{record}{about}/RECORD,,\n")
    return out.getvalue()


def test_alarms_reach_a_plugin(tmp_path: Path) -> None:
    settings = {"plugins.restart_backoff": "10ms", "plugins.stable_time": "100ms"}
    with operated(tmp_path, settings=settings) as operator, operator.login() as watcher:
        watcher.subscribe("alarm/#", qos=1)
        plugins = Plugins(operator)
        plugins.run(archive_of(QUIET, name="victim"), "victim-1.0.0")
        victim = plugins.pids()
        plugins.run(archive_of(ALARMS), ID)

        for pid in victim:
            os.kill(pid, signal.SIGKILL)

        watcher.receive("alarm/began", b"plugin_crash/victim-1.0.0")
        watcher.receive("alarm/over", b"plugin_crash/victim-1.0.0 True")


def test_what_a_plugin_needs_comes_from_its_archive(tmp_path: Path) -> None:
    manifest = Manifest(
        name="probe", rel_vsn="1.0.0", entry="probe:Probe", requires=("small_wheel>=1",)
    )
    files = {
        "package/probe.py": NEEDS.encode(),
        "wheels/small_wheel-1.0-py3-none-any.whl": wheel("small_wheel", "1.0", "WORD = b'wheel'"),
    }
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        plugins.run(pack(manifest, files), ID)
        with operator.login() as client:
            client.subscribe("t", qos=1)
            client.publish("t", b"m", qos=1)
            client.receive("t", b"wheel")
        # Nobody else has it: neither the node nor the next plugin.
        with pytest.raises(Exception, match="small_wheel"):
            plugins.run(archive_of(NEEDS, name="other"), "other-1.0.0")


def installed(caller: Rest, archive: bytes) -> Answer:
    body = multipart(archive)
    headers = {"content-type": body.kind}
    return caller.ask("POST", "/api/v5/plugins/install", body.content, headers)


def test_over_http_only_what_was_allowed_on_the_machine_is_installed(tmp_path: Path) -> None:
    with rest_node(tmp_path) as node:
        admin, archive = node.admin, archive_of(QUIET)
        assert installed(node.nobody, archive).status == 401
        assert installed(node.user("viewer"), archive).status == 403

        refused = installed(admin, archive)
        assert (refused.status, f"ctl plugins allow {ID}" in refused.json["message"]) == (403, True)
        # Nor does an administrator of the interface let himself in.
        assert admin.post("/plugins/allowed", {"name": ID}).status == 403

        node.local.post("/api/v5/plugins/allowed", {"name": ID})
        assert admin.get("/plugins/allowed").json == [{"name": ID}]
        other = archive_of(QUIET, version="1.0.1")
        assert installed(admin, other).status == 403
        assert installed(admin, archive).status == 204
        # The word counts once.
        assert admin.delete(f"/plugins/{ID}").status == 204
        assert installed(admin, archive).status == 403


def test_the_gate_can_be_left_to_administrators(tmp_path: Path) -> None:
    with rest_node(tmp_path, {"plugins.install_requires_allow": "false"}) as node:
        assert installed(node.admin, archive_of(QUIET)).status == 204


def ctl(operator: Operator, *words: str) -> tuple[int, str]:
    """``rookery ctl plugins``."""
    cli = os.environ.get("ROOKERY_TEST_CLI", str(ROOT / ".venv/bin/rookery"))
    run = subprocess.run(
        [cli, "ctl", "plugins", *words, "--data-dir", str(operator.node.data_dir)],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def test_every_command(tmp_path: Path) -> None:
    file = tmp_path / f"{ID}.tar.gz"
    file.write_bytes(archive_of(ALARMS, schema=SCHEMA))
    data = tmp_path / "node"
    data.mkdir()
    with operated(data) as operator:
        plugins = Plugins(operator)
        assert ctl(operator, "install", str(file))[0] == 0
        code, text = ctl(operator, "install", str(file))
        assert (code, "is installed" in text) == (1, True)
        assert ctl(operator, "start", ID)[0] == 0
        row = plugins.row(ID)
        assert (row["status"], row["enable"]) == ("running", True)
        table = ctl(operator, "list")[1].splitlines()
        assert table[1].split()[:2] == [ID, "running"]
        code, text = ctl(operator, "describe", ID)
        assert (code, "alarm.activated" in text, "run.memory_max  512 MiB" in text) == (
            0,
            True,
            True,
        )
        assert text.splitlines()[-2].split()[:3] == ["WORKER", "RUNS", "ASKED"]

        before = plugins.pids()
        assert ctl(operator, "restart", ID)[0] == 0
        assert not before & plugins.pids()
        assert ctl(operator, "disable", ID)[0] == 0
        assert not plugins.row(ID)["enable"]
        assert ctl(operator, "enable", ID)[0] == 0
        assert plugins.row(ID)["enable"]

        assert ctl(operator, "config", ID, "--value", '{"mark": "?"}')[0] == 0
        assert json.loads(ctl(operator, "config", ID)[1]) == {"mark": "?"}
        code, text = ctl(operator, "config", ID, "--value", '{"other": 1}')
        assert (code, "other" in text) == (1, True)
        assert ctl(operator, "config", ID, "--run", '{"workers": 2}')[0] == 0
        until(lambda: len(plugins.pids()) == 2, "two processes")

        plugins.install(archive_of(QUIET, name="second"))
        assert ctl(operator, "move", "second-1.0.0", "front")[0] == 0
        assert [row["name"] for row in operator.rest.get("/plugins")] == ["second-1.0.0", ID]

        assert ctl(operator, "stop", ID)[0] == 0
        assert plugins.pids() == set()
        assert ctl(operator, "allow", "third-2.0")[0] == 0
        assert operator.rest.get("/plugins/allowed") == [{"name": "third-2.0"}]
        assert ctl(operator, "disallow", "third-2.0")[0] == 0
        assert operator.rest.get("/plugins/allowed") == []
        assert ctl(operator, "uninstall", ID)[0] == 0
        code, text = ctl(operator, "describe", ID)
        assert (code, f"no plugin '{ID}'" in text) == (1, True)
