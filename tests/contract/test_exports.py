"""What ``import rookery`` offers is written down once, and is there."""

from __future__ import annotations

import pytest

import rookery
from rookery import engine


def test_the_package_offers_what_the_engine_offers() -> None:
    assert set(rookery.__all__) == {*engine.__all__, "RookeryError", "__version__"}


@pytest.mark.parametrize("exported", [rookery.__all__, engine.__all__], ids=["rookery", "engine"])
def test_exports_are_sorted(exported: list[str]) -> None:
    assert exported == sorted(exported)


@pytest.mark.parametrize("name", rookery.__all__)
def test_every_export_is_there(name: str) -> None:
    assert getattr(rookery, name) is not None
    assert name in dir(rookery)


def test_what_is_not_there_says_so() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Brokr'"):
        rookery.Brokr  # noqa: B018
