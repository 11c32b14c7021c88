"""How one thing is shown to people."""

from __future__ import annotations

import argparse

import pytest

from rookery.cli import output
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


def test_what_is_inside_another_has_its_name_in_front(capsys: pytest.CaptureFixture[str]) -> None:
    value = {
        "run": {"workers": 1, "failure": {}, "topics": []},
        "nodes": [{"node": "a"}, {"node": "b"}],
    }
    show_members(argparse.Namespace(json=False), value)
    assert capsys.readouterr().out.splitlines() == [
        "run.workers   1",
        "run.failure   -",
        "run.topics    -",
        "nodes.1.node  a",
        "nodes.2.node  b",
    ]


@pytest.mark.parametrize(
    ("octets", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (512 << 20, "512 MiB"), (5 << 40, "5 TiB")],
)
def test_octets_are_shown_in_a_unit_that_can_be_read(octets: int, shown: str) -> None:
    assert output.size(octets) == shown


def test_what_could_control_the_terminal_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    output.complain("\x1b[31mred\x1b]0;title\x07: unknown key\n  温度 °C: missing")
    assert capsys.readouterr().err == (
        "\\x1b[31mred\\x1b]0;title\\x07: unknown key\n  温度 °C: missing\n"
    )
