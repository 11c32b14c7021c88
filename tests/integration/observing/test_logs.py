"""The log of a real node: its form, its levels, and what it leaves out."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S, RawClient
from harness.operator import BUILT_IN, eventually, operated
from harness.packets import ConnAck, Connect
from rookery.client.management import ManagementClient
from rookery.errors import BadRequestError, RookeryError

LEVELS = "/api/v5/log/levels"
FILE = {
    "log.file.enable": "true",
    "log.file.formatter": "json",
    "log.file.time_offset": "+08:00",
}


def entries(folder: Path) -> list[dict[str, Any]]:
    file = folder / "log" / "rookery.log"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_lines_are_json_and_the_same_thing_is_told_once_and_counted(tmp_path: Path) -> None:
    flapping = {
        "flapping_detect.enable": "true",
        "flapping_detect.max_count": "1",
        "log.throttling.time_window": "1s",
    }
    with operated(tmp_path, settings=FILE | flapping) as operator:
        for number in range(3):
            operator.node.connect(f"flap-{number}").disconnect()
        eventually(lambda: operator.rest.get("/metrics?aggregate=true")["log.throttled"] > 0)
    banned = [entry for entry in entries(tmp_path) if "is banned" in entry["msg"]]
    assert {"time", "level", "logger", "msg"} == banned[0].keys()
    assert banned[0]["time"].endswith("+08:00")
    assert banned[0]["msg"].startswith("client flap-")
    assert any(" more in the last " in entry["msg"] for entry in banned)


def test_the_level_of_a_module_is_set_and_taken_back(tmp_path: Path) -> None:
    with operated(tmp_path, settings=FILE) as operator:
        assert operator.api.get(LEVELS)["data"] == []
        answer = operator.api.put(f"{LEVELS}/rookery.settings", {"level": "debug"})
        assert answer == {"module": "rookery.settings", "level": "debug"}
        assert operator.api.get(LEVELS)["data"] == [answer]
        operator.api.delete(f"{LEVELS}/rookery.settings")
        assert operator.api.get(LEVELS)["data"] == []
        for module, level in (("other", "debug"), ("rookery", "loud")):
            with pytest.raises(BadRequestError):
                operator.api.put(f"{LEVELS}/{module}", {"level": level})


def test_the_command_line_sets_levels(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:

        def ctl(*words: str) -> str:
            command = [sys.executable, "-m", "rookery", "ctl", "log", *words]
            command += ["--data-dir", str(tmp_path)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S)
            assert done.returncode == 0, done.stderr
            return done.stdout

        ctl("set-level", "debug")
        ctl("set-level", "rookery.access", "error")
        assert json.loads(ctl("levels", "--json")) == [
            {"module": "rookery", "level": "debug"},
            {"module": "rookery.access", "level": "error"},
        ]
        ctl("reset-level", "rookery.access")
        assert operator.api.get(LEVELS)["data"] == [{"module": "rookery", "level": "debug"}]


def test_the_log_says_who_was_refused_and_at_debug_who_came_and_went(tmp_path: Path) -> None:
    def told() -> list[tuple[str, str]]:
        found = [entry for entry in entries(tmp_path) if entry["logger"] == "rookery.clients"]
        return [(entry["level"], entry["msg"].partition(" from ")[0]) for entry in found]

    settings = FILE | {"log.file.level": "info", "authentication": BUILT_IN}
    with operated(tmp_path, settings=settings) as operator:
        operator.add_user("u", "right")
        operator.login("u", "right", client_id="quiet").disconnect()
        for _ in range(3):
            assert operator.refusal("u", "wrong") != 0
        eventually(lambda: len(told()) == 1)
        operator.api.put(f"{LEVELS}/rookery", {"level": "debug"})
        operator.login("u", "right", client_id="seen").disconnect()
        eventually(lambda: len(told()) == 3)
        operator.api.delete(f"{LEVELS}/rookery")
        operator.login("u", "right", client_id="quiet").disconnect()
    [refused, *others] = told()
    assert refused[0] == "info"
    assert refused[1].startswith("refused: c")
    assert others[:2] == [("debug", "connected: seen as u"), ("debug", "disconnected: seen")]
    # At the end, or of the window: what was left out is counted.
    assert len(others) == 3
    assert others[2][1].startswith("2 more in the last ")


@pytest.mark.parametrize("is_on", [True, False])
def test_a_node_in_the_foreground_prints_objects_or_nothing(tmp_path: Path, *, is_on: bool) -> None:
    settings = {
        "log.console.formatter": "json",
        "log.console.enable": str(is_on).lower(),
        "listeners.tcp.default.bind": "127.0.0.1:0",
        "dashboard.listeners.http.bind": "0",
    }
    command = [sys.executable, "-m", "rookery", "node", "start", "--data-dir", str(tmp_path / "d")]
    for name, value in settings.items():
        command += ["--set", f"{name}={value}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            api = ManagementClient(tmp_path / "d", timeout_s=DEADLINE_S)
            eventually(lambda: _answers(api))
            [row] = [row for row in api.get("/api/v5/listeners") if row["id"] == "tcp:default"]
            port = int(str(row["bind"]).rpartition(":")[2])
            with RawClient("127.0.0.1", port) as client:
                client.send(Connect("somebody"))
                client.expect(ConnAck)
        finally:
            process.send_signal(signal.SIGTERM)
        printed, complaints = process.communicate(timeout=DEADLINE_S)
    words = [json.loads(line)["msg"].partition(":")[0] for line in printed.splitlines()]
    if is_on:
        assert {"listening", "connected", "disconnected", "stopped"} <= set(words)
    else:
        assert (words, complaints) == ([], b"")


def _answers(api: ManagementClient) -> bool:
    try:
        api.get("/status")
    except RookeryError:
        return False
    return True
