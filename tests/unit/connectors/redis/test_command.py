"""The command of an action, and where it is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rookery.access.errors import SettingError
from rookery.connectors.base import Context
from rookery.connectors.redis import TYPE
from rookery.connectors.redis.command import parse_command
from rookery.connectors.redis.settings import RedisConnectorSettings
from rookery.native.action_fields import Text

CONTEXT = Context(id="redis:r", node="n", data_dir=Path("/nonexistent"))


def test_arguments_are_templates() -> None:
    name, fields = parse_command(["HSET", "m:${clientid}", "${payload.k}", "x y"])
    assert name == "HSET"
    assert fields == (Text("m:${clientid}"), Text("${payload.k}"), Text("x y"))


@pytest.mark.parametrize("name", ["${payload.cmd}", "", "L PUSH", "LPUSH\r\nQUIT"])
def test_no_client_chooses_the_command(name: str) -> None:
    with pytest.raises(SettingError, match="name of a command"):
        parse_command([name, "key"])


@pytest.mark.parametrize(
    "command",
    [
        ["XREAD", "BLOCK", "0", "STREAMS", "s", "$"],
        ["xread", "COUNT", "1", "block", "5000", "streams", "s", "$"],
        ["XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "s", ">"],
        ["XREAD", "${payload.option}", "0", "STREAMS", "s", "$"],
    ],
)
def test_reading_that_waits_is_refused(command: list[str]) -> None:
    with pytest.raises(SettingError, match="cannot be used with BLOCK") as refused:
        parse_command(command)
    assert "BLOCK" in refused.value.text("zh")


def test_reading_that_does_not_wait_is_not_refused() -> None:
    name, fields = parse_command(["XREAD", "COUNT", "1", "STREAMS", "block", "${payload.id}"])
    assert (name, len(fields)) == ("XREAD", 5)
    command = ["XREADGROUP", "GROUP", "block", "${clientid}", "STREAMS", "s", ">"]
    assert parse_command(command)[0] == "XREADGROUP"


@pytest.mark.parametrize("name", ["subscribe", "MULTI", "BLPOP", "SELECT", "shutdown"])
def test_commands_that_hold_or_change_the_connection_are_refused(name: str) -> None:
    with pytest.raises(SettingError, match="share the connection") as refused:
        parse_command([name, "key"])
    assert "连接" in refused.value.text("zh")


@pytest.mark.parametrize(
    "parameters",
    [
        {"redis_type": "single", "server": "h:6379", "database": 3, "password": "x"},
        {"redis_type": "sentinel", "servers": "a:1, b:2", "sentinel": "m"},
        {"redis_type": "cluster", "servers": ["a", "b:7000"], "auto_reconnect": True},
    ],
)
def test_the_deployments_of_emqx(parameters: dict[str, Any]) -> None:
    settings = RedisConnectorSettings.model_validate({"parameters": parameters})
    TYPE.open(settings, CONTEXT)
    assert (
        settings.stored()["parameters"].items()
        >= {
            "redis_type": parameters["redis_type"],
            "pool_size": 8,
        }.items()
    )
    assert "x" not in settings.shown()["parameters"].get("password", "")


@pytest.mark.parametrize(
    "parameters",
    [
        {"redis_type": "single"},
        {"redis_type": "sentinel", "servers": "a"},
        {"redis_type": "cluster", "servers": ""},
        {"redis_type": "cluster", "servers": "a", "database": 1},
        {"server": "h"},
        {"redis_type": "ring", "server": "h"},
    ],
)
def test_what_a_deployment_lacks_is_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RedisConnectorSettings.model_validate({"parameters": parameters})


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="host:port"):
        RedisConnectorSettings.model_validate(
            {"parameters": {"redis_type": "single", "server": "h:99999"}}
        )
