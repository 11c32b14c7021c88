"""The mark that says which normative statement a test proves."""

from __future__ import annotations

import pytest

V311 = "MQTT-3.1.1"
V5 = "MQTT-5.0"


def statement(version: str, *ids: str) -> pytest.MarkDecorator:
    """Mark a test as a proof of the statements ``ids`` of ``version``.

    ``tools/gen_conformance.py`` reads these marks from the source text, so both arguments
    are written as literals or as ``V311`` and ``V5``.
    """
    return pytest.mark.statement(version, *ids)
