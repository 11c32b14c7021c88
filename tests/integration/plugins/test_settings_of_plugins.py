"""Settings of plugins: what the audit log keeps of them, and answers of plugins that come late."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness.ctl import Ctl
from harness.operator import Operator, operated
from harness.plugins import Plugins, archive_of
from rookery.errors import BadRequestError

ID = "probe-1.0.0"
CONFIG = f"/plugins/{ID}/config"
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "mark": {"type": "string", "default": "!"},
            "pin": {"type": "string", "format": "password", "default": ""},
        },
    }
)
CODE = """
import asyncio
from rookery.plugins import Plugin

class Probe(Plugin):
    async def settings_changed(self, settings):
        if settings["mark"] == "slow":
            with await asyncio.to_thread(open, "gate", "rb"):
                pass
        if settings["mark"] == "no":
            raise ValueError("not that one")
"""


def entries(operator: Operator) -> list[dict[str, Any]]:
    """What was done to plugins, the latest first."""
    found: list[dict[str, Any]] = operator.rest.get("/audit?operation_type=plugins")["data"]
    return found


def test_the_audit_log_says_what_changed_and_no_secret(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of("import rookery.plugins as p\nclass Probe(p.Plugin): pass",
                               schema=SCHEMA), ID)  # fmt: skip
        operator.rest.put(CONFIG, {"mark": "?", "pin": "my-own-word"})
        with pytest.raises(BadRequestError):
            operator.rest.put(CONFIG, {"mark": 5, "pin": "my-own-word"})
        operator.rest.put(f"/plugins/{ID}/run", {"deadline_s": 1})
        plugins.act(ID, "stop")
        operator.rest.delete(f"/plugins/{ID}")

        removed, stopped, run, refused, config, started, installed = entries(operator)
        assert installed["after"] == {"enable": False, "status": "stopped"}
        assert started["before"] == installed["after"]
        assert started["after"] == {"enable": True, "status": "running"}
        assert config["before"] == {"mark": "!", "pin": ""}
        assert config["after"] == {"mark": "?", "pin": "******"}
        assert refused["operation_result"] == "failure"
        assert (run["before"]["deadline_s"], run["after"]["deadline_s"]) == (5, 1)
        assert stopped["after"] == {"enable": False, "status": "stopped"}
        assert removed["before"] == stopped["after"]
        assert removed["after"] is None
        file = operator.node.data_dir / "log" / "audit.jsonl"
        assert "my-own-word" not in file.read_text(encoding="utf-8")


def test_an_answer_that_comes_late_is_none_to_what_is_asked_next(tmp_path: Path) -> None:
    with operated(tmp_path, "plugins.stop_timeout = 1s") as operator:
        plugins = Plugins(operator)
        plugins.run(archive_of(CODE, schema=SCHEMA), ID)
        gate = operator.node.data_dir / "plugins" / "data" / "probe" / "gate"
        os.mkfifo(gate)

        with pytest.raises(BadRequestError, match="did not take its settings"):
            operator.rest.put(CONFIG, {"mark": "slow"})
        gate.open("wb").close()

        with pytest.raises(BadRequestError, match="not that one"):
            operator.rest.put(CONFIG, {"mark": "no"})
        operator.rest.put(CONFIG, {"mark": "?"})
        with pytest.raises(BadRequestError, match="not that one"):
            operator.rest.put(CONFIG, {"mark": "no"})
        assert operator.rest.get(CONFIG)["mark"] == "?"


def test_settings_with_secrets_need_not_be_arguments_of_a_command(tmp_path: Path) -> None:
    with operated(tmp_path) as operator:
        Plugins(operator).install(archive_of(CODE, schema=SCHEMA))
        ctl = Ctl(operator.node.data_dir)

        ctl.good("plugins", "config", ID, "--value", "-", text='{"pin": "my-own-word"}')
        wrong = ctl("plugins", "config", ID, "--value", "-", text='{"pin": "my-own-word",}')

        assert operator.rest.get(CONFIG) == {"mark": "!", "pin": "******"}
        assert wrong.code == 1
        assert "my-own-word" not in wrong.err


def test_a_secret_does_not_follow_to_another_place(tmp_path: Path) -> None:
    text = {"type": "string", "default": ""}
    schema = {"type": "object", "properties": {"url": text, "pin": {**text, "format": "password"}}}
    with operated(tmp_path) as operator:
        code = "import rookery.plugins as p\nclass Probe(p.Plugin): pass"
        Plugins(operator).install(archive_of(code, schema=json.dumps(schema)))
        operator.rest.put(CONFIG, {"url": "https://shop.example/hook", "pin": "my-own-word"})
        with pytest.raises(BadRequestError, match="pin: write the secret again: url leads"):
            operator.rest.put(CONFIG, {"url": "https://evil.example/hook", "pin": "******"})
        operator.rest.put(CONFIG, {"url": "https://shop.example/other", "pin": "******"})
        operator.rest.put(CONFIG, {"url": "https://new.example/", "pin": "another"})
        assert operator.rest.get(CONFIG) == {"url": "https://new.example/", "pin": "******"}
