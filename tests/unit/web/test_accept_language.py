"""What is made of the languages that a request names."""

from __future__ import annotations

import pytest

from rookery.web.accept_language import language_asked

# fmt: off
ASKED = [
    (None, "en"), ("", "en"), ("zh", "zh"), ("ZH-Hans-CN", "zh"), ("en-US,en;q=0.9", "en"),
    # What browsers send, with the better one anywhere.
    ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en;q=0.3, zh;q=0.7", "zh"), ("zh;q=0.2,en", "en"),
    ("fr-FR,fr;q=0.9,zh;q=0.5", "zh"), ("fr, de;q=0.5", "en"),
    ("en;q=0.5,zh;q=0.5", "en"), ("zh;q=0.5,en;q=0.5", "zh"),
    # Not at all; and all the others.
    ("zh;q=0", "en"), ("zh;q=0.0, en;q=0.1", "en"), ("*", "en"), ("*, zh;q=0.5", "en"),
    ("zh, *;q=0.1", "zh"), ("en;q=0, zh;q=0.1, *", "zh"),
    # A weight of one language is the best of its parts.
    ("zh;q=0.1, en;q=0.5, zh-CN;q=0.9", "zh"),
    # What means nothing is left out, not the rest.
    ("zhx", "en"), ("zh_CN", "en"), ("zh;q=2, en;q=0.1", "en"), ("zh;q=high", "en"),
    (";;;,zh", "zh"), ("zh ; q=0.8 , en ; q=0.2", "zh"), ("zh;Q=1.000", "zh"),
    (",".join(["x"] * 5_000 + ["zh"]), "en"),
]
# fmt: on


@pytest.mark.parametrize(("header", "language"), ASKED)
def test_the_greatest_weight_decides(header: str | None, language: str) -> None:
    assert language_asked(header) == language
