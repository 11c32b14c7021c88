"""From passwords to what is stored: RFC 5802 section 3, and SASLprep (RFC 4013)."""

from __future__ import annotations

import hashlib
import hmac
import stringprep
import unicodedata
from typing import NamedTuple

from rookery.access.errors import AccessError, Words
from rookery.access.users.models import ScramAlgorithm

ITERATIONS_MIN = 4096  # RFC 7677 section 4

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)
_BAD_TEXT = Words(
    "a name or password with characters that SASLprep does not allow",
    "名称或密码包含 SASLprep 不允许的字符",
)


class ScramKeys(NamedTuple):
    """``StoredKey`` and ``ServerKey``."""

    stored_key: bytes
    server_key: bytes


def prepare(text: str) -> str:
    """SASLprep.

    Raises:
        AccessError: the text holds what may not be in it.
    """
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    prepared = unicodedata.normalize("NFKC", mapped)
    if any(table(character) for character in prepared for table in _PROHIBITED):
        raise AccessError(_BAD_TEXT)
    if any(stringprep.in_table_d1(character) for character in prepared):
        # RFC 3454 section 6: text from right to left begins and ends so, and holds nothing else.
        is_mixed = any(stringprep.in_table_d2(character) for character in prepared)
        if is_mixed or not all(stringprep.in_table_d1(prepared[end]) for end in (0, -1)):
            raise AccessError(_BAD_TEXT)
    return prepared


def derive(algorithm: ScramAlgorithm, password: str, salt: bytes, iterations: int) -> ScramKeys:
    """What is stored for a password. Takes milliseconds of a core on purpose.

    Raises:
        AccessError: the password cannot be prepared.
    """
    salted = hashlib.pbkdf2_hmac(algorithm, prepare(password).encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", algorithm)
    return ScramKeys(
        hashlib.new(algorithm, client_key).digest(), hmac.digest(salted, b"Server Key", algorithm)
    )
