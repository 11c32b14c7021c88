"""Sources, their precedence, and what comes out for the core."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.config import InvalidConfigError, load
from rookery.config.load import data_dir_of
from rookery.native import config as native

CORPUS = Path(__file__).parent / "hocon"
LAYERS = ("runtime", "file", "env", "set")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_source_the_core_gets_its_own_defaults(tmp_path: Path) -> None:
    config = load(data_dir=tmp_path, environ={}).to_native()
    assert config.broker.zones == (native.ZoneConfig(),)
    assert config.broker.retainer == native.RetainerConfig()
    assert config.broker.notices == native.NoticeConfig()
    assert config.broker.admission == "loopback"
    assert config.durability == native.DurabilityConfig(dir=tmp_path / "store")
    assert [(item.id, item.bind) for item in config.listeners] == [
        ("tcp:default", "0.0.0.0:1883"),
        ("ws:default", "0.0.0.0:8083"),
    ]


def test_emqx_58s_own_file_starts() -> None:
    config = load(CORPUS / "emqx_default.conf", environ={})
    assert config.management.node_name == "emqx@127.0.0.1"
    assert config.management.cluster_name == "emqxcl"
    # A port without a host is this machine's alone.
    assert config.management.http is not None
    assert (config.management.http.host, config.management.http.port) == ("127.0.0.1", 18083)
    assert config.warnings == ()
    assert config.data_dir == CORPUS / "data"


def layered(tmp_path: Path, layers: set[str]) -> Any:
    """``mqtt.max_inflight`` set by the given layers, each to another value."""
    values = {name: 10 + index for index, name in enumerate(LAYERS)}
    file = write(tmp_path / "r.conf", f"\nmqtt.max_inflight = {values['file']}\n")
    runtime = tmp_path / "data" / "configs" / "cluster.hocon"
    if "runtime" in layers:
        write(runtime, f"mqtt {{ max_inflight = {values['runtime']} }}")
    else:
        runtime.unlink(missing_ok=True)
    environ = {"ROOKERY_MQTT__MAX_INFLIGHT": str(values["env"])} if "env" in layers else {}
    return load(
        file if "file" in layers else None,
        tmp_path / "data",
        [f"mqtt.max_inflight={values['set']}"] if "set" in layers else [],
        environ,
    )


@given(layers=st.sets(st.sampled_from(LAYERS)))
def test_the_highest_source_that_says_something_wins(
    tmp_path_factory: pytest.TempPathFactory, layers: set[str]
) -> None:
    tmp_path = tmp_path_factory.mktemp("layers")
    config = layered(tmp_path, layers)
    winner = max(layers, key=LAYERS.index, default=None)
    origin = str(config.origin("mqtt.max_inflight"))
    if winner is None:
        assert (config["mqtt.max_inflight"], origin) == (32, "default")
        return
    assert config["mqtt.max_inflight"] == 10 + LAYERS.index(winner)
    assert (
        origin
        == {
            "file": f"{tmp_path}/r.conf:2",
            "runtime": f"{tmp_path}/data/configs/cluster.hocon:1",
            "env": "env ROOKERY_MQTT__MAX_INFLIGHT",
            "set": "--set",
        }[winner]
    )


def test_sources_merge_key_by_key(tmp_path: Path) -> None:
    file = write(tmp_path / "r.conf", "listeners.tcp.default { bind = 1884, max_connections = 5 }")
    config = load(
        file,
        tmp_path,
        ["listeners.tcp.default.max_connections=6"],
        {"ROOKERY_LISTENERS__TCP__DEFAULT__ZONE": "default"},
    )
    listener = config.to_native().listeners[0]
    assert (listener.bind, listener.max_connections) == ("0.0.0.0:1884", 6)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("127.0.0.1:1884", "127.0.0.1:1884"),
        ('"127.0.0.1:1884"', "127.0.0.1:1884"),
        ("1884", "1884"),
    ],
)
def test_an_address_in_the_environment_needs_no_quotes(
    tmp_path: Path, text: str, value: object
) -> None:
    config = load(None, tmp_path, environ={"ROOKERY_LISTENERS__TCP__DEFAULT__BIND": text})
    assert config.effective()["listeners"]["tcp"]["default"]["bind"] == value


def test_lists_and_objects_in_the_environment_are_hocon(tmp_path: Path) -> None:
    topics = '[{topic = "c/${clientid}", qos = 1}]'
    config = load(None, tmp_path, environ={"ROOKERY_AUTO_SUBSCRIBE__TOPICS": topics})
    assert config.to_native().broker.auto_subscribe == (
        native.AutoSubscribe(topic="c/${clientid}", qos=1),
    )


def test_an_element_of_a_list_is_set_by_index(tmp_path: Path) -> None:
    file = write(
        tmp_path / "r.conf",
        'rewrite = [{ source_topic = "a/#", dest_topic = "b/$1", re = "^a/(.+)$" }]',
    )
    config = load(file, tmp_path, ["rewrite.1.action=publish"], {})
    rule = config.to_native().broker.rewrite[0]
    assert (rule.action, rule.dest_topic) == ("publish", "b/$1")


def test_of_the_environment_only_names_with_two_underscores_are_read(tmp_path: Path) -> None:
    config = load(
        None,
        tmp_path,
        environ={"ROOKERY_MAX_INFLIGHT": "7", "ROOKERY_LANG": "en", "EMQX_MQTT__MAX_INFLIGHT": "7"},
    )
    assert config["mqtt.max_inflight"] == 32
    assert [warning.text() for warning in config.warnings] == [
        "environment: ROOKERY_MAX_INFLIGHT is not read: only names with __ are configuration"
    ]


@pytest.mark.parametrize("name", ["ROOKERY_MQTT__", "ROOKERY___A", "ROOKERY_A____B"])
def test_a_name_of_the_environment_that_lacks_a_key_is_told_so(tmp_path: Path, name: str) -> None:
    (warning,) = load(None, tmp_path, environ={name: "7"}).warnings

    assert warning.text().startswith(f"environment: {name} is not read: a key is missing")


def test_mistakes_are_told_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.conf"
    file.write_text("zzz = 1\nmqtt.max_inflight = lots\nlisteners.tcp.default.bnd = 1\nabc = 1\n")

    with pytest.raises(InvalidConfigError) as caught:
        load(file, tmp_path, sets=["nonsense=1"], environ={})

    lines = [
        it.origin.line for it in caught.value.details if it.origin and it.origin.kind == "file"
    ]
    assert lines == [1, 2, 3, 4]


def test_an_unknown_key_in_the_environment_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        load(None, tmp_path, environ={"ROOKERY_MQTT__MAX_INFLIHT": "7"})
    assert caught.value.problems == (
        (
            "env ROOKERY_MQTT__MAX_INFLIHT: mqtt.max_infliht: unknown key, "
            "did you mean mqtt.max_inflight?"
        ),
    )


@pytest.mark.parametrize("text", ["mqtt.max_inflight", "=1", "a..b=1", ""])
def test_a_set_that_is_not_key_and_value_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidConfigError):
        load(None, tmp_path, [text], {})


def test_a_file_that_is_not_hocon_names_line_and_column(tmp_path: Path) -> None:
    file = write(tmp_path / "r.conf", "mqtt {\n  max_inflight 5\n}\n")
    with pytest.raises(InvalidConfigError) as caught:
        load(file, tmp_path, environ={})
    assert caught.value.problems[0].startswith(f"{file}:2:")


@pytest.mark.parametrize("name", ["missing.conf", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidConfigError, match="cannot be read"):
        load(tmp_path / name, tmp_path, environ={})


def test_problems_name_the_line_in_an_included_file(tmp_path: Path) -> None:
    write(tmp_path / "part.conf", "\n\nmqtt.max_inflight = none")
    file = write(tmp_path / "r.conf", 'include "part.conf"')
    with pytest.raises(InvalidConfigError, match=r"part\.conf:3: mqtt\.max_inflight"):
        load(file, tmp_path, environ={})


def test_an_included_file_that_is_missing_is_a_warning_with_its_place(tmp_path: Path) -> None:
    write(tmp_path / "parts" / "one.conf", '\ninclude "gone"')
    file = write(tmp_path / "r.conf", 'include "parts/one.conf"\nmqtt { include "none.conf" }')
    warnings = load(file, tmp_path, environ={}).warnings
    one, two = (warning.text() for warning in warnings)
    assert one.startswith(f"{tmp_path}/parts/one.conf:2: {tmp_path}/parts/gone: there is no such")
    assert two.startswith(f"{file}:2: {tmp_path}/none.conf: there is no such file")
    assert 'include required("none.conf")' in two
    assert "没有这个文件" in warnings[1].text("zh")


def test_an_included_file_that_is_required_and_missing_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "r.conf", '\ninclude required("none.conf")')
    with pytest.raises(InvalidConfigError, match=r'r\.conf:2:1: include "none\.conf": there is no'):
        load(file, tmp_path, environ={})


# -- the data directory -------------------------------------------------------------------


def test_the_data_directory_comes_from_the_highest_source(tmp_path: Path) -> None:
    file = write(tmp_path / "etc" / "r.conf", 'node.data_dir = "../data"')
    environ = {"ROOKERY_DATA_DIR": str(tmp_path / "b")}
    set_there = {"ROOKERY_NODE__DATA_DIR": str(tmp_path / "c"), **environ}
    assert load(file, None, environ={}).data_dir == tmp_path / "data"
    assert load(file, None, environ=environ).data_dir == tmp_path / "b"
    assert load(file, None, environ=set_there).data_dir == tmp_path / "c"
    assert load(file, tmp_path / "d", environ=set_there).data_dir == tmp_path / "d"
    assert data_dir_of(None, file, {}) == tmp_path / "data"
    assert data_dir_of(tmp_path / "d", file, set_there) == tmp_path / "d"


def test_the_file_in_the_data_directory_is_read_when_no_other_is_named(tmp_path: Path) -> None:
    write(tmp_path / "rookery.conf", "mqtt.max_inflight = 5")
    other = write(tmp_path / "other.conf", "mqtt.max_qos_allowed = 1")
    assert load(None, tmp_path, environ={})["mqtt.max_inflight"] == 5
    assert load(other, tmp_path, environ={})["mqtt.max_inflight"] == 32
    assert load(None, tmp_path, environ={"ROOKERY_CONFIG": str(other)})["mqtt.max_qos_allowed"] == 1


# -- rules between keys, and what the core gets -------------------------------------------


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("listeners.tcp.default.zone = south", "there is no zone south; there are: default"),
        ("listeners.tcp.other.bind = 1883", "is also the address of listeners.tcp.default.bind"),
        ('dashboard.listeners.http.bind = "0.0.0.0:1883"', "is also the address of"),
    ],
)
def test_keys_that_contradict_each_other(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InvalidConfigError, match=problem):
        load(write(tmp_path / "r.conf", text), tmp_path, environ={})


def test_a_listener_that_is_off_takes_no_address(tmp_path: Path) -> None:
    text = "listeners.tcp.other { bind = 1883, enable = false }"
    config = load(write(tmp_path / "r.conf", text), tmp_path, environ={})
    assert [listener.id for listener in config.to_native().listeners] == [
        "tcp:default",
        "ws:default",
    ]


def test_a_zone_has_what_it_sets_and_the_rest_of_mqtt(tmp_path: Path) -> None:
    text = """
    mqtt { max_inflight = 5, max_qos_allowed = 1 }
    zones.south.mqtt { max_inflight = 6, session_expiry_interval = infinity }
    zones.default.mqtt.max_qos_allowed = 0
    listeners.tcp.default.zone = south
    """
    config = load(write(tmp_path / "r.conf", text), tmp_path, environ={}).to_native()
    default, south = config.broker.zones
    assert (default.name, default.mqtt.max_inflight, default.mqtt.max_qos_allowed) == (
        "default",
        5,
        0,
    )
    assert (south.name, south.mqtt.max_inflight, south.mqtt.max_qos_allowed) == ("south", 6, 1)
    assert south.mqtt.session_expiry_interval_s == native.SESSION_EXPIRY_NEVER_S


def test_units_and_words_become_numbers(tmp_path: Path) -> None:
    text = """
    mqtt { retry_interval = 30s, max_mqueue_len = infinity, server_keepalive = 60
           message_expiry_interval = 1500ms, mqueue_priorities { "a/b" = 10 } }
    durability { sync = always, sync_interval = 1s, max_disk_bytes = 10GB }
    listeners.tcp.default { max_connections = 10, tcp_options { high_watermark = 64KB } }
    access.anonymous = nobody
    force_shutdown.max_mailbox_size = 50
    """
    config = load(write(tmp_path / "r.conf", text), tmp_path, environ={}).to_native()
    mqtt = config.broker.zones[0].mqtt
    assert (mqtt.retry_interval_ms, mqtt.max_mqueue_len, mqtt.server_keepalive_s) == (30_000, 0, 60)
    assert mqtt.message_expiry_interval_s == 2  # rounded up: never shorter than asked
    assert mqtt.mqueue_priorities == (("a/b", 10),)
    assert (config.durability.sync, config.durability.sync_interval_ms) == ("always", 1000)
    assert config.durability.max_disk_bytes == 10 << 30
    assert config.listeners[0].max_connections == 10
    assert config.broker.limits.outbox_high_water_bytes == 64 << 10
    assert config.broker.limits.deferred_packets == 50
    assert config.broker.admission == "ask"


def test_the_http_address_can_be_closed(tmp_path: Path) -> None:
    config = load(None, tmp_path, ["dashboard.listeners.http.bind=0"], {})
    assert config.management.http is None


# -- HOCON --------------------------------------------------------------------------------


def plain(item: Any) -> Any:
    _, _, value = item
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.conf")), ids=lambda path: path.stem)
def test_the_corpus_means_its_json(file: Path) -> None:
    from rookery.native import hocon

    environ = {"ROOKERY_HOCON_TEST": "from the environment"}
    document = hocon.parse(file.read_text(encoding="utf-8"), str(file), environ)
    assert plain(document["root"]) == json.loads(file.with_suffix(".json").read_text("utf-8"))


# -- start-up -----------------------------------------------------------------------------


def test_loading_the_configuration_imports_nothing_heavy() -> None:
    code = (
        "import sys; import rookery.config; "
        "print(' '.join(sorted({m.partition('.')[0] for m in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"pydantic", "asyncio", "starlette", "uvicorn", "paho", "fastapi"}


@pytest.mark.parametrize("text", ['node.data_dir = ""', 'node { data_dir = "" }'])
def test_an_empty_data_directory_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "r.conf"
    file.write_text(text)
    with pytest.raises(InvalidConfigError, match=r'node\.data_dir: "" is not allowed here'):
        load(file, environ={"HOME": str(tmp_path)})
    with pytest.raises(InvalidConfigError, match=r"node\.data_dir"):
        load(sets=["node.data_dir="], environ={"HOME": str(tmp_path)})
