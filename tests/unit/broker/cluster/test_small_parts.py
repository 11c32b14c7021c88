"""Keys, pulses, the files of a node and the configuration of its NATS."""

from __future__ import annotations

import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from rookery.broker.cluster import keys
from rookery.broker.cluster.liveness import SILENCE_S, Liveness, Pulse, SecondCopy
from rookery.broker.cluster.members import Members
from rookery.broker.cluster.nats_config import NatsConfig
from rookery.broker.cluster.store import ClusterStore
from rookery.errors import StartError

PULSE = Pulse(
    name="a@h",
    node_id="1",
    incarnation=5,
    digest="",
    lane="",
    version="",
    started_at_ms=0,
    members=1,
)


def test_every_purpose_has_a_secret_of_its_own_and_none_is_the_cookie() -> None:
    cookie = "0123456789abcdef"
    found = {
        keys.derived(cookie, cluster, purpose)
        for cluster in ("one", "two")
        for purpose in (keys.ROUTES, keys.BUS, keys.LANES)
    }

    assert len(found) == 6
    assert not any(cookie.encode() in secret for secret in found)


@pytest.mark.parametrize("cookie", ["", "short", "emqxsecretcookie"])
def test_a_cookie_that_everybody_may_guess_is_not_good(cookie: str) -> None:
    assert not keys.is_good(cookie)


def test_what_was_signed_for_another_subject_or_by_another_cookie_is_not_opened() -> None:
    signer = keys.Signer(keys.derived("0123456789abcdef", "c", keys.BUS))
    sealed = signer.seal("one", b"body")

    assert signer.open("one", sealed) == b"body"
    assert signer.open("two", sealed) is None
    assert signer.open("one", sealed[:-1] + b"x") is None
    assert signer.open("one", b"short") is None


def test_who_is_silent_has_stopped_and_who_speaks_again_runs() -> None:
    liveness = Liveness()
    liveness.hear(PULSE, 100.0)

    assert liveness.check(100.0 + SILENCE_S) == []
    assert liveness.check(100.1 + SILENCE_S) == ["a@h"]
    assert liveness.running("a@h") is None
    liveness.hear(PULSE, 110.0)
    assert liveness.running("a@h") == PULSE


def test_what_an_earlier_process_said_counts_no_more() -> None:
    liveness = Liveness()
    liveness.hear(replace(PULSE, incarnation=6), 1.0)
    liveness.hear(replace(PULSE, is_stopping=True), 2.0)

    running = liveness.running("a@h")
    assert running is not None
    assert running.incarnation == 6


def test_a_pulse_of_a_later_version_is_understood_and_a_broken_one_is_not() -> None:
    plain = asdict(PULSE)

    assert Pulse.from_plain(plain | {"news": 1}) == PULSE
    assert Pulse.from_plain(plain | {"incarnation": "5"}) is None
    partner = SecondCopy(node="b@h", is_whole=True, lag=3, lag_bytes=960)
    told = asdict(replace(PULSE, partner=partner))
    assert Pulse.from_plain(told) == replace(PULSE, partner=partner)
    assert Pulse.from_plain(told | {"partner": told["partner"] | {"lag": "3"}}) == PULSE


def test_a_node_keeps_its_identity_and_grows_older_whatever_the_clock_says(tmp_path: Path) -> None:
    first = ClusterStore(tmp_path, "a@h").open(1000)
    second = ClusterStore(tmp_path, "a@h").open(10)

    assert second.node_id == first.node_id
    assert second.incarnation > first.incarnation
    for file in (tmp_path / "cluster").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_renamed_member_is_refused_with_what_to_do(tmp_path: Path) -> None:
    store = ClusterStore(tmp_path, "a@h")
    store.open(1)
    store.keep(Members().with_member("a@h", "1", "x:1", 1).with_member("b@h", "2", "y:1", 1))

    with pytest.raises(StartError, match="force-leave a@h") as refused:
        ClusterStore(tmp_path, "c@h").open(2)
    assert "node.name=a@h" in refused.value.text("zh")


def test_a_node_that_is_alone_may_be_renamed(tmp_path: Path) -> None:
    first = ClusterStore(tmp_path, "a@h").open(1)

    assert ClusterStore(tmp_path, "c@h").open(2).node_id != first.node_id


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ClusterStore(tmp_path, "a@h").open(1)
    (tmp_path / "cluster" / "members.json").write_text("{")

    with pytest.raises(StartError, match="join again"):
        ClusterStore(tmp_path, "a@h").members()


def test_a_change_of_routes_needs_no_restart_of_the_server(tmp_path: Path) -> None:
    alone = NatsConfig(
        server_name="a@h",
        cluster_name="c",
        listen="h:1",
        advertise="h:1",
        routes=(),
        store_dir=tmp_path,
        has_store=False,
        route_password="p",
        client_password="q",
    )
    two = alone.with_routes(("x:1",), has_store=True)
    three = alone.with_routes(("x:1", "y:1"), has_store=True)

    assert two.needs_restart(alone)
    assert not three.needs_restart(two)
    assert "jetstream" not in alone.text()
    assert "sync_interval: always" in two.text()
