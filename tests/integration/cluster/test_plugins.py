"""Plugins are on all nodes of a cluster as they are on one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from harness.members import Member, members
from harness.plugins import archive_of, multipart
from harness.waiting import until
from rookery.client.management import API, ManagementClient, path_of
from rookery.errors import RookeryError

CODE = """
from rookery.plugins import Plugin

class Probe(Plugin):
    def on_publish(self, message):
        return message
"""
SCHEMA = '{"type": "object", "properties": {"mark": {"type": "string", "default": "-"}}}'
PROBE, SECOND = "probe-1.0.0", "second-1.0.0"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Member]]:
    """Three nodes, of which two are a cluster; the tests are one story, in their order."""
    with members(tmp_path_factory.mktemp("plugins"), 3) as found:
        one, two, _ = found
        two.join(one)
        _in_step(one, two)
        yield found


def _rest(member: Member) -> ManagementClient:
    return ManagementClient(member.node.data_dir, timeout_s=60.0, prefix=API)


def _in_step(*those: Member) -> None:
    for member in those:
        until(lambda member=member: _state(member).get("in_step"), "in step")  # type: ignore[misc]


def _state(member: Member) -> dict[str, Any]:
    return member.ctl.json("cluster", "status").get("state") or {}


def _rows(member: Member) -> dict[str, Any]:
    return {row["name"]: row for row in _rest(member).get("/plugins")}


def _shows(member: Member, plugin: str) -> tuple[str, bool] | None:
    row = _rows(member).get(plugin)
    return None if row is None else (row["status"], row["enable"])


def _until(member: Member, plugin: str, wanted: tuple[str, bool] | None) -> None:
    until(
        lambda: _shows(member, plugin) == wanted,
        f"{plugin} at {member.name} is {wanted}",
        shows=lambda: (_rows(member), _rest(member).get("/alarms")["data"]),
    )


def _install(member: Member, name: str = "probe", version: str = "1.0.0") -> None:
    archive = archive_of(CODE, name=name, version=version, schema=SCHEMA)
    _rest(member).post("/plugins/install", multipart(archive))


def test_what_is_installed_on_one_node_is_on_all(three: list[Member]) -> None:
    one, two, _ = three
    _install(one)
    _until(two, PROBE, ("stopped", False))


def test_it_starts_and_is_set_on_all(three: list[Member]) -> None:
    one, two, _ = three
    _rest(two).put(path_of("plugins", PROBE, "config"), {"mark": "a"})
    _rest(two).put(path_of("plugins", PROBE, "start"))
    for member in (one, two):
        _until(member, PROBE, ("running", True))
        until(lambda member=member: _mark(member) == "a", "the setting")  # type: ignore[misc]
    where = {item["node"]: item["status"] for item in _rows(one)[PROBE]["running_status"]}
    assert where == {one.name: "running", two.name: "running"}


def _mark(member: Member) -> Any:
    return _rest(member).get(path_of("plugins", PROBE, "config"))["mark"]


def test_their_order_is_that_of_all(three: list[Member]) -> None:
    one, two, _ = three
    _install(two, name="second")
    _until(one, SECOND, ("stopped", False))
    _rest(one).post(path_of("plugins", SECOND, "move"), {"position": "front"})
    until(lambda: list(_rows(two)) == [SECOND, PROBE], "the order")


def test_a_new_version_takes_the_place_on_all(three: list[Member]) -> None:
    one, two, _ = three
    _install(two, version="2.0.0")
    _until(one, "probe-2.0.0", ("stopped", False))
    _rest(one).put(path_of("plugins", "probe-2.0.0", "start"))
    for member in (one, two):
        _until(member, "probe-2.0.0", ("running", True))
        _until(member, PROBE, ("stopped", False))
    assert _mark(two) == "a"
    _rest(two).delete(path_of("plugins", "probe-2.0.0"))
    _until(one, "probe-2.0.0", None)
    _rest(one).put(path_of("plugins", PROBE, "start"))
    _until(two, PROBE, ("running", True))


def test_who_joins_has_those_of_the_cluster_instead_of_its_own(three: list[Member]) -> None:
    one, two, joiner = three
    _install(joiner, name="own")
    joiner.join(one)
    _in_step(one, two, joiner)

    _until(joiner, PROBE, ("running", True))
    _until(joiner, "own-1.0.0", None)
    assert list(_rows(joiner)) == [SECOND, PROBE]
    assert _mark(joiner) == "a"


def test_a_node_that_was_away_catches_up(three: list[Member]) -> None:
    one, two, third = three
    third.node.kill9()
    _changed(one, lambda: _rest(one).put(path_of("plugins", PROBE, "stop")))
    _changed(one, lambda: _rest(one).delete(path_of("plugins", SECOND)))
    _changed(one, lambda: _install(one, name="later"))
    _until(two, "later-1.0.0", ("stopped", False))
    third.start()

    _until(third, "later-1.0.0", ("stopped", False))
    _until(third, SECOND, None)
    _until(third, PROBE, ("stopped", False))


def _changed(member: Member, change: Any) -> None:
    """After a node died a leader has to be elected first."""

    def is_made() -> bool:
        try:
            change()
        except RookeryError as error:
            if error.code != "SERVICE_UNAVAILABLE":
                raise
            return False
        return True

    until(is_made, "the change")


def test_without_the_others_nothing_is_changed(three: list[Member]) -> None:
    one, two, third = three
    _in_step(one, two, third)
    for member in (two, third):
        member.node.kill9()
    before = _rows(one)
    for change in (
        lambda: _install(one, name="alone"),
        lambda: _rest(one).put(path_of("plugins", PROBE, "start")),
        lambda: _rest(one).delete(path_of("plugins", PROBE)),
    ):
        with pytest.raises(RookeryError) as refused:
            change()
        assert refused.value.code in ("SERVICE_UNAVAILABLE", "TIMEOUT")
    after = _rows(one)
    for row in (*before.values(), *after.values()):
        with contextlib.suppress(KeyError):
            del row["running_status"]
    assert after == before
