"""A Kafka broker for the tests of this folder, and clients that see what it has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.authority import Authority
from harness.kafka import KafkaBroker, kafka_broker
from harness.kafka_records import Records


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("kafka-ca"), "Kafka CA")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[KafkaBroker]:
    """Shared by all tests: use topics of your own."""
    with kafka_broker(tmp_path_factory.mktemp("kafka"), authority.issue("localhost")) as running:
        yield running


@pytest.fixture
def records(broker: KafkaBroker) -> Records:
    return Records(broker)
