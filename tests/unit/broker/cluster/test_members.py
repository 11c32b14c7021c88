"""Lists of members come out the same on all nodes, whatever was heard in which order."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from rookery.broker.cluster.members import ENTRIES_MAX, Member, Members

NAMES = ("a@10.0.0.1", "b@10.0.0.2", "c@10.0.0.3")

entries = some.builds(
    Member,
    name=some.sampled_from(NAMES),
    node_id=some.sampled_from(("1", "2")),
    address=some.sampled_from(("x:1", "y:2")),
    epoch=some.integers(1, 3),
    has_left=some.booleans(),
    since_ms=some.integers(0, 2),
)
lists = some.builds(Members, some.lists(entries, max_size=4))
# Other tests may have the machine meanwhile.
patiently = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patiently
@given(lists, lists, lists)
def test_lists_come_out_the_same_however_they_are_put_together(
    a: Members, b: Members, c: Members
) -> None:
    orders = itertools.permutations((a, b, c))
    results = {one.merged(two).merged(three).digest for one, two, three in orders}

    assert len(results) == 1
    assert a.merged(b).merged(b) == a.merged(b)
    assert a.merged(b.merged(c)) == a.merged(b).merged(c)


@patiently
@given(lists)
def test_a_list_survives_a_file(a: Members) -> None:
    assert Members.from_plain(a.to_plain()) == a


def test_who_left_comes_back_only_by_joining_again() -> None:
    both = Members().with_member("a", "1", "x:1", 1).with_member("b", "2", "y:2", 1)
    gone = both.without("b", 2)

    assert [member.name for member in gone.merged(both).present()] == ["a"]
    again = gone.with_member("b", "3", "y:2", 3)
    assert again.merged(gone).merged(both).get("b") == again.get("b")


def test_those_who_left_longest_ago_are_forgotten_first() -> None:
    members = Members(
        Member(name=f"n{number}", node_id="1", address="x:1", has_left=True, since_ms=number)
        for number in range(ENTRIES_MAX)
    )
    members = members.with_member("new", "1", "x:1", 0)

    assert members.entry("n0") is None
    assert members.entry("n1") is not None
    assert members.get("new") is not None


@pytest.mark.parametrize("plain", [{}, [1], [{"name": "a"}], [{"name": 1}]])
def test_something_else_is_no_list(plain: object) -> None:
    with pytest.raises(ValueError, match="member"):
        Members.from_plain(plain)
