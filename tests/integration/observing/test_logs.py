"""The log of a real node: its form, its levels, and what it leaves out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S
from harness.operator import eventually, operated
from rookery.errors import BadRequestError

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
