"""What places in lists are called: from 1 in files, as in JSON by who sent it over the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rookery.config import load
from rookery.config.problems import InvalidConfigError
from rookery.config.tree import seen_from
from rookery.connectors.checking import check


@pytest.mark.parametrize(
    ("path", "base", "written", "told"),
    [
        ("rules.a.actions.2.args", ("rules", "a"), {"actions": ["x", {"args": 1}]}, "actions.1.args"),
        ("rules.a.1.b", ("rules",), {"a": {"1": {"b": 2}}}, "a.1.b"),
        ("rules.a.3", ("rules",), {"a": [1]}, "a.2"),
        ("rewrite.1.action", ("rewrite",), [{"action": "x"}], "0.action"),
        ("rewrite.1.action", ("rewrite", "1"), {"action": "x"}, "action"),
        ("other.1.action", ("rewrite",), [], "other.1.action"),
    ],
)  # fmt: skip
def test_places_count_as_they_were_sent(
    path: str, base: tuple[str, ...], written: Any, told: str
) -> None:
    assert seen_from(path, base, written) == told


def test_places_of_a_connector_type_count_from_one_in_files(tmp_path: Path) -> None:
    file = tmp_path / "r.conf"
    file.write_text(
        'connectors.http.s { url = "http://127.0.0.1:1" }\n'
        "actions.http.a { connector = s, fallback_actions = [\n"
        '  { kind = republish, args { topic = "a" } }, { kind = republish, args { topic = "a/#" } }] }\n'
    )
    with pytest.raises(InvalidConfigError) as caught:
        check(load(file, tmp_path, environ={}))
    told = [problem.path for problem in caught.value.details]
    assert "actions.http.a.fallback_actions.2.args.topic" in told, caught.value.problems


def test_an_unknown_fallback_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "r.conf"
    file.write_text(
        'connectors.http.s { url = "http://127.0.0.1:1" }\n'
        "actions.http.a { connector = s, fallback_actions = [\n"
        "  { kind = reference, type = http, name = no }, { kind = reference, type = http, name = a }] }\n"
    )
    with pytest.raises(InvalidConfigError) as caught:
        load(file, tmp_path, environ={})
    paths = [problem.path for problem in caught.value.details]
    assert paths == [f"actions.http.a.fallback_actions.{place}" for place in (1, 2)]
    assert "动作不能作为自身的备选动作" in caught.value.text("zh")
