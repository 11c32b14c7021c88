"""Errors of access control, each in English and Chinese.

BadRequestError
└── AccessError
    ├── AclSyntaxError       (rookery.access.acl_file)
    ├── SettingError         a provider or source cannot work with these settings
    └── ImportError_         a file of users, rules or bans has a bad line
UnavailableError
└── BackendError             a service or database did not answer as it should
"""

from __future__ import annotations

from rookery.errors import BadRequestError, UnavailableError
from rookery.words import Words

__all__ = [
    "AccessError",
    "BackendError",
    "ImportFileError",
    "SettingError",
    "Words",
]


class AccessError(BadRequestError):
    """What an operator wrote cannot be used; :attr:`words` says why in both languages."""

    code = "BAD_REQUEST"

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words

    def text(self, language: str = "en") -> str:
        return self.words.text(language)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.words,)


class SettingError(AccessError):
    """A provider or source cannot work with these settings on this machine."""

    code = "BAD_CONFIG"


class ImportFileError(AccessError):
    """A file of users, rules or bans has a line that means nothing; nothing was taken from it."""


class BackendError(UnavailableError):
    """A service or database did not answer, or not in a way that means something."""
