"""Cookies of a cluster's pages, for one visit: control keeps them in the browser's place (RFC 6265, 5.2 to 5.4).

A browser keeps cookies by host, so those of one cluster would go to the pages of every other one, and to the
console. Here each visit has its own, no script reads them, and they end with the visit.

**Bounds.** :data:`COOKIES_MAX` cookies and :data:`CHARS_MAX` characters of names and values; the oldest give way.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Iterable
from email.utils import parsedate_to_datetime

COOKIES_MAX = 50
COOKIE_CHARS_MAX = 4096
CHARS_MAX = 6000
PATH_CHARS_MAX = 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Cookie:
    """One of them.

    Attributes:
        name: Printable ASCII but ``;`` and ``=``.
        value: Printable ASCII but ``;``.
        path: Below which path it is sent.
        until_ms: When it ends; none: with the visit.
    """

    name: str
    value: str
    path: str
    until_ms: int | None = None

    def is_for(self, path: str) -> bool:
        """Whether a request for that path carries it (RFC 6265, 5.1.4)."""
        below = self.path if self.path.endswith("/") else f"{self.path}/"
        return path == self.path or path.startswith(below)


@dataclasses.dataclass(frozen=True, slots=True)
class Jar:
    """Those of one visit, the newest last."""

    cookies: tuple[Cookie, ...] = ()

    def header(self, path: str, now_ms: int) -> str:
        """What a request for a path says; empty: nothing."""
        carried = [cookie for cookie in _living(self.cookies, now_ms) if cookie.is_for(path)]
        # Longer paths first; of the same length in the order in which they came.
        carried.sort(key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in carried)

    def after(self, said: Iterable[str], path: str, now_ms: int) -> Jar:
        """The same when an answer for a path has set some."""
        kept = {(cookie.name, cookie.path): cookie for cookie in _living(self.cookies, now_ms)}
        for text in said:
            cookie = _cookie(text, path, now_ms)
            if cookie is None:
                continue
            known = kept.get((cookie.name, cookie.path))
            if cookie == known:
                continue
            kept.pop((cookie.name, cookie.path), None)
            kept[cookie.name, cookie.path] = cookie
        return Jar(_bounded(_living(kept.values(), now_ms)))

    def to_text(self) -> str:
        """As it is kept."""
        return json.dumps([dataclasses.astuple(cookie) for cookie in self.cookies])

    @classmethod
    def from_text(cls, text: str) -> Jar:
        """What :meth:`to_text` made."""
        return cls(tuple(Cookie(*fields) for fields in json.loads(text)))


def _living(cookies: Iterable[Cookie], now_ms: int) -> list[Cookie]:
    return [cookie for cookie in cookies if cookie.until_ms is None or cookie.until_ms > now_ms]


def _bounded(cookies: list[Cookie]) -> tuple[Cookie, ...]:
    kept: list[Cookie] = []
    room = CHARS_MAX
    for cookie in reversed(cookies[-COOKIES_MAX:]):
        # With what stands between two of them.
        room -= len(cookie.name) + len(cookie.value) + 3
        if room < 0:
            break
        kept.append(cookie)
    return tuple(reversed(kept))


def _cookie(text: str, path: str, now_ms: int) -> Cookie | None:
    """What ``Set-Cookie`` says; none when it is to be ignored. Whose it is follows from the visit."""
    pair, *rest = text.split(";")
    name, is_one, value = pair.partition("=")
    name, value = name.strip(), value.strip()
    fits = len(name) + len(value) <= COOKIE_CHARS_MAX
    if not is_one or not name or not fits or not (text.isascii() and text.isprintable()):
        return None
    said = {}
    for attribute in rest:
        key, _, given = attribute.partition("=")
        said[key.strip().lower()] = given.strip()
    where = said.get("path", "")
    if not where.startswith("/"):
        where = path[: path.rfind("/")] or "/"
    return Cookie(name, value, where[:PATH_CHARS_MAX], _until_ms(said, now_ms))


def _until_ms(said: dict[str, str], now_ms: int) -> int | None:
    age = said.get("max-age", "")
    if age.removeprefix("-").isdecimal() and age.isascii():
        return now_ms if age.startswith("-") else now_ms + int(age[:10]) * 1000
    try:
        moment = parsedate_to_datetime(said["expires"])
    except (KeyError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return int(moment.timestamp() * 1000)
