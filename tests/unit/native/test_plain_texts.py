"""What the core says in English alone about topics and templates has Chinese words here."""

from __future__ import annotations

import pytest

import rookery
from rookery.errors import BadRequestError, BadRuleError, BusyError, UnavailableError
from rookery.native.actions import render
from rookery.native.errors import translate
from rookery.native.plain_texts_zh import in_chinese
from rookery.native.rules import Republish, RuleSpec


@pytest.mark.parametrize(
    ("template", "row", "chinese"),
    [
        ("a ${x", "{}", '占位符 "${x" 的格式应为 ${a.b[1]}'),
        ("x" * 70_000, "{}", "模板超过 65536 字节"),
        ("${x}", "[]", "该行不是 JSON 对象"),
    ],
)
def test_templates(template: str, row: str, chinese: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        render(template, row)
    assert caught.value.text("zh") == chinese


@pytest.mark.parametrize(
    ("topic_filter", "chinese"),
    [
        ("", "topic：主题为空"),
        ("a/#/b", "topic：此处不允许使用通配符 #"),
        ("a\0b", "topic：主题包含 U+0000"),
        ("a" * 70_000, "topic：主题有 70000 字节，超过 65535"),
    ],
)
async def test_topics(topic_filter: str, chinese: str) -> None:
    async with rookery.Broker() as broker:
        with pytest.raises(BadRequestError) as caught:
            await broker.publish(topic_filter)
    assert caught.value.text("zh") == chinese


async def test_outputs_of_rules() -> None:
    outputs = (Republish(topic="a/${x"),)
    async with rookery.Broker() as broker:
        with pytest.raises(BadRuleError) as caught:
            await broker.rules.put(RuleSpec("r", 'SELECT * FROM "t"', outputs=outputs))
    assert caught.value.text("zh").startswith("规则 r：republish：topic：占位符")


@pytest.mark.parametrize(
    "english",
    [
        "share name is empty or contains `/`, `+` or `#`",
        "no topic filter after the prefix",
        'rule "r": there is no action "http:a"',
        'rule "r": is there twice',
    ],
)
def test_the_rest(english: str) -> None:
    assert in_chinese(english) not in (None, english)


def test_what_nobody_knows_has_no_words() -> None:
    assert in_chinese("something else") is None


class Failed:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.message = kind


def test_busy_is_not_stopping() -> None:
    for kind in ("busy", "late"):
        busy = translate(Failed(kind))  # type: ignore[arg-type]
        assert isinstance(busy, BusyError)
        assert "请稍后重试" in busy.text("zh")
    stopping = translate(Failed("stopping"))  # type: ignore[arg-type]
    assert isinstance(stopping, UnavailableError)
    assert not isinstance(stopping, BusyError)
    assert stopping.text("zh") == "节点正在停止"
