"""Clients that take long to get their messages, as EMQX's slow subscriptions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.node import fresh_name
from harness.operator import Operator, operated
from rookery.errors import BadRequestError

PATH = "/api/v5/slow_subscriptions"
ON = {"slow_subs.enable": "true", "slow_subs.threshold": "100ms"}


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    with operated(tmp_path_factory.mktemp("node"), settings=ON) as running:
        running.api.get("/node")  # clients are served before anything looks at them
        yield running


def rows(operator: Operator) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = operator.api.get(PATH)["data"]
    return data


def late(operator: Operator, topic: str, name: str) -> None:
    """A client that acknowledges a message when a second has passed."""
    client = operator.node.connect(name, 5)
    client.subscribe(topic, qos=1)
    operator.node.connect(level=5).publish(topic, b"x", qos=1)
    message = client.expect_publish(topic)
    operator.node.let_pass(1)
    client.acknowledge(message)
    client.fence()


def test_a_slow_client_is_listed_with_its_topic(operator: Operator) -> None:
    topic, name = fresh_name("t/"), fresh_name("slow-")
    late(operator, topic, name)

    [row] = [row for row in rows(operator) if row["clientid"] == name]

    assert row["topic"] == topic
    assert row["node"] == "rookery@127.0.0.1"
    assert row["timespan"] >= 900
    assert row["last_update_time"] > 1_700_000_000_000


def test_a_quick_client_is_not(operator: Operator) -> None:
    topic, name = fresh_name("t/"), fresh_name("quick-")
    client = operator.node.connect(name, 5)
    client.subscribe(topic, qos=1)
    operator.node.connect(level=5).publish(topic, b"x", qos=1)
    client.receive(topic)
    client.fence()

    assert name not in {row["clientid"] for row in rows(operator)}


def test_the_list_is_cleared(operator: Operator) -> None:
    late(operator, fresh_name("t/"), fresh_name("slow-"))
    assert rows(operator)

    operator.api.delete(PATH)

    assert rows(operator) == []


def test_it_is_switched_and_set_while_the_node_runs(tmp_path: Path) -> None:
    with operated(tmp_path) as other:
        assert other.api.get(f"{PATH}/settings") == {
            "enable": False,
            "threshold": "500ms",
            "expire_interval": "300s",
            "top_k_num": 10,
            "stats_type": "whole",
        }
        late(other, "t/1", "before")
        assert rows(other) == []

        changed = other.api.put(
            f"{PATH}/settings", {"enable": True, "threshold": "100ms", "stats_type": "response"}
        )
        assert (changed["enable"], changed["threshold"]) == (True, "100ms")
        late(other, "t/2", "after")
        assert [row["clientid"] for row in rows(other)] == ["after"]

        other.node.restart()
        assert other.api.get(f"{PATH}/settings") == changed

        with pytest.raises(BadRequestError):
            other.api.put(f"{PATH}/settings", {"threshold": "1ms"})
        with pytest.raises(BadRequestError):
            other.api.put(f"{PATH}/settings", {"top_k_num": 1001})
