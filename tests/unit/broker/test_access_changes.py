"""Changes of access control that meet each other: none takes another one back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.client import DEADLINE_S
from rookery.access.authz import RuleOwner
from rookery.broker.access import AccessService
from rookery.broker.alarms import AlarmRegistry
from rookery.broker.audit import AuditLog
from rookery.clock import ManualClock
from rookery.config import Config, load
from rookery.engine.rules import compile_sources
from rookery.native.config import Ban, BrokerConfig

RULE = {"permission": "deny", "action": "all", "topic": "built-in/#"}
SOURCES = """
authorization.sources = [{type = built_in_database}, {type = file, path = "acl.conf"}]
"""


class SlowCore:
    """Takes a configuration when the test lets it; what came last holds."""

    def __init__(self) -> None:
        self.held: BrokerConfig | None = None
        self.bans: list[str] = []
        self.is_asked = threading.Event()
        self.may_go_on = threading.Event()
        self._calls = 0

    def apply_config(self, broker: BrokerConfig) -> None:
        self._calls += 1
        if self._calls == 1:
            self.is_asked.set()
            assert self.may_go_on.wait(DEADLINE_S)
        self.held = broker
        self.bans = [ban.who for ban in broker.bans]

    def apply_bans(self, bans: Sequence[Ban]) -> None:
        self.bans = [ban.who for ban in bans]

    def check_acl(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("nobody asks")

    def topics(self) -> set[str]:
        assert self.held is not None
        sources = self.held.authorization.sources
        return {topic.text for s in sources for rule in s.rules for topic in rule.topics}


class World:
    def __init__(self, tmp_path: Path) -> None:
        self.acl = tmp_path / "acl.conf"
        self.acl.write_text('{deny, all, all, ["old/#"]}.\n')
        self.file = tmp_path / "r.conf"
        self.file.write_text(SOURCES)
        self.data_dir = tmp_path / "data"
        self.data_dir.mkdir()
        self.core = SlowCore()
        self.config = self.loaded()
        clock = ManualClock()
        native: Any = self.core
        self.service = AccessService(
            native,
            AlarmRegistry(
                clock, actions=(), size_limit=5, validity_period_s=60, publish=lambda *_: None
            ),
            AuditLog(tmp_path, clock),
            clock,
            node_name="n@h",
            data_dir=self.data_dir,
            adapt=lambda broker: broker,
            bans=(),
            built_in=(),
            # As the node does before anybody connects.
            sources=compile_sources(self.config.management.access.sources),
        )

    def loaded(self) -> Config:
        return load(self.file, self.data_dir, environ={})

    async def asked(self) -> None:
        assert await asyncio.to_thread(self.core.is_asked.wait, 20)


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    made = World(tmp_path)
    await made.service.open(made.config)
    yield made
    made.core.may_go_on.set()
    await made.service.close()


async def add_rule(service: AccessService) -> None:
    owner = RuleOwner("all")
    await service.change_rules("update", "rules", lambda store: store.put(owner, [RULE]))


async def test_a_reload_does_not_take_back_a_rule(world: World) -> None:
    world.acl.write_text('{deny, all, all, ["new/#"]}.\n')
    reload = asyncio.create_task(world.service.reload_rules())
    await world.asked()
    change = asyncio.create_task(add_rule(world.service))
    # Long enough for a change that does not wait to be through.
    await asyncio.wait({change}, timeout=0.2)
    world.core.may_go_on.set()
    await asyncio.gather(reload, change)
    assert world.core.topics() == {"new/#", "built-in/#"}


async def test_a_change_of_settings_does_not_take_back_a_rule(world: World) -> None:
    world.file.write_text(f"{SOURCES}\nauthorization.no_match = deny\n")
    apply = asyncio.create_task(world.service.apply(world.config, world.loaded()))
    await world.asked()
    change = asyncio.create_task(add_rule(world.service))
    await asyncio.wait({change}, timeout=0.2)
    world.core.may_go_on.set()
    await asyncio.gather(apply, change)
    assert world.core.topics() == {"old/#", "built-in/#"}
    assert world.core.held is not None
    assert world.core.held.authorization.no_match == "deny"


async def test_a_change_of_settings_does_not_take_back_a_ban(world: World) -> None:
    world.file.write_text(f"{SOURCES}\nauthorization.no_match = deny\n")
    apply = asyncio.create_task(world.service.apply(world.config, world.loaded()))
    await world.asked()
    bans = world.service.access.stores.bans
    ban = asyncio.create_task(bans.create("clientid", "culprit"))
    await asyncio.wait({ban}, timeout=0.2)
    world.core.may_go_on.set()
    await asyncio.gather(apply, ban)
    assert world.core.bans == ["culprit"]
