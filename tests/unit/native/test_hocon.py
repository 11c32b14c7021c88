"""Configuration text becomes values that know where they stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.errors import ConfigError
from rookery.native.hocon import parse


def test_a_value_knows_its_file_and_line() -> None:
    document = parse("a = 1\nb.c = text", "x.conf", {})

    assert document["sources"] == ["x.conf"]
    _, _, root = document["root"]
    assert root["a"] == [0, 1, 1]
    assert root["b"][2]["c"] == [0, 2, "text"]


def test_variables_come_from_what_is_given() -> None:
    document = parse("a = ${HOME_OF_TESTS}", "x.conf", {"HOME_OF_TESTS": "here"})

    assert document["root"][2]["a"][2] == "here"


def test_files_are_included_from_beside(tmp_path: Path) -> None:
    (tmp_path / "more.conf").write_text("b = 2")

    document = parse('include "more.conf"', str(tmp_path / "x.conf"), {})

    source, _, value = document["root"][2]["b"]
    assert value == 2
    assert document["sources"][source] == str(tmp_path / "more.conf")


def test_what_is_wrong_is_named_with_its_place() -> None:
    with pytest.raises(ConfigError, match=r"x\.conf:2:"):
        parse("a = 1\nb = {", "x.conf", {})
