"""The cheap data classes behave like the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest

from rookery.native.config import (
    BrokerConfig,
    LimitsConfig,
    ListenerConfig,
    RewriteRule,
    ZoneConfig,
)
from rookery.native.plain import dataclass


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """One."""

    a: int
    b: str = "x"
    c: list[int] = dataclasses.field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The same."""

    a: int
    b: str = "x"
    c: list[int] = dataclasses.field(default_factory=list)


make: Any = Plain


def test_it_is_made_and_shown_alike() -> None:
    assert repr(make(a=1)).replace("Plain", "Standard") == repr(Standard(a=1))
    assert dataclasses.asdict(make(a=1, b="y")) == dataclasses.asdict(Standard(a=1, b="y"))
    assert [f.name for f in dataclasses.fields(make)] == ["a", "b", "c"]
    assert make(a=1).c is not make(a=1).c


@pytest.mark.parametrize("arguments", [{}, {"b": "x"}, {"a": 1, "d": 2}])
def test_missing_and_unknown_fields_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Standard(**arguments)
    with pytest.raises(TypeError):
        make(**arguments)


def test_fields_are_given_by_name_only() -> None:
    with pytest.raises(TypeError):
        make(1)


def test_it_cannot_be_changed() -> None:
    one = make(a=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.a = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del one.a
    with pytest.raises(AttributeError):
        one.new = 2
    assert not hasattr(one, "__dict__")


def test_the_configuration_compares_hashes_copies_and_is_replaced_by_value() -> None:
    config = BrokerConfig(limits=LimitsConfig(sessions=5))
    assert config == BrokerConfig(limits=LimitsConfig(sessions=5)) != BrokerConfig()
    assert hash(config) == hash(BrokerConfig(limits=LimitsConfig(sessions=5)))
    others: list[object] = [ZoneConfig(), ListenerConfig()]
    assert others[0] != others[1]
    for again in (copy.copy(config), copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert again == config
        assert again is not config
    changed = dataclasses.replace(config, node_name="n@h")
    assert (changed.node_name, changed.limits) == ("n@h", config.limits)
    with pytest.raises(TypeError, match="action"):
        RewriteRule(source_topic="a", re="b", dest_topic="c")  # type: ignore[call-arg]
