"""Keyword arguments become what the core is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rookery.engine.settings import native_config
from rookery.errors import BadRequestError, ConfigError
from rookery.native.config import HookSwitches, NodeConfig

USUAL: dict[str, Any] = {
    "node_name": "n@h",
    "options": {},
    "listeners": {"tcp:default": "127.0.0.1:0"},
    "admission": "loopback",
    "hooks": HookSwitches(),
    "data_dir": None,
    "sync": "interval",
    "workers": 1,
}


def made(**changed: Any) -> NodeConfig:
    return native_config(**(USUAL | changed)).node


def test_without_a_data_directory_nothing_is_written() -> None:
    config = made()

    assert not config.broker.durable
    assert config.durability.dir is None


def test_with_a_data_directory_everything_is(tmp_path: Path) -> None:
    config = made(data_dir=str(tmp_path), sync="always")

    assert config.broker.durable
    assert config.durability.dir == tmp_path / "store"
    assert config.durability.sync == "always"


def test_options_are_paths_of_the_configuration_file() -> None:
    options = {
        "mqtt.max_inflight": 10,
        "mqtt.session_expiry_interval": "1h",
        "mqtt.upgrade_qos": True,
    }

    mqtt = made(options=options).broker.zones[0].mqtt

    assert (mqtt.max_inflight, mqtt.session_expiry_interval_s) == (10, 3600)
    assert mqtt.upgrade_qos


@pytest.mark.parametrize(
    "options", [{"mqtt.max_inflght": 10}, {"mqtt.max_inflight": "many"}], ids=["name", "value"]
)
def test_a_wrong_option_is_named(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="max_infl"):
        made(options=options)


def test_listeners_speak_what_their_id_says() -> None:
    config = made(listeners={"ws:a": "127.0.0.1:0", "tcp:b": "[::1]:0"})

    assert [(item.kind, item.websocket is not None) for item in config.listeners] == [
        ("ws", True),
        ("tcp", False),
    ]


@pytest.mark.parametrize("listener", ["tcp", "udp:default", "tcp:"])
def test_an_unknown_listener_is_refused(listener: str) -> None:
    with pytest.raises(BadRequestError, match="listener"):
        made(listeners={listener: "127.0.0.1:0"})
