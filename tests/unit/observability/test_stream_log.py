"""What a process without a terminal prints is kept, bounded in number and size of files."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rookery.observability.stream_log import StreamLog


def contents(folder: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_older_files_are_kept_up_to_their_number(tmp_path: Path) -> None:
    log = StreamLog(tmp_path / "a.log", bytes_max=10, count=2)
    for letter in "abcd":
        log.write(f"{letter * 8}\n")

    assert contents(tmp_path) == {
        "a.log": "dddddddd\n",
        "a.log.1": "cccccccc\n",
        "a.log.2": "bbbbbbbb\n",
    }


def test_lines_are_added_to_what_an_earlier_run_wrote(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("old\n")
    StreamLog(tmp_path / "a.log", bytes_max=100, count=2).write("new\n")

    assert contents(tmp_path) == {"a.log": "old\nnew\n"}


def test_a_file_without_a_bound_grows(tmp_path: Path) -> None:
    log = StreamLog(tmp_path / "a.log", bytes_max=0, count=2)
    for _ in range(100):
        log.write("line\n")

    assert contents(tmp_path) == {"a.log": "line\n" * 100}


def test_a_text_larger_than_a_file_is_not_cut(tmp_path: Path) -> None:
    log = StreamLog(tmp_path / "a.log", bytes_max=4, count=1)
    log.write("larger\n")
    log.write("x\n")

    assert contents(tmp_path) == {"a.log": "x\n", "a.log.1": "larger\n"}


def test_the_streams_of_the_process_follow_to_the_new_file(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path;"
        "from rookery.observability.stream_log import StreamLog;"
        "log = StreamLog(Path(sys.argv[1]), bytes_max=20, count=1); log.take_streams();"
        "os.write(2, b'before it is full\\n'); log.write('turns over\\n');"
        "os.write(1, b'out\\n'); os.write(2, b'err\\n')"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.log")], check=True)

    assert contents(tmp_path) == {
        "a.log": "turns over\nout\nerr\n",
        "a.log.1": "before it is full\n",
    }


def test_a_full_disk_loses_lines_and_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = StreamLog(tmp_path / "a.log", bytes_max=0, count=1)

    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        log.write("one\ntwo\n")
    assert log.lost_lines == 2
    log.write("three\n")

    assert contents(tmp_path) == {"a.log": "(2 lines were lost: no room)\nthree\n"}
