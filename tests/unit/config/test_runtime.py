"""Changes made while a node runs: what they may touch, how they are kept."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from rookery.config import Config, InvalidConfigError, load
from rookery.config.runtime import BACKUPS_MAX, REMOVED, RuntimeChanges
from rookery.errors import ConflictError

INFLIGHT = ("mqtt", "max_inflight")
USERS = {"mechanism": "password_based", "backend": "built_in_database", "bootstrap_type": "plain"}
LINK = {"name": "mine", "server": "10.0.0.9:1883", "topics": ["a/#"], "username": "u"}
JWT = {"mechanism": "jwt", "algorithm": "hmac-based", "secret": "swordfish"}


def started(tmp_path: Path, text: str = "", environ: dict[str, str] | None = None) -> Config:
    file = tmp_path / "r.conf"
    file.write_text(text)
    return load(file, tmp_path / "data", environ=environ or {})


def changed(config: Config, changes: dict[tuple[str, ...], Any], now_ms: int = 0) -> Config:
    stored = RuntimeChanges(config.data_dir)
    new, tree = stored.changed(config, changes)
    stored.save(tree, now_ms)
    return new


def test_a_change_holds_now_and_after_a_restart(tmp_path: Path) -> None:
    config = started(tmp_path)
    assert changed(config, {INFLIGHT: 7})["mqtt.max_inflight"] == 7
    again = started(tmp_path)
    assert again["mqtt.max_inflight"] == 7
    assert again.origin("mqtt.max_inflight").kind == "runtime"


def test_nothing_is_written_before_it_is_saved(tmp_path: Path) -> None:
    config = started(tmp_path)
    RuntimeChanges(config.data_dir).changed(config, {INFLIGHT: 7})
    assert not RuntimeChanges(config.data_dir).file.exists()


@pytest.mark.parametrize(
    ("text", "environ", "origin"),
    [
        ("\nmqtt.max_inflight = 5", {}, "r.conf:2"),
        ("mqtt { max_inflight = 5 }", {}, "r.conf:1"),
        ("", {"ROOKERY_MQTT__MAX_INFLIGHT": "5"}, "env ROOKERY_MQTT__MAX_INFLIGHT"),
    ],
)
def test_what_a_stronger_source_sets_is_refused_with_its_place(
    tmp_path: Path, text: str, environ: dict[str, str], origin: str
) -> None:
    config = started(tmp_path, text, environ)
    with pytest.raises(ConflictError, match=origin):
        changed(config, {INFLIGHT: 7})
    with pytest.raises(ConflictError, match="ctl conf reload"):
        changed(config, {("mqtt",): {"max_inflight": 7}})


def test_keys_beside_those_of_a_stronger_source_can_be_changed(tmp_path: Path) -> None:
    config = started(tmp_path, 'listeners.tcp.default.bind = "127.0.0.1:1"')
    new = changed(config, {("listeners", "tcp", "default"): {"max_connections": 3}})
    assert new["listeners.tcp.default.max_connections"] == 3
    assert str(new["listeners.tcp.default.bind"]) == "127.0.0.1:1"


def test_a_default_listener_is_taken_away_and_given_back(tmp_path: Path) -> None:
    config = started(tmp_path)
    without = changed(config, {("listeners", "ws", "default"): None})
    assert without["listeners.ws"] == {}
    assert set(changed(without, {("listeners", "ws", "default"): REMOVED})["listeners.ws"])


def test_a_bad_change_changes_nothing(tmp_path: Path) -> None:
    config = changed(started(tmp_path), {INFLIGHT: 7})
    with pytest.raises(InvalidConfigError, match="max_inflight"):
        changed(config, {INFLIGHT: 0})
    assert started(tmp_path)["mqtt.max_inflight"] == 7


def test_a_secret_that_comes_back_hidden_stays_what_it_was(tmp_path: Path) -> None:
    config = changed(started(tmp_path), {("authentication",): [JWT]})
    shown = config.effective()["authentication"]
    assert "swordfish" not in str(shown)
    again = changed(config, {("authentication",): [{**JWT, **shown[0], "from": "username"}]})
    provider = again["authentication"][0]
    assert (provider["secret"].reveal(), provider["from"]) == ("swordfish", "username")


def test_the_file_is_the_owners_alone_and_older_ones_are_bounded(tmp_path: Path) -> None:
    config = started(tmp_path)
    for number in range(BACKUPS_MAX + 5):
        config = changed(config, {INFLIGHT: number + 1}, now_ms=number // 2)
    file = RuntimeChanges(config.data_dir).file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(list(file.parent.iterdir())) == BACKUPS_MAX + 1


def test_what_a_file_says_in_numbers_may_come_back_as_it_is_shown(tmp_path: Path) -> None:
    text = "mqtt { idle_timeout = 5000, max_packet_size = 2048 }\nlisteners.tcp.default.bind = 1884"
    config = started(tmp_path, text)
    shown = config.effective()
    new = changed(config, {("mqtt",): shown["mqtt"], ("listeners",): shown["listeners"]})
    assert new["mqtt.idle_timeout"] == 5000
    with pytest.raises(ConflictError, match=r"mqtt.idle_timeout"):
        changed(config, {("mqtt", "idle_timeout"): "6s"})


def test_a_hidden_secret_that_a_file_has_is_not_written_down(tmp_path: Path) -> None:
    tls = {"certfile": "c.pem", "keyfile": "k.pem", "password": "swordfish"}
    lines = [f'{name} = "{value}"' for name, value in tls.items()]
    config = started(tmp_path, "listeners.ssl.a.ssl_options {\n" + "\n".join(lines) + "\n}")
    options = config.effective()["listeners"]["ssl"]["a"]["ssl_options"]
    assert options["password"] == "******"
    path = ("listeners", "ssl", "a", "ssl_options")
    new = changed(config, {path: {**options, "versions": ["tlsv1.3"]}})
    assert new[".".join(path)]["password"].reveal() == "swordfish"
    assert "******" not in RuntimeChanges(config.data_dir).file.read_text()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("log", "file", "path"), "/home/me/.bashrc"),
        (("log", "file", "path"), "../../r.log"),
        (("log", "file", "path"), "admins.db"),
        (("log", "file", "path"), "log/audit.jsonl"),
        (("log", "file", "path"), "log/../configs/cluster.log"),
        (("api_key", "bootstrap_file"), "/srv/keys"),
        (("api_key", "bootstrap_file"), "data/disk_log/keys.txt"),
        (("api_key",), {"bootstrap_file": "data/disk_log/keys.txt"}),
        (("node", "connector_file_dirs"), ["/srv"]),
        (("node",), {"cookie": "0123456789abcdef0123"}),
        (("cluster", "name"), "other"),
        (("cluster", "links"), [{**LINK, "password": "file:///etc/rookery/keys"}]),
        (("plugins", "install_requires_allow"), False),
        (("cluster", "nats", "path"), "/srv/program"),
        (("authentication",), [{**USERS, "bootstrap_file": "/srv/users"}]),
    ],
)
def test_only_the_machine_names_files_elsewhere_and_whose_code_runs(
    tmp_path: Path, path: tuple[str, ...], value: object
) -> None:
    config = started(tmp_path)
    with pytest.raises(InvalidConfigError, match="only the configuration file"):
        changed(config, {path: value})
    assert not RuntimeChanges(config.data_dir).file.exists()


def test_a_log_beside_the_others_can_be_named(tmp_path: Path) -> None:
    config = started(tmp_path)
    assert changed(config, {("log", "file", "path"): "log/other.log"})["log.file.path"]


def test_a_password_file_of_a_link_goes_to_nobody_else(tmp_path: Path) -> None:
    text = f'cluster.links = [{{name = mine, server = "10.0.0.9:1883", username = u, topics = ["a/#"], password = "file://{tmp_path}/p"}}]'
    (tmp_path / "p").write_text("swordfish")
    stored = [{**LINK, "password": f"file://{tmp_path}/p"}]
    kept = tmp_path / "data" / "configs" / "cluster.hocon"
    kept.parent.mkdir(parents=True)
    kept.write_text(text)
    config = started(tmp_path)
    same = changed(config, {("cluster", "links"): stored})
    for moved in ({"server": "10.0.0.8:1883"}, {"name": "another"}):
        with pytest.raises(InvalidConfigError, match="write the password itself"):
            changed(same, {("cluster", "links"): [{**stored[0], **moved}]})


def test_what_is_the_machines_may_be_sent_back_as_it_holds_and_be_taken_back(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "data" / "configs" / "cluster.hocon"
    kept.parent.mkdir(parents=True)
    kept.write_text('node.connector_file_dirs = ["/srv"]')
    config = started(tmp_path)
    same: dict[tuple[str, ...], object] = {
        ("node",): {"connector_file_dirs": ["/srv"], "workers": 0}
    }
    config = changed(config, {**same, ("api_key",): {"bootstrap_file": ""}})
    back = changed(config, {("node", "connector_file_dirs"): REMOVED})
    assert back["node.connector_file_dirs"] == []
