"""The fixtures that others test their MQTT code with."""

from __future__ import annotations

import asyncio
import os
import tomllib
from pathlib import Path

import pytest

from harness.client import RawClient
from harness.packets import Connect
from rookery.errors import TimedOutError
from rookery.pytest_plugin import MqttBroker

pytest_plugins = ["pytester"]
ROOT = Path(__file__).parents[3]


def connected(broker: MqttBroker, client_id: str = "c1") -> RawClient:
    client = RawClient(broker.host, broker.port, 5)
    client.connect(Connect(client_id))
    return client


def test_a_plain_test_talks_to_a_broker(mqtt_broker: MqttBroker) -> None:
    client = connected(mqtt_broker)

    with mqtt_broker.subscribe("greetings/#") as messages:
        client.publish("greetings/hello", b"world", qos=1)
        assert messages.get().payload == b"world"

    client.subscribe("a")
    assert mqtt_broker.publish("a", "x") == 1
    assert client.receive("a").payload == b"x"


async def test_an_async_test_does_as_well(mqtt_broker: MqttBroker) -> None:
    client = await asyncio.to_thread(connected, mqtt_broker)

    with mqtt_broker.subscribe("a") as messages:
        await asyncio.to_thread(client.publish, "a", b"x")
        assert messages.get().client_id == "c1"


def test_a_message_that_does_not_come_says_so(mqtt_broker: MqttBroker) -> None:
    with (
        mqtt_broker.subscribe("a") as messages,
        pytest.raises(TimedOutError, match="no message for 'a'"),
    ):
        messages.get(timeout_s=0.01)


def test_clients_can_be_looked_at(mqtt_broker: MqttBroker) -> None:
    client = connected(mqtt_broker, "c7")
    client.subscribe("a/#")

    assert [item.client_id for item in mqtt_broker.clients()] == ["c7"]
    assert mqtt_broker.subscriptions("c7") is not None
    assert mqtt_broker.stats()["connections.count"] == 1
    assert mqtt_broker.kick("c7")
    assert mqtt_broker.client("c7") is None


@pytest.mark.mqtt_broker(config={"mqtt.max_inflight": 3})
def test_a_mark_gives_options(mqtt_broker: MqttBroker) -> None:
    assert connected(mqtt_broker).connack.properties["receive_maximum"] == 3


SUITE = """
    ports = []

    def test_own(mqtt_broker, mqtt_broker_session):
        assert mqtt_broker.port != mqtt_broker_session.port
        ports.append((mqtt_broker.port, mqtt_broker_session.port))

    def test_shared(mqtt_broker_session):
        assert mqtt_broker_session.publish("a") == 0
        assert ports[0][1] == mqtt_broker_session.port
"""


def test_it_works_in_a_suite_of_somebody_else(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(SUITE)

    result = pytester.runpytest_subprocess("-q", "-W", "error", "-p", "no:asyncio")

    result.assert_outcomes(passed=2)


def test_a_suite_may_name_it_that_finds_it_by_its_entry_point(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = "".join(f"{key}={at}\n" for key, at in project["entry-points"]["pytest11"].items())
    # As an installation leaves it behind, whichever one runs this test.
    installed = pytester.mkdir("site") / "rookery-0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: rookery\nVersion: 0\n")
    (installed / "entry_points.txt").write_text(f"[pytest11]\n{named}")
    paths = [str(installed.parent), str(ROOT / "python"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    pytester.makeconftest('pytest_plugins = ["rookery.pytest_plugin"]\n')
    pytester.makepyfile(SUITE)

    result = pytester.runpytest_subprocess("-q", "-W", "error", "-p", "no:asyncio")

    result.assert_outcomes(passed=2)


def test_a_suite_that_does_not_use_it_loads_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_nothing():\n    assert 'rookery._native' not in sys.modules\n"
    )

    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
