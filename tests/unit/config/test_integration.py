"""Rules, connectors, actions and sources in a configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.config import load
from rookery.config.problems import InvalidConfigError
from rookery.connectors.checking import check, check_all

GOOD = """\
connectors.http.service { url = "http://127.0.0.1:8080", headers { X-Key = "a" } }
actions.http.tell {
  connector = service
  parameters { method = post, path = "/a", body = "${.}" }
}
rule_engine.rules.hot {
  sql = "SELECT * FROM \\"line/#\\""
  actions = ["http:tell", { function = republish, args { topic = "a/${clientid}", qos = 1 } }]
}
"""


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "r.conf"
    file.write_text(text)
    try:
        check(load(file, tmp_path, environ={}))
    except InvalidConfigError as error:
        return [problem.text().removeprefix(f"{file}:") for problem in error.details]
    return []


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("connectors.http", "connectors.htp", "1: connectors.htp: the name \"htp\" is not allowed"),
        ("url =", "ur =", "1: connectors.http.service.url: missing"),
        ("method = post", "method = jump", "4: actions.http.tell.parameters.method: \"jump\""),
        ("connector = service", "connector = other",
         "3: actions.http.tell.connector: there is no connector http:other; there are: http:service"),
        ('"http:tell"', '"http:tel"', "8: rule_engine.rules.hot.actions.1: there is no action http:tel"),
        ('"http:tell"', '"htp:tel"', "there are no actions of type htp"),
        ("SELECT *", "SELEC *", "7: rule_engine.rules.hot.sql: "),
        ("topic =", "tpic =", "args.tpic: unknown"),
        ("qos = 1", "qos = 3", "args.qos is 0, 1, 2 or a placeholder"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = "\n".join(problems(tmp_path, GOOD.replace(old, new)))
    assert told in found, found


ELSEWHERE = """\
connectors {
  pgsql.db { server = "SERVER", database = d, username = u }
  redis.r.parameters { redis_type = cluster, servers = "SERVER,h:1" }
  mqtt.m.server = "SERVER"
  elasticsearch.e.server = "SERVER"
  kafka_producer.k.bootstrap_hosts = "h:1,SERVER"
}
"""


def whole_check(tmp_path: Path, text: str) -> list[str]:
    """What `rookery node check-config` says."""
    file = tmp_path / "r.conf"
    file.write_text(text)
    try:
        check_all(load(file, tmp_path / "data", environ={}))
    except InvalidConfigError as error:
        return [problem.text().removeprefix(f"{file}:") for problem in error.details]
    return []


@pytest.mark.parametrize("server", ["h:70000", "h:port", "http://h", "x:hunter2@h:1", "a b"])
def test_an_address_that_is_none_is_told_with_its_line_and_without_a_password(
    tmp_path: Path, server: str
) -> None:
    found = whole_check(tmp_path, ELSEWHERE.replace("SERVER", server))
    assert [line.partition(": ")[0] for line in found] == ["2", "3", "4", "5", "6"], found
    assert all("must be host:port" in line for line in found)
    assert "hunter2" not in "\n".join(found)


def test_an_address_is_refused_in_chinese_too(tmp_path: Path) -> None:
    file = tmp_path / "r.conf"
    file.write_text('connectors.mqtt.m.server = "h:0"')
    with pytest.raises(InvalidConfigError) as caught:
        check(load(file, tmp_path, environ={}))
    assert "应为 主机:端口" in caught.value.text("zh")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/etc/hosts.log", "1: connectors.disk_log.f.filepath: /etc/hosts.log is not below"),
        ("made", "1: connectors.disk_log.f.filepath: "),
        ("taken/a.log", "is no directory"),
        ("new/a.log", ""),
        ("ALLOWED/a.log", ""),
    ],
)
def test_the_place_of_a_file_is_looked_at_before_the_node_starts(
    tmp_path: Path, path: str, told: str
) -> None:
    home = tmp_path / "data" / "disk_log"
    (home / "made").mkdir(parents=True)
    (home / "taken").touch()
    (tmp_path / "logs").mkdir()
    place = path.replace("ALLOWED", str(tmp_path / "logs"))
    text = f'connectors.disk_log.f.filepath = "{place}"\n'
    found = whole_check(tmp_path, f'{text}node.connector_file_dirs = ["{tmp_path}/logs"]')
    assert (told in "\n".join(found)) if told else not found, found


def test_a_statement_and_a_certificate_are_looked_at_before_the_node_starts(
    tmp_path: Path,
) -> None:
    text = """\
connectors.pgsql.db { server = "h:1", database = d, username = u }
actions.pgsql.a { connector = db, parameters.sql = "VALUES ('a ${b}')" }
connectors.http.h { url = "http://h" }
actions.http.b { connector = h, parameters.body = "${never closed" }
connectors.mqtt.m { server = "h:1", ssl { enable = true, cacertfile = "/none.pem" } }
"""
    found = "\n".join(whole_check(tmp_path, text))
    assert "2: actions.pgsql.a.parameters.sql: " in found
    assert "4: actions.http.b: ${never closed: " in found
    assert "5: connectors.mqtt.m.ssl.cacertfile: /none.pem: " in found


def test_secrets_of_connectors_are_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "r.conf"
    file.write_text(GOOD)
    shown = load(file, tmp_path, environ={}).effective()
    assert shown["connectors"]["http"]["service"]["headers"] == {"X-Key": "******"}


@pytest.mark.parametrize(
    "switch",
    [
        "rule_engine.rules.hot.enable = false",
        "connectors.http.service.enable = false",
        "actions.http.tell.enable = false",
        "sources.mqtt.there.enable = false",
    ],
)
def test_a_switch_of_what_left_the_file_does_not_keep_the_node_from_starting(
    tmp_path: Path, switch: str
) -> None:
    changes = tmp_path / "configs" / "cluster.hocon"
    changes.parent.mkdir()
    changes.write_text(switch + "\n")
    config = load(None, tmp_path, environ={})
    check(config)
    assert config["rule_engine.rules"] == {}
    assert not config["connectors"].get("http")


def test_a_switch_of_what_stands_in_the_file_holds(tmp_path: Path) -> None:
    changes = tmp_path / "configs" / "cluster.hocon"
    changes.parent.mkdir()
    changes.write_text("rule_engine.rules.hot.enable = false\n")
    file = tmp_path / "r.conf"
    file.write_text(GOOD)
    config = load(file, tmp_path, environ={})
    assert config["rule_engine.rules"]["hot"]["enable"] is False


def test_half_a_rule_that_says_more_is_still_refused(tmp_path: Path) -> None:
    changes = tmp_path / "configs" / "cluster.hocon"
    changes.parent.mkdir()
    changes.write_text('rule_engine.rules.hot { enable = false, actions = ["http:tell"] }\n')
    with pytest.raises(InvalidConfigError, match=r"rules\.hot\.sql: missing"):
        load(None, tmp_path, environ={})
