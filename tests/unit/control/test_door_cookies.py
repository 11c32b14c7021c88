"""Cookies of a cluster's pages, which control keeps in the browser's place."""

from __future__ import annotations

import pytest

from rookery.control.doors.jar import CHARS_MAX, COOKIES_MAX, Jar

NOW_MS = 1_800_000_000_000
EARLIER = "Wed, 21 Oct 2015 07:28:00 GMT"
LATER = "Fri, 01 Jan 2100 00:00:00 GMT"


def sent(said: list[str], asked: str, path: str = "/app/sign-in") -> str:
    """What a request carries after one answer."""
    return Jar().after(said, path, NOW_MS).header(asked, NOW_MS)


@pytest.mark.parametrize(
    ("said", "asked", "carried"),
    [
        (["a=1"], "/app/x", "a=1"),
        (["a=1"], "/application", ""),
        (["a=1"], "/", ""),
        (["a=1; Path=/"], "/", "a=1"),
        (["a=1; path=/api/"], "/api/v5", "a=1"),
        (["a=1; Path=/api"], "/api", "a=1"),
        (["a=1; Path=/api"], "/apis", ""),
        (["a=1; Path=elsewhere"], "/app", "a=1"),
        (["a=1; Path=/", "b=2; Path=/app"], "/app/x", "b=2; a=1"),
        (["a=1; Path=/", "a=2; Path=/"], "/", "a=2"),
        (["a=1; Path=/", "a=; Path=/; Max-Age=0"], "/", ""),
        (["a=1; Path=/; Max-Age=-1"], "/", ""),
        (["a=1; Path=/; Max-Age=60"], "/", "a=1"),
        (["a=1; Path=/; Max-Age=60; Expires=" + EARLIER], "/", "a=1"),
        (["a=1; Path=/; Expires=" + EARLIER], "/", ""),
        (["a=1; Path=/; Expires=" + LATER], "/", "a=1"),
        (["a=1; Path=/; Expires=never"], "/", "a=1"),
        (["a=1; Path=/; Domain=other.example.com; Secure; HttpOnly; SameSite=None"], "/", "a=1"),
        (['a="x=y, z"; Path=/'], "/", 'a="x=y, z"'),
        (["a=; Path=/"], "/", "a="),
        (["=1; Path=/", "a; Path=/", "", ";", "a=1\x00; Path=/"], "/", ""),
        (["a=1\r\nx-evil: 1; Path=/"], "/", ""),
        ([f"a={'x' * 5000}; Path=/"], "/", ""),
        (["a=1; Path=/; Max-Age=" + "9" * 30], "/", "a=1"),
    ],
)
def test_a_request_carries_what_is_for_its_path(said: list[str], asked: str, carried: str) -> None:
    assert sent(said, asked) == carried


def test_a_cookie_ends_at_its_time() -> None:
    jar = Jar().after(["a=1; Path=/; Max-Age=60"], "/", NOW_MS)
    assert jar.header("/", NOW_MS + 59_999) == "a=1"
    assert jar.header("/", NOW_MS + 60_000) == ""


def test_the_oldest_give_way() -> None:
    many = [f"c{number}=1; Path=/" for number in range(COOKIES_MAX + 5)]
    carried = sent(many, "/").split("; ")
    assert carried == [f"c{number}=1" for number in range(5, COOKIES_MAX + 5)]
    large = [f"c{number}={'x' * 1000}; Path=/" for number in range(10)]
    assert 1000 < len(sent(large, "/")) <= CHARS_MAX
    assert sent(large, "/").endswith("c9=" + "x" * 1000)


def test_what_is_kept_is_read_again() -> None:
    jar = Jar().after(['a="1"; Path=/', "b=2; Max-Age=60"], "/x/y", NOW_MS)
    assert Jar.from_text(jar.to_text()) == jar
    assert jar.after(['a="1"; Path=/'], "/", NOW_MS) == jar
