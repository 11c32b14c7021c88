"""How one thing is shown to people."""

from __future__ import annotations

import argparse

import pytest

from rookery.cli.ctl.showing import show_members


def test_a_moment_is_written_as_one_whichever_way_it_comes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = argparse.Namespace(json=False)
    text = "2026-01-31T12:00:00.000+00:00"
    show_members(arguments, {"created_at": 1769860800123, "last_modified_at": text, "count": 1769})
    created, modified, count = capsys.readouterr().out.splitlines()
    assert created.startswith("created_at        2026-01-31T")
    assert created.partition(".")[2].startswith("123")
    assert modified == f"last_modified_at  {text}"
    assert count == "count             1769"
