"""What of the settings nodes of a cluster have alike, and what a node does with what it cannot use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from rookery.broker.alarms import AlarmRegistry
from rookery.broker.settings.replica import SettingsReplica
from rookery.broker.settings.rows import differences, rows_of
from rookery.clock import ManualClock
from rookery.config.runtime import REMOVED, KeyPath
from rookery.errors import UnavailableError
from rookery.storage.replica import Mark, Revised, Row

TREE: dict[str, Any] = {
    "node": {"name": "own@h"},
    "cluster": {"name": "own", "links": [{"name": "other"}]},
    "mqtt": {"retry_interval": "1s"},
    "authentication": [{"mechanism": "jwt"}],
    "listeners": {"tcp": {"default": {"bind": 1}, "second": {"bind": 2}}, "ssl": {}},
    "rule_engine": {"ignore_sys_message": True, "rules": {"r1": {"sql": "x"}}},
}


def test_named_objects_are_rows_and_what_is_a_nodes_own_is_none() -> None:
    assert rows_of(TREE) == {
        ("cluster", "links"): [{"name": "other"}],
        ("mqtt",): {"retry_interval": "1s"},
        ("authentication",): [{"mechanism": "jwt"}],
        ("listeners", "tcp", "default"): {"bind": 1},
        ("listeners", "tcp", "second"): {"bind": 2},
        ("rule_engine", "ignore_sys_message"): True,
        ("rule_engine", "rules", "r1"): {"sql": "x"},
    }


@pytest.mark.parametrize(
    ("after", "changed"),
    [
        ({}, {}),
        ({"node": {"name": "other@h"}}, {}),
        ({"mqtt": {"retry_interval": "2s"}}, {("mqtt",): {"retry_interval": "2s"}}),
        (
            {"listeners": {"tcp": {"second": {"bind": 3}}}},
            {("listeners", "tcp", "default"): REMOVED, ("listeners", "tcp", "second"): {"bind": 3}},
        ),
        ({"authentication": None}, {("authentication",): None}),
    ],
    ids=["nothing", "own", "part", "named", "null"],
)
def test_a_change_is_the_rows_that_differ(
    after: dict[str, Any], changed: dict[KeyPath, Any]
) -> None:
    assert differences(TREE, TREE | after) == changed


class Settings:
    """The settings of a node on which port 2 is taken."""

    def __init__(self, tree: Mapping[KeyPath, Any]) -> None:
        self.held = dict(tree)

    @property
    def tree(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path, value in self.held.items():
            inner = found
            for key in path[:-1]:
                inner = inner.setdefault(key, {})
            inner[path[-1]] = value
        return found

    async def opened(self) -> None:
        return None

    def share(self, shared: object) -> None:
        self.shared = shared

    async def take(self, changes: Mapping[KeyPath, Any]) -> None:
        if any(value == {"bind": 2} for value in changes.values()):
            raise UnavailableError("port 2 is taken")
        for path, value in changes.items():
            if value == REMOVED:
                self.held.pop(path, None)
            else:
                self.held[path] = value


FIRST, SECOND = ("listeners", "tcp", "first"), ("listeners", "tcp", "second")


async def opened(folder: Path, settings: Settings, alarms: AlarmRegistry) -> SettingsReplica:
    async def ready() -> None:
        return None

    def propose(revised: Sequence[Revised]) -> list[int]:
        return [item.revision + 10 for item in revised]

    replica = SettingsReplica(settings, folder, alarms)  # type: ignore[arg-type]
    await replica.open(ready, propose)
    return replica


@pytest.fixture
def alarms() -> AlarmRegistry:
    return AlarmRegistry(
        ManualClock(), actions=(), size_limit=9, validity_period_s=60, publish=lambda *_: None
    )


async def test_what_a_node_cannot_use_is_left_with_an_alarm_and_the_rest_is_taken(
    tmp_path: Path, alarms: AlarmRegistry
) -> None:
    settings = Settings({SECOND: {"bind": 7}})
    replica = await opened(tmp_path, settings, alarms)
    rows = [
        Row("settings", FIRST, {"value": {"bind": 1}}),
        Row("settings", SECOND, {"value": {"bind": 2}}),
    ]

    await replica.apply([Revised(row, 5 + n) for n, row in enumerate(rows)], Mark("o", 6, 0))

    assert settings.held == {FIRST: {"bind": 1}, SECOND: {"bind": 7}}
    names = [alarm.name for alarm in alarms.active()]
    assert names == ["settings_refused/listeners.tcp.second"]
    usable = Row("settings", SECOND, {"value": {"bind": 3}})
    await replica.apply([Revised(usable, 7)], Mark("o", 7, 0))
    assert settings.held[SECOND] == {"bind": 3}
    assert alarms.active() == []


async def test_a_restart_goes_on_from_what_was_taken(tmp_path: Path, alarms: AlarmRegistry) -> None:
    settings = Settings({})
    row = Row("settings", FIRST, {"value": {"bind": 1}})
    await (await opened(tmp_path, settings, alarms)).apply([Revised(row, 5)], Mark("o", 5, 1))

    again = await opened(tmp_path, settings, alarms)

    assert await again.mark() == Mark("o", 5, 1)
    settings.held[FIRST] = {"bind": 9}
    await again.apply([Revised(row, 5)], Mark("o", 5, 2))
    assert settings.held[FIRST] == {"bind": 9}


async def test_joining_replaces_and_counts_what_went(tmp_path: Path, alarms: AlarmRegistry) -> None:
    settings = Settings({FIRST: {"bind": 1}, SECOND: {"bind": 7}, ("node", "x"): 1})
    replica = await opened(tmp_path, settings, alarms)

    lost = await replica.replace(
        [Revised(Row("settings", FIRST, {"value": {"bind": 1}}), 3)], Mark("o", 4, 0)
    )

    assert lost == {"settings": 1}
    assert settings.held == {FIRST: {"bind": 1}, ("node", "x"): 1}
