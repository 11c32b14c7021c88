"""Every alarm can be read in both languages, also one of an earlier run."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import rookery
from rookery.broker.alarms import MESSAGES, Alarm, message
from rookery.broker.alarms.store import AlarmFile
from rookery.words import Words

PACKAGE = Path(rookery.__file__).parent
TABLE = PACKAGE / "broker/alarms/messages.py"


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@functools.cache
def trees() -> list[tuple[Path, ast.Module]]:
    """Files that raise something or name a message, whatever they are; the others are not parsed."""
    name = re.compile(
        rf"\bactivate\b|['\"](?:{'|'.join(map(re.escape, MESSAGES))})['\"]|\bmessage\("
    )
    texts = {
        path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py") if path != TABLE
    }
    return [(path, ast.parse(text)) for path, text in texts.items() if name.search(text)]


def calls(tree: ast.Module, function: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        if isinstance(node.func, ast.Name):
            name = node.func.id
        if name == function:
            yield node


def is_of_alarms(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("rookery.broker.alarms")
        and any(alias.name == "message" for alias in node.names)
        for node in ast.walk(tree)
    )


@pytest.mark.parametrize("key", MESSAGES)
def test_a_message_is_there_in_both_languages(key: str) -> None:
    words = MESSAGES[key]

    assert words.en
    assert words.en.isascii()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in words.zh)
    assert values_in(words.en) == values_in(words.zh)


def test_every_alarm_that_the_node_raises_has_a_message() -> None:
    unknown: list[str] = []
    raised = 0
    for path, tree in trees():
        if not is_of_alarms(tree):
            # Who raises an alarm has its text from the table.
            names = [node for node in calls(tree, "activate") if len(node.args) > 1]
            unknown += [f"{path}: {ast.unparse(node)}" for node in names]
            continue
        for call in calls(tree, "message"):
            raised += 1
            key = call.args[0]
            if not (isinstance(key, ast.Constant) and isinstance(key.value, str)):
                continue  # chosen from literals, which the next test finds
            given = {keyword.arg for keyword in call.keywords}
            if key.value not in MESSAGES or values_in(MESSAGES[key.value].en) - given:
                unknown.append(f"{path}: {ast.unparse(call)}")

    assert unknown == []
    assert raised > 5


def test_no_message_is_left_that_nothing_says() -> None:
    literals = {
        node.value
        for _, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }

    assert MESSAGES.keys() <= literals


def test_an_alarm_of_the_last_run_is_still_in_both_languages(tmp_path: Path) -> None:
    said = message("rules_unreadable", error=Words("line 1: no rule", "第 1 行：不是规则"))
    file = AlarmFile(tmp_path)

    file.save([Alarm("a", said.text, 1, key=said.key, params=said.params)])
    (found,) = file.load()

    assert found.text() == "rules are kept as they were: line 1: no rule"
    assert found.text("zh") == "授权规则保持不变：第 1 行：不是规则"


def test_a_message_that_this_version_does_not_know_is_told_as_it_was_written() -> None:
    later = Alarm("a", "something of a later version", 1, key="later", params={"x": 1})
    other = Alarm("b", "with other values", 1, key="listener_failed", params={})

    assert later.text("zh") == "something of a later version"
    assert other.text("zh") == "with other values"
