"""How trees of values merge, and that each value keeps its origin."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rookery.config.tree import Origin, as_list, join_path, leaves, merge, split_path, wrap

LOW = Origin("file", "low.conf", 1)
HIGH = Origin("env", "ROOKERY_X__Y")

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("abc", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner)
    ),
    max_leaves=12,
)


def merged(low: Any, high: Any) -> Any:
    return merge(wrap(low, LOW), wrap(high, HIGH)).plain()


@pytest.mark.parametrize(
    ("low", "high", "result"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": [1, 2]}, {"a": {"1": 9}}, {"a": [9, 2]}),
        ({"a": [{"x": 1, "y": 1}]}, {"a": {"1": {"x": 2}}}, {"a": [{"x": 2, "y": 1}]}),
        ({"a": [1]}, {"a": {"2": 2}}, {"a": [1, 2]}),
        ({"a": [1]}, {"a": {"x": 2}}, {"a": {"x": 2}}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": 5}),
        ({"a": {"x": 1}}, {"a": None}, {"a": None}),
    ],
)
def test_what_stands_above_wins(low: Any, high: Any, result: Any) -> None:
    assert merged(low, high) == result


@given(plain, plain)
def test_merging_never_changes_its_parts(low: Any, high: Any) -> None:
    below, above = wrap(low, LOW), wrap(high, HIGH)
    merge(below, above)
    assert below.plain() == wrap(low, LOW).plain()
    assert above.plain() == wrap(high, HIGH).plain()


@given(st.dictionaries(st.text("abc", min_size=1), st.integers()), plain)
def test_every_leaf_comes_from_one_of_the_parts(low: Any, high: Any) -> None:
    for _, node in leaves(merge(wrap(low, LOW), wrap(high, HIGH))):
        assert node.origin in (LOW, HIGH)


@given(plain, plain, plain)
def test_the_topmost_of_three_wins_however_they_are_grouped(a: Any, b: Any, c: Any) -> None:
    lowest, middle, top = ({"k": {"x": item}} for item in (a, b, c))
    left = merge(merge(wrap(lowest, LOW), wrap(middle, LOW)), wrap(top, HIGH)).plain()
    for path, node in leaves(wrap(top, HIGH)):
        found: Any = left
        for key in path:
            found = found[key] if isinstance(found, dict) else found
        if not isinstance(node.value, dict) and not isinstance(found, (dict, list)):
            assert found == node.plain()


def test_a_list_may_be_written_by_index() -> None:
    node = wrap({"2": "b", "1": "a"}, LOW)
    items = as_list(node)
    assert items is not None
    assert [item.plain() for item in items] == ["a", "b"]
    assert as_list(wrap({"1": "a", "3": "c"}, LOW)) is None
    assert as_list(wrap({"x": "a"}, LOW)) is None


@given(st.lists(st.text("ab.\u4e2d ", min_size=1).filter(lambda t: t == t.strip()), min_size=1))
def test_a_path_splits_into_the_keys_it_was_joined_from(keys: list[str]) -> None:
    assert split_path(join_path(tuple(keys))) == keys


@pytest.mark.parametrize("text", ["", "a..b", ".a", "a.", 'a."b'])
def test_what_is_not_a_path(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        split_path(text)


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (Origin("default"), "default"),
        (Origin("file", "/etc/r.conf", 12), "/etc/r.conf:12"),
        (Origin("runtime", "/d/configs/cluster.hocon", 3), "/d/configs/cluster.hocon:3"),
        (Origin("env", "ROOKERY_A__B"), "env ROOKERY_A__B"),
        (Origin("set"), "--set"),
    ],
)
def test_how_an_origin_is_written(origin: Origin, text: str) -> None:
    assert str(origin) == text
