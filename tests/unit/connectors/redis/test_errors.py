"""What people read about errors of Redis."""

from __future__ import annotations

from redis.exceptions import AuthenticationError

from rookery.connectors.redis.errors import words_of


def test_a_password_that_is_missing_is_told_without_words_about_the_protocol() -> None:
    said = "HELLO must be called with the client already authenticated, otherwise the HELLO AUTH"
    assert words_of(AuthenticationError(said)).en == "Redis wants a password"
    wrong = words_of(AuthenticationError("WRONGPASS invalid username-password pair"))
    assert wrong.en.startswith("Redis refuses username or password: ")
