"""What people read about errors of Redis."""

from __future__ import annotations

import builtins

import pytest
from redis.exceptions import AuthenticationError, ConnectionError, ResponseError, TimeoutError

from rookery.access.databases.redis_errors import words_of

TimeoutError_ = builtins.TimeoutError


def test_a_password_that_is_missing_is_told_without_words_about_the_protocol() -> None:
    said = "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH"
    assert "wants a password: set password" in words_of(AuthenticationError(said), "h:1").en
    wrong = words_of(AuthenticationError("WRONGPASS invalid username-password pair"), "h:1")
    assert wrong.en.startswith("Redis at h:1 refuses username or password: check both")


def behind(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ResponseError("DB index is out of range"), "check database"),
        (TimeoutError("Timeout reading from h:1"), "does not answer in time"),
        (behind(ConnectionError("Error 111"), ConnectionRefusedError(111, "x")), "service runs"),
        (behind(TimeoutError("Timeout connecting to server"), TimeoutError_()), "firewalls"),
        (ConnectionError("Connection closed by server."), "Connection closed by server."),
    ],
)
def test_it_is_said_where_it_is_and_what_to_look_at(error: Exception, says: str) -> None:
    words = words_of(error, "h:1")
    assert "h:1" in words.en
    assert "h:1" in words.zh
    assert says in words.en
    assert "Errno" not in words.en
