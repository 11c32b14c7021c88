"""What an e-mail address looks like."""

from __future__ import annotations

import re

from rookery.control.accounts import texts
from rookery.control.errors import InvalidError

LENGTH_MAX = 254
# Whether it is anybody's only a message to it shows.
_FORM = re.compile(
    r"[^\s@\x00-\x20\x7f<>\"(),;:\\\[\]]{1,64}@[^\s@\x00-\x20\x7f<>\"(),;:\\\[\]]{1,253}"
)


def checked_email(text: str) -> str:
    """The address in lower case, as it is kept and looked up.

    Raises:
        InvalidError: it is none.
    """
    email = text.strip().lower()
    if len(email) > LENGTH_MAX or not _FORM.fullmatch(email):
        raise InvalidError(texts.BAD_EMAIL, email=email[:LENGTH_MAX])
    return email
