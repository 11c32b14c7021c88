"""Whether enough nodes run."""

from __future__ import annotations

import pytest

from rookery.broker.cluster.quorum import Quorum


@pytest.mark.parametrize(
    ("members", "running", "has"),
    [
        ("ab", "ab", True),
        ("ab", "a", False),
        ("abc", "ab", True),
        ("abc", "a", False),
        ("abcd", "ab", False),
        ("abcd", "abc", True),
        ("abcde", "abc", True),
    ],
)
def test_more_than_half_have_to_run(members: str, running: str, has: bool) -> None:
    assert Quorum.of(members, running, is_connected=True).has is has


def test_who_hears_nobody_has_none() -> None:
    assert not Quorum.of("abc", "abc", is_connected=False).has


def test_who_is_no_member_does_not_count() -> None:
    found = Quorum.of("abc", "axyz", is_connected=True)
    assert (found.members, found.running, found.needed, found.has) == (3, 1, 2, False)
