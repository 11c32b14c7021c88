"""A page is asked for with numbers in range."""

from __future__ import annotations

import pytest

from rookery.errors import BadRequestError
from rookery.web.paging import LIMIT_DEFAULT, PageRequest, page


def test_without_numbers_it_is_the_first_page() -> None:
    assert PageRequest.parse({}) == PageRequest(0, LIMIT_DEFAULT)


def test_numbers_are_taken() -> None:
    assert PageRequest.parse({"cursor": str(2**64 - 1), "limit": "7"}) == (2**64 - 1, 7)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "10001"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": ""},
        {"limit": "1" * 30},
        {"cursor": str(2**64)},
        {"cursor": "٣"},
    ],
)
def test_what_is_no_number_in_range_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(BadRequestError):
        PageRequest.parse(query)


def test_the_last_page_has_no_cursor() -> None:
    assert page([{"a": 1}], None) == {"data": [{"a": 1}], "meta": {"count": 1, "cursor": None}}
