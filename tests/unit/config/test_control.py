"""The section of a control plane, in the same sources as a node's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.config import InvalidConfigError, load
from rookery.config.control import control_data_dir, load_control


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_one_file_may_hold_a_node_and_a_control_plane(tmp_path: Path) -> None:
    text = 'mqtt.max_inflight = 7\ncontrol { bind = "127.0.0.1:9000", data_dir = "c" }\n'
    file = write(tmp_path / "rookery.conf", text)
    node = load(file, tmp_path, environ={})
    control = load_control(file, environ={})
    assert node["mqtt.max_inflight"] == 7
    assert (control.host, control.port, control.data_dir) == ("127.0.0.1", 9000, tmp_path / "c")


def test_later_sources_win(tmp_path: Path) -> None:
    file = write(tmp_path / "control.conf", 'control.bind = "127.0.0.1:1"')
    environ = {"ROOKERY_CONTROL__BIND": "127.0.0.1:2"}
    assert load_control(None, tmp_path, environ={}).port == 1
    assert load_control(file, tmp_path, environ=environ).port == 2
    assert load_control(file, tmp_path, ["control.bind=127.0.0.1:3"], environ).port == 3


def test_the_usual_place_is_beside_that_of_a_node(tmp_path: Path) -> None:
    environ = {"ROOKERY_DATA_DIR": str(tmp_path)}
    assert load_control(environ=environ).data_dir == tmp_path / "control"
    assert control_data_dir(environ=environ) == tmp_path / "control"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("control.bnid=1", "control.bnid"),
        ("mqtt.max_inflight=1", "mqtt"),
        ("control.bind=nowhere", "control.bind"),
        ("control.tls.certfile=a.pem", "control.tls.keyfile"),
        ("control.log.level=loud", "control.log.level"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(InvalidConfigError) as found:
        load_control(None, tmp_path, [text], environ={})
    assert place in str(found.value)


def test_the_address_of_a_database_is_not_shown(tmp_path: Path) -> None:
    address = "postgresql://rookery:geheim@h/d"
    config = load_control(None, tmp_path, [f"control.database={address}"], environ={})
    assert config.database.reveal() == address
    assert "geheim" not in repr(config)
    assert "geheim" not in str(config.shown)
