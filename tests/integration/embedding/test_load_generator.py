"""The load generator runs inside a program, against any broker."""

from __future__ import annotations

from typing import Any

import pytest

from rookery.errors import ConfigError, UnavailableError
from rookery.native.bench import BenchProgress, run_bench
from rookery.pytest_plugin import MqttBroker


def config(broker: MqttBroker, **changed: Any) -> dict[str, Any]:
    return {
        "mode": "pairs",
        "addresses": [f"{broker.host}:{broker.port}"],
        "publishers": 2,
        "qos": 1,
        "messages": 500,
        "warm_up_s": 0.0,
        **changed,
    }


def test_a_run_is_reported_and_shown_while_it_goes_on(mqtt_broker: MqttBroker) -> None:
    shown: list[BenchProgress] = []

    def show(progress: BenchProgress) -> bool:
        shown.append(progress)
        return True

    report = run_bench(config(mqtt_broker), show)

    assert report
    assert mqtt_broker.metrics()["messages.qos1.received"] >= 500
    assert {item.phase for item in shown} <= {"set_up", "warm_up", "measure", "drain"}


def test_the_caller_can_end_a_run(mqtt_broker: MqttBroker) -> None:
    forever = config(mqtt_broker, messages=0, duration_s=3600.0)

    assert run_bench(forever, lambda progress: progress.phase == "set_up")


def test_an_exception_of_the_caller_ends_a_run(mqtt_broker: MqttBroker) -> None:
    def fail(_progress: BenchProgress) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_bench(config(mqtt_broker, messages=0, duration_s=3600.0), fail)


def test_a_wrong_configuration_is_named(mqtt_broker: MqttBroker) -> None:
    with pytest.raises(ConfigError, match="publishrs"):
        run_bench(config(mqtt_broker, publishrs=1), lambda _: True)


def test_a_broker_that_is_not_there_is_named(mqtt_broker: MqttBroker) -> None:
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1"):
        run_bench(config(mqtt_broker, addresses=["127.0.0.1:1"]), lambda _: True)
