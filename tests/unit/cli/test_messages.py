"""Every text exists in both languages and takes the same words."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import rookery.cli
from rookery.cli.messages import LANGUAGES, TEXTS, language, say

SOURCES = Path(rookery.cli.__file__).parent
USED = re.compile(r"""say\(\s*f?"([^"]+)\"""")
COMMAND_KEYS = re.compile(r"""add_command\(\s*\w+,\s*"[^"]+",\s*"([^"]+)\"""")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_it_with_the_same_words() -> None:
    differing = [
        key
        for key, (english, chinese) in TEXTS.items()
        if not english or not chinese or fields(english) != fields(chinese)
    ]
    assert differing == []


def used_keys() -> set[str]:
    found: set[str] = set()
    for file in SOURCES.rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        found.update(USED.findall(source), COMMAND_KEYS.findall(source))
    return found


def test_every_key_that_is_used_exists() -> None:
    patterns = [re.sub(r"\{[^}]*\}", ".*", key) for key in used_keys()]
    for pattern in patterns:
        assert any(re.fullmatch(pattern, key) for key in TEXTS), pattern


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "zh_TW"}, "zh"),
        ({"LANG": "en_US", "ROOKERY_LANG": "zh"}, "zh"),
        ({"LANG": "zh_CN", "ROOKERY_LANG": "en"}, "en"),
        ({"LC_ALL": "", "LANG": "zh_CN"}, "zh"),
    ],
)
def test_the_language_is_that_of_the_locale_unless_named(
    environ: dict[str, str], expected: str
) -> None:
    assert language(environ) == expected


def test_a_text_is_said_in_the_language_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    said = set()
    for name in LANGUAGES:
        monkeypatch.setenv("ROOKERY_LANG", name)
        said.add(say("node.stopped"))
    assert said == {"stopped", "已停止"}
