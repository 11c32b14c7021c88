"""A data directory has one running node and one name."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rookery.config.data_dir import LOCK_NAME, NAME_FILE, RUN_DIR, DataDir
from rookery.errors import DataDirInUseError, NodeNameMismatchError, StartError


def test_it_is_made_and_says_who_has_it(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path / "a" / "b", "n1@h")

    data_dir.open()

    assert (data_dir.path / RUN_DIR / LOCK_NAME).read_text() == f"{os.getpid()}\n"
    assert (data_dir.path / RUN_DIR).stat().st_mode & 0o777 == 0o700
    data_dir.close()
    data_dir.close()


def test_a_second_node_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first = DataDir(tmp_path, "n1@h")
    first.open()

    with pytest.raises(DataDirInUseError) as caught:
        DataDir(tmp_path, "n1@h").open()

    assert caught.value.pid == os.getpid()
    first.close()
    second = DataDir(tmp_path, "n1@h")
    second.open()
    second.close()


def test_a_node_that_was_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; "
        "from rookery.config.data_dir import DataDir; "
        "DataDir(Path(sys.argv[1]), 'n1@h').open(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert (tmp_path / RUN_DIR / LOCK_NAME).exists()

    data_dir = DataDir(tmp_path, "n1@h")
    data_dir.open()
    data_dir.close()


def test_another_name_is_refused_with_the_way_out(tmp_path: Path) -> None:
    first = DataDir(tmp_path, "n1@h")
    first.open()
    first.bind_name()
    first.close()

    with pytest.raises(NodeNameMismatchError, match=r"--set node\.name=n1@h") as caught:
        DataDir(tmp_path, "n2@h").open()

    assert str(tmp_path / NAME_FILE) in str(caught.value)
    again = DataDir(tmp_path, "n1@h")  # what was refused holds no lock
    again.open()
    again.close()


def test_a_place_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")

    with pytest.raises(StartError, match=str(file)):
        DataDir(file / "sub", "n1@h").open()


@pytest.mark.parametrize(
    ("mode", "is_taken"),
    [
        (0o700, True),
        (0o755, True),
        (0o775, True),
        (0o1777, True),
        (0o777, False),
        (0o702, False),
    ],
    ids=oct,
)
def test_nobody_else_decides_what_is_in_it(tmp_path: Path, mode: int, is_taken: bool) -> None:
    path = tmp_path / "data"
    path.mkdir()
    path.chmod(mode)
    data_dir = DataDir(path, "n1@h")

    if is_taken:
        data_dir.open()
        data_dir.close()
    else:
        with pytest.raises(StartError, match="everybody may write"):
            data_dir.open()
        assert list(path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
@pytest.mark.parametrize("name", ["", RUN_DIR])
def test_a_directory_of_another_user_is_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    (tmp_path / RUN_DIR).mkdir()
    os.chown(tmp_path / name, 12_345, -1)

    with pytest.raises(StartError, match=r"belongs to user 12345.*chown"):
        DataDir(tmp_path, "n1@h").open()


def test_a_link_in_place_of_the_run_directory_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    path = tmp_path / "data"
    path.mkdir()
    (path / RUN_DIR).symlink_to(elsewhere)

    with pytest.raises(StartError, match="symbolic link"):
        DataDir(path, "n1@h").open()

    assert list(elsewhere.iterdir()) == []


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep me")
    (tmp_path / "data" / RUN_DIR).mkdir(parents=True, mode=0o700)
    (tmp_path / "data" / RUN_DIR / LOCK_NAME).symlink_to(target)

    with pytest.raises(StartError):
        DataDir(tmp_path / "data", "n1@h").open()

    assert target.read_text() == "keep me"


def test_a_data_directory_may_be_a_link_to_where_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    data_dir = DataDir(tmp_path / "data", "n1@h")

    data_dir.open()
    data_dir.close()

    assert (tmp_path / "disk" / RUN_DIR / LOCK_NAME).exists()


def test_a_start_after_a_graceful_stop_needs_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stays in the file has a block of the disk, and is written over."""
    data_dir = DataDir(tmp_path, "n1@h")
    data_dir.open()
    data_dir.close()
    lengths = []
    write = os.pwrite

    def noted(file: int, data: bytes, offset: int) -> int:
        lengths.append((os.fstat(file).st_size, len(data)))
        return write(file, data, offset)

    monkeypatch.setattr(os, "pwrite", noted)
    data_dir.open()
    data_dir.close()

    assert all(before >= written for before, written in lengths)
    assert lengths


def test_a_lock_that_cannot_be_written_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(StartError, match="make some room") as caught:
        DataDir(tmp_path, "n1@h").open()

    assert str(caught.value).startswith(str(tmp_path / RUN_DIR / LOCK_NAME))


def test_a_name_that_cannot_be_read_is_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / NAME_FILE).write_bytes(b"\xff\xfe\x00n1")
    data_dir = DataDir(tmp_path, "n1@h")

    with pytest.raises(StartError, match=r"not UTF-8.*remove it") as caught:
        data_dir.open()

    assert str(tmp_path / NAME_FILE) in str(caught.value)
    (tmp_path / NAME_FILE).unlink()
    data_dir.open()  # what was refused holds no lock
    data_dir.close()
