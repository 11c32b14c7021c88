"""What is told about connectors before anything runs: `rookery node check-config`."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.config import load
from rookery.config.problems import InvalidConfigError
from rookery.connectors.checking import all_problems, check

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
        load(file, tmp_path / "data", environ={}, look=all_problems)
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
    assert '4: actions.http.b.parameters.body: placeholder "${never closed" is' in found
    assert "5: connectors.mqtt.m.ssl.cacertfile: /none.pem: " in found


@pytest.mark.parametrize(
    ("type_", "settings"),
    [
        ("http", 'url = "https://h"'),
        ("mqtt", 'server = "h:1"'),
        ("pgsql", 'server = "h:1", database = d, username = u'),
        ("redis", 'parameters { redis_type = single, server = "h:1" }'),
        ("kafka_producer", 'bootstrap_hosts = "h:1"'),
        ("elasticsearch", 'server = "h:1"'),
    ],
)
def test_certificate_files_of_every_type_are_looked_at(
    tmp_path: Path, type_: str, settings: str
) -> None:
    tls = 'ssl { enable = true, cacertfile = "/none.pem" }'
    found = "\n".join(whole_check(tmp_path, f"connectors.{type_}.c {{ {settings}, {tls} }}"))
    assert f"1: connectors.{type_}.c.ssl.cacertfile: /none.pem: " in found


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = """\
mqtt.nonsense = 1
connectors.http.h { url = "ftp://h" }
connectors.disk_log.f { filepath = "/etc/hosts.log" }
connectors.pgsql.db { server = "h:1", database = d, username = u }
actions.pgsql.a { connector = db, parameters.sql = "VALUES ('a ${b}')" }
rule_engine.rules.r { sql = "SELEC", actions = [] }
"""
    found = whole_check(tmp_path, text)
    assert sorted(line.partition(":")[0] for line in found) == ["1", "2", "3", "5", "6"], found


def test_fallbacks_that_go_round_are_told_before_the_node_starts(tmp_path: Path) -> None:
    text = 'connectors.http.h.url = "http://h"\n'
    for one, other in ("ab", "ba"):
        fallback = f"{{kind = reference, type = http, name = {other}}}"
        text += f"actions.http.{one} {{ connector = h, fallback_actions = [{fallback}] }}\n"
    (found,) = whole_check(tmp_path, text)
    assert (
        found == "actions: fallback_actions of http:a lead back to itself: http:a → http:b → http:a"
    )
