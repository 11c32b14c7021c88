"""Log files followed through everything that happens to them: nothing lost, nothing twice."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rookery.agent.logs.folder import GONE_S
from rookery.agent.logs.shipping import AGAIN_S
from rookery.agent.logs.tailing import LogTail
from rookery.clock import ManualClock
from rookery.contracts.agent_logs import RECORD_BYTES_MAX, LogEntry, unpack
from rookery.contracts.agent_v1 import LogAck, LogBatch

HEAD = "2026-01-31T08:00:00.%06d+00:00 [%s] "


class Machine:
    """A folder of logs, the agent beside it, and what control has been sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "log"
        self.folder.mkdir()
        self.state = folder / "logs.json"
        self.clock = ManualClock()
        self.stored: dict[tuple[str, int], LogEntry] = {}
        self.names: dict[str, set[str]] = {}
        self.unanswered: list[LogBatch] = []
        self.is_connected = True
        self.boots = 0
        self.written: dict[str, list[str]] = {}
        self.tail = self._started()

    def _started(self) -> LogTail:
        self.boots += 1
        return LogTail(
            self.folder,
            self.state,
            self._send,
            self.clock,
            boot_id=f"b{self.boots}",
            node=lambda: "emqx@127.0.0.1",
        )

    def _send(self, batch: LogBatch) -> bool:
        if not self.is_connected:
            return False
        self.names.setdefault(batch.stream, set()).add(batch.file)
        for entry in unpack(batch.body):
            key = (batch.stream, entry.position)
            # Whatever is sent again is the same.
            assert self.stored.setdefault(key, entry) == entry
        self.unanswered.append(batch)
        return True

    # -- what happens ----------------------------------------------------------------------

    @property
    def current(self) -> Path:
        return self.folder / "emqx.log"

    def write(self, text: str | bytes, name: str = "emqx.log") -> None:
        data = text.encode() if isinstance(text, str) else text
        self.written.setdefault(name, []).append(data.decode("utf-8", "replace"))
        with (self.folder / name).open("ab") as file:
            file.write(data)

    def rotate(self, kept: int = 8) -> None:
        for number in range(kept, 0, -1):
            older = self.folder / f"emqx.log.{number}"
            if older.exists():
                older.rename(self.folder / f"emqx.log.{number + 1}")
        if self.current.exists():
            self.current.rename(self.folder / "emqx.log.1")

    def round(self, seconds: float = 1.0) -> None:
        self.clock.advance(seconds)
        self.tail.look()
        self.tail.ship()
        self.tail.save()

    def answer(self, count: int = 100) -> None:
        answered, self.unanswered = self.unanswered[:count], self.unanswered[count:]
        for batch in answered:
            self.tail.answered(LogAck(batch.id))

    def kill(self) -> None:
        """The agent is gone, and so is what it had in mind."""
        self.unanswered = []
        self.tail = self._started()

    def stop(self) -> None:
        self.tail.close()
        self.kill()

    def settle(self) -> None:
        """All that can be sent is sent."""
        self.is_connected = True
        self.tail.connected()
        for _ in range(200):
            self.round(AGAIN_S)
            self.answer()
            if self.tail.is_idle:
                return
        raise AssertionError("never idle")

    @property
    def records(self) -> list[LogEntry]:
        return [self.stored[key] for key in sorted(self.stored)]

    @property
    def text(self) -> dict[str, str]:
        """What every file held, as it came."""
        found: dict[str, list[str]] = {}
        for stream, position in sorted(self.stored):
            found.setdefault(stream, []).append(self.stored[stream, position].raw)
        return {stream: "\n".join(parts) for stream, parts in found.items()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def line(number: int, level: str = "info", text: str = "msg: hello") -> str:
    return HEAD % (number, level) + f"{text} n{number}.\n"


def test_a_record_says_when_how_severe_and_what(machine: Machine) -> None:
    machine.write(HEAD % (5, "warning") + "tag: AUTHN, msg: refused, clientid: 客户端\n")
    machine.write('{"time":1769846400123456,"level":"error","msg":"boom","mfa":"m:f/1"}\n')
    machine.write("1769846400123456 [critical] rookery.node: it ends\n")
    machine.settle()
    found = [(one.time_ms, one.severity, one.logger, one.msg) for one in machine.records]
    assert found == [
        (1769846400000, 4, "", "refused"),
        (1769846400123, 3, "m:f/1", "boom"),
        (1769846400123, 2, "rookery.node", "it ends"),
    ]
    assert "客户端" in machine.records[0].raw


def test_lines_that_go_on_with_a_record_are_part_of_it(machine: Machine) -> None:
    trace = "Traceback:\n  {\n    here\n"
    machine.write(line(1, "error") + trace)
    machine.round()
    assert machine.records == []
    machine.write("  and more\n" + line(2))
    machine.settle()
    first, second = machine.records
    assert first.raw.endswith("here\n  and more")
    assert (first.severity, second.severity) == (3, 6)


def test_a_record_ends_when_nothing_follows_and_ends_there_again_after_a_kill(
    machine: Machine,
) -> None:
    machine.write(line(1) + "goes on\n")
    for _ in range(3):
        machine.round()
    assert [one.raw.count("\n") for one in machine.records] == [1]
    machine.write("much later\n")
    machine.kill()
    machine.settle()
    assert [one.raw.splitlines()[-1] for one in machine.records] == ["goes on", "much later"]
    # What goes on says neither when nor how severe: it is as what it goes on with.
    assert machine.records[1].time_ms == machine.records[0].time_ms


def test_a_line_that_is_not_finished_is_not_sent(machine: Machine) -> None:
    machine.write(line(1) + "2026-01-31T08:00:01")
    for _ in range(4):
        machine.round()
        machine.answer()
    assert len(machine.records) == 1
    machine.write("Z [info] done\n")
    machine.settle()
    assert [one.msg for one in machine.records] == ["hello n1.", "done"]


def test_what_is_no_text_is_kept_readable(machine: Machine) -> None:
    machine.write(HEAD.encode() % (1, b"info") + b"msg: \xff\xfe \x1b[31m red\x00\n")
    machine.settle()
    assert "��" in machine.records[0].raw
    assert "\x1b" not in machine.records[0].raw


def test_a_line_without_an_end_becomes_records_of_bounded_size(machine: Machine) -> None:
    long = "界" * RECORD_BYTES_MAX
    machine.write(line(1) + long + "\n" + line(2))
    machine.settle()
    assert "".join(one.raw for one in machine.records[1:-1]) == long
    assert all(len(one.raw.encode()) <= RECORD_BYTES_MAX for one in machine.records)


def test_only_log_files_are_read_and_no_links_are_followed(
    machine: Machine, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(line(1, text="the secret"))
    (machine.folder / "x.log").symlink_to(secret)
    os.mkfifo(machine.folder / "pipe.log")
    (machine.folder / "emqx.log.idx").write_bytes(b"\0" * 16)
    (machine.folder / "emqx.log.1.gz").write_bytes(b"\x1f\x8b")
    machine.round()
    assert "no log files" in machine.tail.error
    machine.write(line(2))
    machine.settle()
    assert [one.msg for one in machine.records] == ["hello n2."]
    assert machine.tail.error == ""


def test_a_folder_that_is_not_there_is_said_and_found_when_it_comes(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.folder.rmdir()
    machine.round()
    assert machine.tail.error.startswith("UNREACHABLE: ")
    machine.folder.mkdir()
    machine.write(line(1))
    machine.settle()
    assert len(machine.records) == 1


def test_a_file_that_begins_anew_is_another_file(machine: Machine) -> None:
    machine.write(line(1) * 50)
    machine.settle()
    machine.current.write_text(line(7))
    machine.settle()
    # Longer than before, and still other than before.
    machine.current.write_text(line(8) * 200)
    machine.settle()
    counts = sorted(text.count("msg:") for text in machine.text.values())
    assert counts == [1, 50, 200]


def test_of_old_logs_the_ends_are_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rookery.agent.logs.folder.FIRST_BYTES_MAX", 100)
    machine = Machine(tmp_path)
    machine.write("".join(line(number) for number in range(50)))
    machine.settle()
    assert [one.msg for one in machine.records] == ["hello n49."]


def test_what_was_deleted_before_it_was_sent_is_still_sent(machine: Machine) -> None:
    machine.is_connected = False
    machine.write(line(1))
    machine.round()
    machine.current.unlink()
    machine.write(line(2))
    machine.round(GONE_S)
    machine.settle()
    assert sorted(one.msg for one in machine.records) == ["hello n1.", "hello n2."]
    assert machine.tail.error == ""


def test_what_was_deleted_while_the_agent_was_away_is_told(machine: Machine) -> None:
    machine.is_connected = False
    machine.write(line(1))
    machine.round()
    machine.stop()
    machine.current.unlink()
    machine.write(line(2))
    machine.round(GONE_S)
    machine.round(GONE_S)
    assert machine.tail.error.startswith(f"OVERFLOW: {len(line(1))} bytes")


def test_no_more_is_under_way_than_control_wants(machine: Machine) -> None:
    for number in range(3000):
        machine.write(line(number, text="msg: " + os.urandom(100).hex()))
    machine.round()
    assert len(machine.unanswered) == 4
    batch = machine.unanswered[0]
    machine.tail.answered(LogAck(batch.id, is_kept=False, window=1, retry_ms=5000, error="full"))
    assert machine.tail.error == "CONTROL: full"
    machine.unanswered = []
    machine.round()
    assert machine.unanswered == []
    machine.round(5)
    assert machine.unanswered[0] == batch
    machine.settle()
    assert len(machine.records) == 3000
    assert machine.tail.error == ""


def lines_of(texts: Iterable[str]) -> list[str]:
    return sorted(part for text in texts for part in text.split("\n") if part)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(1, 30)),
        st.tuples(st.just("part"), st.sampled_from(["2026-01-31T08:00:09Z [in", "  goes on", "{"])),
        st.tuples(st.just("other"), st.integers(1, 3)),
        st.tuples(st.just("round"), st.sampled_from([0.1, 1.0, 11.0])),
        st.tuples(st.just("answer"), st.integers(1, 3)),
        st.tuples(st.sampled_from(["rotate", "kill", "stop", "cut", "again"]), st.just(0)),
    ),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_nothing_is_lost_and_nothing_is_told_twice(steps: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder))
        number = 0
        for what, value in steps:
            if what == "write":
                for _ in range(int(str(value))):
                    number += 1
                    machine.write(line(number) + ("  with more\n" if number % 3 == 0 else ""))
            elif what == "part":
                machine.write(str(value))
            elif what == "other":
                machine.write(line(number) * int(str(value)), "other.log")
            elif what == "round":
                machine.round(float(str(value)))
            elif what == "answer":
                machine.answer(int(str(value)))
            elif what == "rotate":
                if machine.current.exists():
                    machine.write("\n")
                machine.rotate(kept=60)
            elif what == "kill":
                machine.kill()
            elif what == "stop":
                machine.stop()
            elif what == "cut":
                machine.is_connected = False
            else:
                machine.is_connected = True
                machine.tail.connected()
        machine.write("\n")
        machine.settle()
        assert lines_of(machine.text.values()) == lines_of(map("".join, machine.written.values()))
