"""A connector is started, asked, started again; what is said about it is said once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from rookery.clock import SystemClock
from rookery.connectors import health
from rookery.connectors.base import Connector, Reconnecting, Unhealthy
from rookery.connectors.health import Link
from rookery.connectors.options import ConnectorOptions
from rookery.connectors.settings import ActionSettings, SourceSettings
from rookery.connectors.status import State, Status


class Scripted(Connector[ActionSettings, SourceSettings]):
    """Does at each step what the test says; ``calls`` has the steps."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.on_start: Callable[[], Awaitable[None]] | None = None
        self.on_check: Callable[[], Awaitable[None]] | None = None

    async def start(self) -> None:
        self.calls.append("start")
        if self.on_start is not None:
            await self.on_start()

    async def stop(self) -> None:
        self.calls.append("stop")

    async def check(self) -> None:
        self.calls.append("check")
        if self.on_check is not None:
            await self.on_check()


class Told:
    """Every status, and the newest as something to wait for."""

    def __init__(self) -> None:
        self.all: list[Status] = []
        self._changed = asyncio.Event()

    def __call__(self, status: Status) -> None:
        self.all.append(status)
        self._changed.set()

    async def until(self, state: State) -> Status:
        while not self.all or self.all[-1].state is not state:
            self._changed.clear()
            await self._changed.wait()
        return self.all[-1]


@contextlib.asynccontextmanager
async def linked(connector: Scripted, told: Told) -> AsyncIterator[Link]:
    options = ConnectorOptions.model_validate({"health_check_interval": "20ms"})
    link = Link("test:c", connector, options, SystemClock(), told)
    link.start()
    try:
        yield link
    finally:
        await link.stop()
        await link.stop()


def failing(error: BaseException) -> Callable[[], Awaitable[None]]:
    async def fail() -> None:
        raise error

    return fail


async def test_one_that_cannot_connect_is_tried_again_and_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connector, told = Scripted(), Told()
    connector.on_start = failing(Unhealthy("connect to h:1 refused"))
    async with linked(connector, told):
        await told.until(State.DISCONNECTED)
        while connector.calls.count("start") < 4:
            await asyncio.sleep(0.005)
        assert [status.state for status in told.all] == [State.CONNECTING, State.DISCONNECTED]
        connector.on_start = None
        await told.until(State.CONNECTED)
    assert caplog.text.count("refused") == 1


async def test_a_lost_connection_is_stopped_before_it_is_started() -> None:
    connector, told = Scripted(), Told()
    async with linked(connector, told):
        await told.until(State.CONNECTED)
        connector.on_check = failing(Unhealthy("gone"))
        status = await told.until(State.DISCONNECTED)
        assert status.reason is not None
        assert status.reason.en == "gone"
        connector.on_check = None
        await told.until(State.CONNECTED)
    first = connector.calls.index("stop")
    assert connector.calls[first - 1 : first + 2] == ["check", "stop", "start"]


async def test_one_that_connects_again_by_itself_is_only_asked() -> None:
    connector, told = Scripted(), Told()
    async with linked(connector, told):
        await told.until(State.CONNECTED)
        connector.on_check = failing(Reconnecting("trying"))
        await told.until(State.CONNECTING)
        connector.on_check = None
        await told.until(State.CONNECTED)
        assert "stop" not in connector.calls


async def test_one_that_does_not_answer_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_S", 0.01)
    connector, told = Scripted(), Told()

    async def hang() -> None:
        await asyncio.Event().wait()

    connector.on_check = hang
    async with linked(connector, told):
        await told.until(State.CONNECTED)
        status = await told.until(State.DISCONNECTED)
        assert status.reason is not None
        assert "did not answer" in status.reason.en


async def test_an_error_that_nobody_expected_is_a_reason_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    connector, told = Scripted(), Told()
    connector.on_start = failing(ZeroDivisionError())
    async with linked(connector, told):
        status = await told.until(State.DISCONNECTED)
        assert status.reason is not None
        assert "ZeroDivisionError" in status.reason.en
    assert "Traceback" in caplog.text or "in fail" in caplog.text


async def test_a_poke_makes_it_be_asked_before_its_time() -> None:
    connector, told = Scripted(), Told()
    options = ConnectorOptions.model_validate({"health_check_interval": "1h"})
    link = Link("test:c", connector, options, SystemClock(), told)
    link.start()
    await told.until(State.CONNECTED)
    connector.on_check = failing(Unhealthy("gone"))
    while told.all[-1].state is State.CONNECTED:
        link.poke()
        await asyncio.sleep(0.005)
    await link.stop()
    assert connector.calls[:3] == ["start", "check", "stop"]


async def test_who_uses_a_connection_lets_go_of_it_before_it_ends() -> None:
    connector, told = Scripted(), Told()

    class User:
        def link_changed(self) -> None:
            return

        async def let_go(self) -> None:
            connector.calls.append("let go")

    async with linked(connector, told) as link:
        link.attach(User())
        await told.until(State.CONNECTED)
    assert connector.calls[-2:] == ["let go", "stop"]
    assert told.all[-1].state is State.DISCONNECTED


async def test_stopping_does_not_wait_for_an_attempt_to_connect() -> None:
    connector, told = Scripted(), Told()

    async def hang() -> None:
        await asyncio.Event().wait()

    connector.on_start = hang
    async with linked(connector, told):
        await told.until(State.CONNECTING)
        while "start" not in connector.calls:
            await asyncio.sleep(0)
    assert connector.calls == ["start", "stop"]
