"""Every refusal that the REST code raises has words in Chinese: its own, or found by its English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import rookery
from rookery import errors
from rookery.web.codes import ERROR_CODES
from rookery.web.refusals_zh import in_chinese

ROOT = Path(rookery.__file__).parent
FOLDERS = ("broker", "web", "access", "connectors", "plugins")
NOT_ANSWERED = {
    "access/authority.py": "`rookery tls` on a terminal",
    "plugins/build.py": "`rookery plugin` on a terminal",
}
# Told on a terminal before there is an interface.
AT_START = {"StartError", "PortInUseError", "ListenerTlsError"}
SAMPLES = {
    "where": "settings.x", "kind": "connector", "caller.role": "viewer", "path": "/data/x",
    "self.path": "/data/x", "self._stored.file": "/data/x", "self.files.directory": "/data/x",
    "expected": "text", "keyword": "title", "error": "7", "refused": "7",
    "_WHEN.replace('`', '')": "RFC 3339, seconds since 1970, or infinity", "more": "",
    "'; '.join(refused)": "row 7: rules is no list", "body.type": "topic",
}  # fmt: skip
"""What stands in a text where it is put together; elsewhere it is a number, which most could be."""


ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}|\b(?:no|is|has|already|there|not)\b")


class Refusal(NamedTuple):
    place: str
    text: str


def refusals() -> Iterator[Refusal]:
    trees = {
        file: ast.parse(file.read_text("utf-8"))
        for folder in FOLDERS
        for file in sorted((ROOT / folder).rglob("*.py"))
        if str(file.relative_to(ROOT)) not in NOT_ANSWERED
    }
    kinds = error_classes(trees.values())
    for file, tree in trees.items():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                for call, text in refused_in(function, kinds):
                    yield Refusal(f"{file.relative_to(ROOT)}:{call.lineno}", text)


def error_classes(trees: Iterable[ast.Module]) -> set[str]:
    """Names of errors that a request is answered with."""
    known = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.RookeryError)
    } | {"RefusedError"}
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    for _ in range(4):
        known |= {
            node.name
            for node in classes
            if any(isinstance(base, ast.Name) and base.id in known for base in node.bases)
        }
    return known - AT_START


def refused_in(
    function: ast.FunctionDef | ast.AsyncFunctionDef, kinds: set[str]
) -> Iterator[tuple[ast.Call, str]]:
    """Texts of errors without words in Chinese of their own."""
    said = {
        node.targets[0].id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for call in ast.walk(function):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        is_refusal = call.func.id in kinds or call.func.id == "_invalid"
        if not is_refusal or any(word.arg == "message_zh" for word in call.keywords):
            continue
        # An error of EMQX 3 begins with its number.
        for argument in call.args[:2]:
            if (text := text_of(argument, said)) and " " in text:
                yield call, text
                break


def text_of(node: ast.expr, said: dict[str, ast.expr]) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part, said) or "" for part in node.values)
    if isinstance(node, ast.FormattedValue):
        sample = SAMPLES.get(ast.unparse(node.value), "7")
        return repr(sample) if node.conversion == ord("r") else sample
    if isinstance(node, ast.Name) and node.id in said:
        return text_of(said[node.id], {})
    return None


def test_a_refusal_has_words_in_chinese() -> None:
    found = sorted(set(refusals()))
    assert len(found) > 150
    assert [refusal for refusal in found if in_chinese(refusal.text) is None] == []
    # A command stays what it is.
    translated = [(refusal.text, in_chinese(refusal.text) or "") for refusal in found]
    english = [pair for pair in translated if ENGLISH.search(re.sub("`.+`", "", pair[1]))]
    assert english == []


def test_a_code_has_words_in_chinese() -> None:
    assert all(code.zh and code.zh != code.description for code in ERROR_CODES.values())
