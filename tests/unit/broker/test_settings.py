"""Settings of a running node: a change takes effect whole, is kept, is audited; or nothing happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rookery.broker.audit import FILE_BYTES_MAX, FILES_MAX, AuditLog, masked
from rookery.broker.settings import NodeSettings
from rookery.broker.settings.difference import is_hot
from rookery.clock import ManualClock
from rookery.config import Config, InvalidConfigError, load
from rookery.config.runtime import KeyPath
from rookery.errors import ConflictError, StartError

INFLIGHT = ("mqtt", "max_inflight")


class Part:
    """Holds what it was given, unless it refuses."""

    def __init__(self) -> None:
        self.inflight = 32
        self.refuses = False

    async def apply(self, _old: Config, new: Config) -> None:
        if self.refuses:
            raise StartError("no")
        self.inflight = new["mqtt.max_inflight"]


class World:
    def __init__(self, tmp_path: Path, text: str = "") -> None:
        self.file = tmp_path / "r.conf"
        self.file.write_text(text)
        clock = ManualClock()
        self.audit = AuditLog(tmp_path, clock)
        config = load(self.file, tmp_path / "data", environ={})
        self.settings = NodeSettings(config, self.audit, clock)
        self.first, self.second = Part(), Part()
        self.settings.open((self.first, self.second))

    def entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.audit.file.read_text().splitlines()]

    async def change(self, value: Any) -> Any:
        return await self.settings.change("update", "a", {INFLIGHT: value})


async def test_a_change_reaches_every_part_and_the_next_start(tmp_path: Path) -> None:
    world = World(tmp_path)
    applied = await world.change(7)
    assert applied == (("mqtt.max_inflight",), ())
    assert (world.first.inflight, world.second.inflight) == (7, 7)
    assert load(world.file, tmp_path / "data", environ={})["mqtt.max_inflight"] == 7
    (entry,) = world.entries()
    assert (entry["before"], entry["after"]) == (
        {"mqtt.max_inflight": 32},
        {"mqtt.max_inflight": 7},
    )


async def test_a_part_that_refuses_makes_the_others_go_back(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.second.refuses = True
    with pytest.raises(StartError):
        await world.change(7)
    assert world.first.inflight == 32
    assert world.settings.config["mqtt.max_inflight"] == 32
    assert load(world.file, tmp_path / "data", environ={})["mqtt.max_inflight"] == 32
    assert world.entries()[0]["result"] == "no"


@pytest.mark.parametrize(
    ("text", "value", "error"),
    [("mqtt.max_inflight = 5", 7, ConflictError), ("", 0, InvalidConfigError)],
)
async def test_a_change_that_would_not_hold_reaches_no_part(
    tmp_path: Path, text: str, value: int, error: type[Exception]
) -> None:
    world = World(tmp_path, text)
    with pytest.raises(error):
        await world.change(value)
    assert world.first.inflight == 32


async def test_a_mistake_is_named_as_its_author_wrote_it(tmp_path: Path) -> None:
    world = World(tmp_path, "mqtt.max_awaiting_rel = 10")
    changes: dict[KeyPath, Any] = {("mqtt",): {"max_inflight": 0, "max_awaiting": 3}}
    with pytest.raises(InvalidConfigError) as refused:
        await world.settings.change("update", "a", changes)
    unknown, inflight = sorted(refused.value.text().splitlines())
    assert inflight.startswith("max_inflight: 0 is not allowed here")
    assert unknown.startswith("max_awaiting: unknown key, did you mean max_awaiting_rel?")
    with pytest.raises(InvalidConfigError, match=r"^mqtt\.max_inflight: 0"):
        await world.settings.change("update", "a", {INFLIGHT: 0}, written_at=())
    # Whoever looks after the node wants the file as well.
    assert "cluster.hocon" in world.entries()[0]["result"]


async def test_a_reload_says_what_changed_and_what_waits(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file.write_text("mqtt.max_inflight = 9, node.workers = 3")
    applied = await world.settings.reload()
    assert applied == (("mqtt.max_inflight",), ("node.workers",))
    assert world.second.inflight == 9


async def test_a_bad_file_changes_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.file.write_text("mqtt.max_inflight = 0")
    with pytest.raises(InvalidConfigError):
        await world.settings.reload()
    assert world.settings.config["mqtt.max_inflight"] == 32


@pytest.mark.parametrize(
    ("path", "hot"),
    [
        ("mqtt.max_inflight", True),
        ("zones.a.mqtt.max_inflight", True),
        ("listeners.tcp.default.backlog", True),
        ("authentication.1.secret", True),
        ("flapping_detect.enable", True),
        ("access.login_backoff.failures", True),
        ("node.workers", False),
        ("node.name", False),
        ("durability.sync", False),
        ("dashboard.listeners.http.bind", False),
    ],
)
def test_what_needs_a_restart_is_known(path: str, hot: bool) -> None:
    assert is_hot(path) is hot


async def test_another_secret_is_a_change(tmp_path: Path) -> None:
    text = (
        "authentication = {mechanism = password_based, backend = redis, server = r"
        ', cmd = "HMGET u:${username} password_hash", password = "%s"}'
    )
    world = World(tmp_path, text % "one")

    assert (await world.settings.reload()).changed == ()
    world.file.write_text(text % "two")
    assert (await world.settings.reload()).changed == ("authentication",)


def test_secrets_do_not_reach_the_audit_log() -> None:
    assert masked(
        {
            "password": "a",
            "api": {"secret": "b", "url": "u"},
            "list": [{"token": "c"}],
            "password_hash_algorithm": {"name": "bcrypt"},
            "authorization": {"no_match": "deny"},
        }
    ) == {
        "password": "******",
        "api": {"secret": "******", "url": "u"},
        "list": [{"token": "******"}],
        "password_hash_algorithm": {"name": "bcrypt"},
        "authorization": {"no_match": "deny"},
    }


def test_the_audit_log_is_bounded(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path, ManualClock())
    large = "x" * (FILE_BYTES_MAX // 2)
    for number in range(2 * FILES_MAX + 6):
        audit.record("update", str(number), after=large)
    files = list(audit.file.parent.iterdir())
    assert len(files) == FILES_MAX + 1
    assert json.loads(audit.file.read_text().splitlines()[-1])["target"] == str(2 * FILES_MAX + 5)


def test_a_disk_that_takes_nothing_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where a folder should be")
    audit = AuditLog(tmp_path, ManualClock())
    audit.record("update", "a")
    assert audit.metrics() == {"audit.failures": 1}
