"""In which language a test sees the pages."""

from __future__ import annotations

import os
from zlib import crc32

import pytest

LANGUAGES = ("en", "zh")
IN_ALL = "every_language"
EVERYTHING = os.environ.get("ROOKERY_E2E_LANGUAGES") == "all"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{IN_ALL}: looks at the pages in each language")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test in one of the languages, half of them in each; all in both when asked to.

    What differs between the languages is texts, which unit tests compare, and their widths, which
    the tests marked with ``every_language`` look at on every page. Tests that are one story, told by
    a ``language`` of their module, have it for all of them.
    """
    for fixture, name in (
        ("language", metafunc.module.__name__),
        ("signed_in", metafunc.definition.originalname),
    ):
        if fixture in metafunc.fixturenames:
            is_in_all = EVERYTHING or metafunc.definition.get_closest_marker(IN_ALL) is not None
            languages = LANGUAGES if is_in_all else (LANGUAGES[crc32(name.encode()) % 2],)
            metafunc.parametrize(fixture, languages, indirect=True, scope="module")
            return
