"""``rookery config import``: what is written, and what is said about it."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from rookery.cli.main import run
from rookery.config import importing

OLD = """\
node.name = emqx@10.0.0.7
listener.tcp.external = 0.0.0.0:1885
listener.tcp.external.acceptors = 8
dashboard.default_user.password = nobody may see it
unheard.of = 1
"""
USERS = "auth.user.1.username = alice\nauth.user.1.password = wonderland\n"
RULES = "{allow, all}.\n"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "emqx.conf").write_text(OLD)
    (etc / "acl.conf").write_text(RULES)
    (etc / "emqx_auth_username.conf").write_text(USERS)
    return etc


def import_all(old: Path, target: Path, *more: str) -> int:
    files = [str(old / name) for name in ("emqx.conf", "acl.conf", "emqx_auth_username.conf")]
    return run(["config", "import", *files, "-o", str(target), *more])


def test_three_files_are_written_for_their_owner_alone(old: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "rookery.conf"

    assert import_all(old, target) == 0

    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in target.parent.iterdir()}
    assert files == {"rookery.conf": 0o600, "acl.conf": 0o600, "users.json": 0o600}
    assert (target.parent / "acl.conf").read_text() == RULES
    assert json.loads((target.parent / "users.json").read_text())[0]["user_id"] == "alice"


def test_a_node_accepts_the_result(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "new" / "rookery.conf"
    import_all(old, target)

    assert run(["node", "check-config", "-c", str(target), "-d", str(tmp_path / "d")]) == 0
    assert "warning" not in capsys.readouterr().err


def test_nothing_is_written_over_without_being_told(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "rookery.conf"
    (tmp_path / "users.json").write_text("mine")

    assert import_all(old, target) == 1
    assert not target.exists()
    assert "users.json" in capsys.readouterr().err

    assert import_all(old, target, "--force") == 0
    assert "alice" in (tmp_path / "users.json").read_text()


def test_rules_that_lie_there_already_stay(old: Path) -> None:
    assert import_all(old, old / "rookery.conf") == 0
    assert (old / "acl.conf").read_text() == RULES


def test_the_report_names_every_line(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import_all(old, tmp_path / "rookery.conf", "--json")
    report = json.loads(capsys.readouterr().out)
    lines = {line["key"]: line for line in report["lines"]}

    assert report["problems"] == []
    assert report["counts"]["unknown"] == 1
    assert lines["listener.tcp.external"] == {
        "file": str(old / "emqx.conf"),
        "line": 2,
        "key": "listener.tcp.external",
        "value": "0.0.0.0:1885",
        "outcome": "taken",
        "paths": ["listeners.tcp.external.bind"],
        "result": "0.0.0.0:1885",
        "notes": [],
    }
    assert lines["listener.tcp.external.acceptors"]["outcome"] == "not_needed"


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_secrets_are_never_shown(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...]
) -> None:
    target = tmp_path / "rookery.conf"
    import_all(old, target, *more)
    shown = capsys.readouterr().out + target.read_text()

    assert "******" in shown
    assert "nobody may see it" not in shown
    assert "wonderland" not in shown


def test_lines_that_were_left_out_stand_in_the_file_as_comments(old: Path, tmp_path: Path) -> None:
    target = tmp_path / "rookery.conf"
    import_all(old, target)

    assert "# unknown: emqx.conf:5 unheard.of = 1" in target.read_text()


def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "emqx.conf"

    assert run(["config", "import", str(missing), "-o", str(tmp_path / "new.conf")]) == 1
    assert str(missing) in capsys.readouterr().err


def test_commands_that_a_report_names_exist() -> None:
    named = {
        tuple(match.split())
        for file in Path(importing.__file__).parent.rglob("*.py")
        for match in re.findall(r"`rookery ((?:[a-z_-]+ ?)+)", file.read_text())
    }
    assert ("ctl", "api_keys") in named
    for words in named:
        with pytest.raises(SystemExit) as ended:
            run([*words[:2], "--help"])
        assert ended.value.code == 0, words
