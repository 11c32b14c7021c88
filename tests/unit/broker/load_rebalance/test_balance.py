"""Which nodes have too many clients."""

from __future__ import annotations

import pytest

from rookery.broker.load_rebalance.balance import Balance
from rookery.broker.load_rebalance.order import Order


def test_who_has_more_than_the_average_gives_and_the_others_take() -> None:
    balance = Balance.of({"a": 900, "b": 30, "c": 0})

    assert dict(balance.donors) == {"a": 900}
    assert dict(balance.recipients) == {"b": 30, "c": 0}
    assert balance.goal == 310
    assert balance.recipient_average == 15


@pytest.mark.parametrize(
    ("counts", "absolute", "relative", "is_needed"),
    [
        ({"a": 0, "b": 0}, 1, 1.1, False),
        ({"a": 10, "b": 10}, 1, 1.1, False),
        ({"a": 11, "b": 10}, 1, 1.1, True),
        ({"a": 11, "b": 10}, 2, 1.1, False),
        ({"a": 2000, "b": 1900}, 10, 1.1, False),
        ({"a": 2100, "b": 1900}, 10, 1.1, True),
        ({"a": 5, "b": 0}, 5, 1.1, True),
    ],
)
def test_both_thresholds_have_to_be_reached(
    counts: dict[str, int], absolute: int, relative: float, is_needed: bool
) -> None:
    assert Balance.of(counts).needs(absolute, relative) is is_needed


def test_an_order_of_another_version_is_taken_as_far_as_it_is_known() -> None:
    order = Order(conn_evict_rate=7, redirect_to="a:1")
    assert Order.from_plain(order.to_plain() | {"later": 1}) == order


@pytest.mark.parametrize(
    "plain",
    [None, [], {"conn_evict_rate": 0}, {"process": "x"}, {"goal": -1}, {"conn_evict_rate": "a"}],
)
def test_what_is_no_order_is_refused(plain: object) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Order.from_plain(plain)
