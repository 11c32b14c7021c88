"""What a user of the dashboard may choose as password. EMQX's rule."""

from __future__ import annotations

from rookery.errors import BadRequestError

LENGTH_MIN = 8
LENGTH_MAX = 64


def check_password(password: str) -> None:
    """Refuse what is too easy to guess, or too long to type.

    Raises:
        BadRequestError: says what is wrong, not what was typed.
    """
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise BadRequestError(f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters")
    kinds = {_kind(character) for character in password}
    if len(kinds) < 2:
        raise BadRequestError(
            "a password mixes at least two of letters, digits and other characters"
        )


def _kind(character: str) -> str:
    if character.isdigit():
        return "digit"
    return "letter" if character.isalpha() else "other"
