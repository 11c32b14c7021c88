"""The conformance page is complete and up to date."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools/gen_conformance.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gen_conformance", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_statement_has_a_test_or_a_reason(tool: ModuleType) -> None:
    assert tool.collect()[1] == []


def test_the_page_is_up_to_date(tool: ModuleType) -> None:
    found, _ = tool.collect()
    assert tool.PAGE.read_text(encoding="utf-8") == tool.render(found)


@pytest.mark.parametrize(("version", "count"), [("MQTT-3.1.1", 140), ("MQTT-5.0", 251)])
def test_no_statement_was_forgotten(tool: ModuleType, version: str, count: int) -> None:
    statements = tool.load_statements(version)
    assert len(statements) == count
    assert all(item.binds in {"server", "client", "both"} for item in statements.values())


def test_what_binds_a_server_is_seldom_left_untested(tool: ModuleType) -> None:
    found, _ = tool.collect()
    untested = [
        item.id
        for statements in found.values()
        for item in statements.values()
        if item.binds != "client" and not item.tests
    ]
    assert len(untested) <= 12, untested
