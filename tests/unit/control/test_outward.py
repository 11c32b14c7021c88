"""What is trusted of servers that control calls."""

from __future__ import annotations

import pytest

from rookery.control.errors import InvalidError
from rookery.control.outward import context_with


@pytest.mark.parametrize("text", ["none", "-----BEGIN CERTIFICATE-----", "\u8bc1\u4e66", "\x00"])
def test_what_is_no_authority_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InvalidError, match="no certificate in PEM form"):
        context_with(text)
