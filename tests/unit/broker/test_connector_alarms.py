"""The alarm of an action says what its status says, from the first reason to the last."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.connectors.running import Running
from rookery.clock import ManualClock
from rookery.connectors.status import State, Status
from rookery.words import Words

NOTHING_TAKEN = Words("nothing was taken since noon", "自中午起没有消息被接受")
REFUSED = Words("connect to 10.0.0.9:80 refused", "连接 10.0.0.9:80 被拒绝")


def test_the_alarm_names_the_state_and_the_reason_that_hold(tmp_path: Path) -> None:
    clock = ManualClock(1_000)
    alarms = AlarmRegistry(
        clock, actions=(), size_limit=10, validity_period_s=60, publish=lambda *_: None
    )
    running = Running(
        cast(Any, None), alarms, clock, data_dir=tmp_path, node_name="rookery@127.0.0.1"
    )

    def told(state: State, reason: Words | None) -> list[tuple[str, str, int]]:
        running._note("action", "http:bad", Status(state, reason, clock.now_ms()))
        return [
            (alarm.message, alarm.details["status"], alarm.activated_at_ms)
            for alarm in alarms.active()
        ]

    began = "action http:bad is connecting: nothing was taken since noon"
    assert told(State.CONNECTING, NOTHING_TAKEN) == [(began, "connecting", 1_000)]
    clock.advance(5)
    lost = "action http:bad is disconnected: connect to 10.0.0.9:80 refused"
    assert told(State.DISCONNECTED, REFUSED) == [(lost, "disconnected", 1_000)]
    assert told(State.CONNECTED, None) == []
