"""Rules, connectors, actions and sources in a configuration file."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.config import load
from rookery.config.problems import InvalidConfigError
from rookery.connectors.checking import check

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
        ("topic =", "tpic =", "8: rule_engine.rules.hot.actions.2.args.tpic: unknown key"),
        ("qos = 1", "qos = 3", "8: rule_engine.rules.hot.actions.2.args.qos: 3 is not allowed here; allowed: 0, 1, 2 or a placeholder"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = "\n".join(problems(tmp_path, GOOD.replace(old, new)))
    assert told in found, found


def test_wrong_sql_is_told_in_chinese_too(tmp_path: Path) -> None:
    file = tmp_path / "r.conf"
    file.write_text(GOOD.replace("SELECT *", "SELEC *"))

    with pytest.raises(InvalidConfigError) as caught:
        load(file, tmp_path, environ={})

    assert '第 1 行第 1 列：此处应为 SELECT 或 FOREACH，实际为 "SELEC"' in caught.value.text("zh")
    assert 'line 1, column 1: expected SELECT or FOREACH, found "SELEC"' in caught.value.text()


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
