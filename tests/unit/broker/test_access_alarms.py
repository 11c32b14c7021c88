"""Alarms of certificates and of the connection quota."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from harness.client import DEADLINE_S
from rookery.broker.alarms import AlarmRegistry
from rookery.broker.audit import AuditLog
from rookery.broker.certificates import CertificateService
from rookery.broker.certificates.service import DAY_S
from rookery.broker.quota import QuotaWatch
from rookery.clock import ManualClock
from rookery.native.models import Certificate, CertificateOutcome

NAME = "certificate_expiry/ssl:a/certfile"


class FakeNative:
    """Certificates that end when the test says."""

    def __init__(self) -> None:
        self.found: list[Certificate] = []
        self.outcomes: list[CertificateOutcome] = []
        self.looks = 0

    def certificates(self) -> list[Certificate]:
        self.looks += 1
        return self.found

    def reload_certificates(self) -> list[CertificateOutcome]:
        return self.outcomes


class World:
    def __init__(self, tmp_path: Path) -> None:
        self.clock = ManualClock()
        self.alarms = AlarmRegistry(
            self.clock, actions=(), size_limit=50, validity_period_s=60, publish=lambda *_: None
        )
        self.native = FakeNative()
        audit = AuditLog(tmp_path, self.clock)
        self.service = CertificateService(self.native, self.alarms, audit, self.clock)

    async def days_left(self, days: float) -> None:
        ends_s = int(self.clock.now_ms() // 1000 + days * DAY_S)
        self.native.found = [Certificate("ssl:a", "/c.pem", "certfile", "CN=a", ends_s)]
        await self.service.check()

    def active(self) -> list[str]:
        return [alarm.name for alarm in self.alarms.active()]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_an_alarm_is_raised_anew_at_each_threshold(world: World) -> None:
    raised = []
    for days in (31, 29, 28, 6.5, 3, 0.5, 0.1, -1):
        await world.days_left(days)
        raised.append([alarm.activated_at_ms for alarm in world.alarms.active()])
        world.clock.advance(1)
    times = [item[0] if item else None for item in raised]
    assert times[0] is None
    assert times[1] == times[2] != times[3]
    assert times[3] == times[4] != times[5]
    assert times[5] == times[6] != times[7]
    assert world.active() == [NAME]


async def test_a_new_certificate_ends_the_alarm(world: World) -> None:
    await world.days_left(3)
    assert world.service.stats()["certificate.expiry.ssl:a.certfile"] == 3
    await world.days_left(300)
    assert world.active() == []
    assert world.service.stats()["certificate.expiry"] == 300


async def test_a_revocation_list_is_news_one_day_before_its_end(world: World) -> None:
    name = "certificate_expiry/ssl:a/crlfile"
    told = []
    for days in (29, 2, 0.5, -1):
        ends_s = int(world.clock.now_ms() // 1000 + days * DAY_S)
        world.native.found = [Certificate("ssl:a", "/c.crl", "crlfile", "CN=ca", ends_s)]
        await world.service.check()
        told.append([alarm.message for alarm in world.alarms.active() if alarm.name == name])
    assert told[:2] == [[], []]
    assert told[2][0].startswith("the revocation list in crlfile of ssl:a ends in 0 days")
    assert told[3][0].startswith("the revocation list in crlfile of ssl:a ended")


async def test_a_listener_that_goes_takes_its_alarm_along(world: World) -> None:
    await world.days_left(3)
    world.native.found = []
    await world.service.check()
    assert world.active() == []
    assert world.service.stats() == {}


async def test_a_reload_that_fails_says_so_until_one_succeeds(world: World) -> None:
    world.native.outcomes = [CertificateOutcome("ssl:a", False, "certfile: no such file")]
    (row,) = await world.service.reload()
    assert (row["ok"], row["result"]) == (False, "certfile: no such file")
    assert world.active() == ["certificate_reload_failed/ssl:a"]
    world.service.watch([("certificate", "ssl:a", None, "new certificate")])
    assert world.active() == []


def crowded(turn: int, connected: int) -> tuple[object, ...]:
    return ("crowded", turn, turn % 2 == 1, connected, 100)


@pytest.mark.parametrize(
    ("rows", "active"),
    [
        ([crowded(1, 80)], True),
        ([crowded(1, 80), crowded(2, 74)], False),
        ([crowded(2, 74), crowded(1, 80)], False),  # of two workers
        ([crowded(1, 80), crowded(3, 81), crowded(2, 74)], True),
    ],
)
def test_the_quota_alarm_is_what_the_core_told_last(
    world: World, rows: list[tuple[object, ...]], active: bool
) -> None:
    watch = QuotaWatch(world.alarms)
    for row in rows:
        watch.watch([row])
    assert (world.active() == ["connection_quota"]) is active


async def test_a_certificate_read_again_is_looked_at_at_once(world: World) -> None:
    await world.days_left(3)
    assert world.active() == [NAME]
    world.service.open()
    async with asyncio.timeout(DEADLINE_S):
        while world.native.looks < 2:
            await asyncio.sleep(0)
    ends_s = int(world.clock.now_ms() // 1000 + 300 * DAY_S)
    world.native.found = [Certificate("ssl:a", "/c.pem", "certfile", "CN=a", ends_s)]

    world.service.watch([("certificate", "ssl:a", None, "")])

    async with asyncio.timeout(DEADLINE_S):
        while world.active():
            await asyncio.sleep(0)
    await world.service.close()
