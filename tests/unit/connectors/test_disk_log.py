"""Lines in files: whole batches, rotation, places that are allowed, disks that are full."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path

import pytest

from rookery.access.errors import SettingError
from rookery.connectors.base import Action, Connector, Context, Recoverable, Unhealthy
from rookery.connectors.disk_log import TYPE
from rookery.connectors.disk_log.settings import DiskLogActionSettings, DiskLogConnectorSettings
from rookery.connectors.disk_log.writer import InUseError, Writer
from rookery.native.action_fields import ActionItem


def context(folder: Path, *allowed: Path) -> Context:
    return Context(id="disk_log:a", node="n@h", data_dir=folder, file_dirs=allowed)


def settings(**values: object) -> DiskLogConnectorSettings:
    return DiskLogConnectorSettings.model_validate(values)


def items(*lines: str | bytes) -> list[ActionItem]:
    return [ActionItem(number, "r", 0, 0, (line,)) for number, line in enumerate(lines)]


def action_of(connector: Connector[DiskLogActionSettings, object], mode: str = "async") -> Action:  # type: ignore[type-var]
    raw = {"connector": "a", "parameters": {"write_mode": mode}}
    return connector.open_action(DiskLogActionSettings.model_validate(raw))


async def test_each_result_is_one_line(tmp_path: Path) -> None:
    connector = TYPE.open(settings(filepath="in/a.log"), context(tmp_path))
    await connector.start()
    action = action_of(connector, "sync")
    await action.send(items('{"a":1}', "two\nlines\r", b"\xff"))
    await action.send(items("last"))
    await connector.stop()
    await connector.stop()
    written = (tmp_path / "disk_log" / "in" / "a.log").read_bytes()
    assert written == b'{"a":1}\ntwo\\nlines\\r\n\xff\nlast\n'


async def test_after_a_restart_lines_are_added(tmp_path: Path) -> None:
    connector = TYPE.open(settings(filepath="a.log"), context(tmp_path))
    for line in ("one", "two"):
        await connector.start()
        await action_of(connector).send(items(line))
        await connector.stop()
    assert (tmp_path / "disk_log" / "a.log").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("path", ["/etc/passwd", "link/passwd", "/data/../etc/x"])
async def test_files_elsewhere_are_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "disk_log").mkdir()
    (tmp_path / "disk_log" / "link").symlink_to("/etc")
    with pytest.raises((SettingError, ValueError)):
        TYPE.open(settings(filepath=path), context(tmp_path, tmp_path / "logs"))


async def test_a_folder_that_the_configuration_names_is_allowed(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere" / "a.log"
    connector = TYPE.open(settings(filepath=str(place)), context(tmp_path / "d", place.parent))
    await connector.start()
    await action_of(connector).send(items("x"))
    await connector.stop()
    assert place.read_text() == "x\n"


async def test_a_large_file_is_renamed_and_the_oldest_removed(tmp_path: Path) -> None:
    raw = settings(filepath="a.log", max_file_size="1KB", max_file_number=3)
    connector = TYPE.open(raw, context(tmp_path))
    await connector.start()
    action = action_of(connector)
    for number in range(5):
        await action.send(items(str(number) * 700))
    await connector.stop()
    folder = tmp_path / "disk_log"
    assert sorted(path.name for path in folder.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    found = [(folder / name).read_text()[0] for name in ("a.log", "a.log.1", "a.log.2")]
    assert found == ["4", "3", "2"]


async def test_a_file_that_others_renamed_is_begun_anew(tmp_path: Path) -> None:
    connector = TYPE.open(settings(filepath="a.log"), context(tmp_path))
    await connector.start()
    action = action_of(connector)
    await action.send(items("one"))
    path = tmp_path / "disk_log" / "a.log"
    path.rename(path.with_name("old"))
    await action.send(items("two"))
    await connector.stop()
    assert path.read_text() == "two\n"


async def test_a_file_that_was_never_written_to_goes_again(tmp_path: Path) -> None:
    probe = TYPE.open(settings(filepath="in/there/a.log"), context(tmp_path))
    await probe.start()
    await probe.check()
    await probe.stop()
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_was_there_stays_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "disk_log"
    folder.mkdir()
    (folder / "a.log").touch()
    for name in ("a.log", "b.log"):
        probe = TYPE.open(settings(filepath=name), context(tmp_path))
        await probe.start()
        await probe.stop()
    assert [path.name for path in folder.iterdir()] == ["a.log"]


async def test_two_connectors_do_not_write_the_same_file(tmp_path: Path) -> None:
    first = TYPE.open(settings(filepath="a.log"), context(tmp_path))
    second = TYPE.open(settings(filepath="a.log"), context(tmp_path))
    await first.start()
    with pytest.raises(Unhealthy, match="written by somebody else"):
        await second.start()
    await first.stop()
    await second.start()
    await second.stop()


async def test_a_rotation_takes_no_file_from_another_connector(tmp_path: Path) -> None:
    # The settings take no file as small as a test wants.
    (tmp_path / "disk_log").mkdir()
    first = Writer(tmp_path / "disk_log" / "a.log", bytes_max=8, files_max=3)
    first.open()
    second = TYPE.open(settings(filepath="a.log.1"), context(tmp_path))
    await second.start()
    await action_of(second).send(items("of the second"))
    first.append([b"of the first\n"], sync=False)
    with pytest.raises(InUseError) as refused:
        first.append([b"more\n"], sync=False)
    assert refused.value.filename == str(tmp_path / "disk_log" / "a.log.1")
    await second.stop()
    first.append([b"more\n"], sync=False)
    first.close()
    written = {path.name: path.read_text() for path in (tmp_path / "disk_log").iterdir()}
    assert written == {
        "a.log": "more\n",
        "a.log.1": "of the first\n",
        "a.log.2": "of the second\n",
    }


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "disk_log" / "a.log").mkdir(parents=True)
    connector = TYPE.open(settings(filepath="a.log"), context(tmp_path))
    with pytest.raises(Unhealthy, match="cannot be written"):
        await connector.start()


async def test_a_full_disk_leaves_no_half_of_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = TYPE.open(settings(filepath="a.log"), context(tmp_path))
    await connector.start()
    action = action_of(connector)
    await action.send(items("one"))
    write = os.write
    calls = 0

    def full(fd: int, octets: bytes) -> int:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise OSError(errno.ENOSPC, "full")
        return write(fd, octets[:3])

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(Recoverable, match="no space left"):
            await action.send(items("two", "three"))
    await action.send(items("two", "three"))
    await connector.stop()
    assert (tmp_path / "disk_log" / "a.log").read_text() == "one\ntwo\nthree\n"


async def test_lines_of_several_actions_do_not_mix(tmp_path: Path) -> None:
    connector = TYPE.open(settings(filepath="a.log"), context(tmp_path))
    await connector.start()
    one, two = action_of(connector), action_of(connector)
    sends = [action.send(items(*("x" * 100,) * 50)) for action in (one, two) for _ in range(10)]
    await asyncio.gather(*sends)
    await connector.stop()
    lines = (tmp_path / "disk_log" / "a.log").read_text().splitlines()
    assert lines == ["x" * 100] * 1000


def test_a_writer_opens_by_itself_and_may_be_closed_twice(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "f", bytes_max=1 << 20, files_max=1)
    writer.append([b"a\n"], sync=True)
    writer.close()
    writer.close()
    assert (tmp_path / "f").read_bytes() == b"a\n"
