"""Alarms of the machine, read from files like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from rookery.broker.alarms import AlarmRegistry, Message
from rookery.broker.sysmon import Sysmon
from rookery.broker.sysmon.service import HIGH_CPU, HIGH_SYSTEM_MEMORY
from rookery.clock import ManualClock
from rookery.config import load
from rookery.config.snapshot import Watermark
from rookery.observability.machine import Machine

MEMINFO = """\
MemTotal:        1000 kB
MemFree:          100 kB
MemAvailable:     {available} kB
HugePages_Total:       0
"""


class Kernel:
    """A folder that looks like ``/proc``, and one like a control group."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.cgroup = folder / "cgroup"
        (self.proc / "self/fd").mkdir(parents=True)
        self.cgroup.mkdir()
        self.machine = Machine(self.proc, self.cgroup)
        self.cpu(0, 0)
        self.memory(900)

    def cpu(self, busy: int, idle: int) -> None:
        (self.proc / "stat").write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3\n")

    def memory(self, available_kb: int) -> None:
        (self.proc / "meminfo").write_text(MEMINFO.format(available=available_kb))


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def registry() -> AlarmRegistry:
    return AlarmRegistry(
        ManualClock(), actions=(), size_limit=9, validity_period_s=60, publish=lambda *_: None
    )


def test_use_of_processors_is_what_was_busy_between(kernel: Kernel) -> None:
    kernel.cpu(100, 900)
    before = kernel.machine.cpu_times()
    kernel.cpu(190, 910)
    assert kernel.machine.cpu_times().use_since(before) == 0.9
    assert before.use_since(before) is None


def test_memory_is_what_is_not_available(kernel: Kernel) -> None:
    kernel.memory(250)
    assert kernel.machine.memory().share == 0.75
    assert kernel.machine.memory().total == 1000 << 10


def test_the_bound_of_a_container_counts_where_it_is_lower(kernel: Kernel) -> None:
    (kernel.cgroup / "memory.max").write_text("100000\n")
    (kernel.cgroup / "memory.current").write_text("80000\n")
    (kernel.cgroup / "memory.stat").write_text("anon 1\ninactive_file 30000\n")
    assert kernel.machine.memory() == (100_000, 50_000)

    (kernel.cgroup / "memory.max").write_text("max\n")
    assert kernel.machine.memory().total == 1000 << 10


def test_this_process_has_open_files() -> None:
    machine = Machine()
    with Path("/dev/null").open():
        assert 3 < machine.open_files() <= machine.open_files_max()
    assert machine.process_memory() > 1 << 20


@pytest.mark.parametrize(
    ("available", "active"),
    [([310], False), ([300], True), ([300, 340], True), ([300, 360], False), ([340], False)],
)
def test_an_alarm_begins_high_and_ends_low(
    kernel: Kernel, available: list[int], active: bool
) -> None:
    alarms = registry()
    sysmon = Sysmon(alarms, kernel.machine, kernel.proc)
    for kilobytes in available:
        kernel.memory(kilobytes)
        sysmon.look(HIGH_SYSTEM_MEMORY, Watermark(60, 0.70, 0.65))
    assert [alarm.name for alarm in alarms.active()] == ([HIGH_SYSTEM_MEMORY] if active else [])


def test_the_first_look_at_processors_judges_nothing(kernel: Kernel) -> None:
    alarms = registry()
    sysmon = Sysmon(alarms, kernel.machine, kernel.proc)
    mark = Watermark(60, 0.8, 0.6)
    kernel.cpu(1000, 0)
    sysmon.look(HIGH_CPU, mark)
    assert alarms.active() == []
    kernel.cpu(1100, 10)
    sysmon.look(HIGH_CPU, mark)
    (alarm,) = alarms.active()
    assert alarm.message == "use of the processors is 91%, at or above 80%"
    assert alarm.details["high_watermark"] == 80


def test_a_figure_that_the_system_does_not_tell_raises_nothing(kernel: Kernel) -> None:
    (kernel.proc / "meminfo").unlink()
    alarms = registry()
    sysmon = Sysmon(alarms, kernel.machine, kernel.proc)
    sysmon.look(HIGH_SYSTEM_MEMORY, Watermark(60, 0.0, 0.0))
    assert alarms.active() == []


async def test_a_restored_alarm_waits_for_the_first_look(kernel: Kernel, tmp_path: Path) -> None:
    alarms = registry()
    alarms.activate(HIGH_CPU, Message("m"))
    before = alarms.active()
    restored = registry()
    restored.restore(before, [])
    config = load(data_dir=tmp_path, environ={})
    sysmon = Sysmon(restored, kernel.machine, tmp_path)
    sysmon.open(config.management.sysmon)
    restored.settle()
    await sysmon.close()
    assert [alarm.name for alarm in restored.active()] == [HIGH_CPU]


async def test_what_is_not_watched_any_more_has_no_alarm(kernel: Kernel, tmp_path: Path) -> None:
    alarms = registry()
    alarms.activate(HIGH_CPU, Message("m"))
    old = load(data_dir=tmp_path, environ={})
    new = load(data_dir=tmp_path, environ={}, sets=["sysmon.os.cpu_check_interval=disabled"])
    sysmon = Sysmon(alarms, kernel.machine, tmp_path)
    sysmon.open(old.management.sysmon)
    await sysmon.apply(old, new)
    await sysmon.close()
    assert alarms.active() == []
