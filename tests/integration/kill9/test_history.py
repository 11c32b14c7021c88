"""The checker itself: it has to find what must not happen, and nothing else."""

from __future__ import annotations

import pytest

from harness.history import History
from harness.packets import Publish


def message(key: str, qos: int) -> Publish:
    return Publish("load/x", key.encode(), qos, 7)


@pytest.fixture
def history() -> History:
    made = History()
    made.add_reader("exact", 2)
    made.add_reader("at-least-once", 1)
    for key, qos in (("one", 1), ("two", 2)):
        made.published(key, qos)
        made.acknowledged(key)
        for reader in ("exact", "at-least-once"):
            made.received(reader, message(key, qos))
    return made


async def test_a_good_history_has_no_problems(history: History) -> None:
    history.received("exact", message("one", 1))  # QoS 1 may come twice
    history.received("at-least-once", message("two", 1))
    history.published("under way", 2)  # not acknowledged: may be lost
    await history.all_received(0.01)
    assert history.problems == []


async def test_a_lost_message_is_found(history: History) -> None:
    history.published("lost", 1)
    history.acknowledged("lost")
    history.received("exact", message("lost", 1))
    await history.all_received(0.01)
    assert history.problems == ["epoch 0: at-least-once never received lost"]
    assert "acknowledged" in history.explain()


async def test_a_lost_will_is_found(history: History) -> None:
    history.will("last words")
    await history.all_received(0.01)
    assert len(history.problems) == 2


def test_a_duplicate_of_qos_2_is_found(history: History) -> None:
    history.received("exact", message("two", 2))
    assert history.problems == ["epoch 0: exact received two 2 times with QoS 2"]


def test_a_message_of_nobody_is_found(history: History) -> None:
    history.received("exact", message("invented", 1))
    assert history.problems == ["epoch 0: exact received invented, which nobody published"]
