"""Whoever reads Chinese is told in Chinese what is wrong with a text in HOCON."""

from __future__ import annotations

import re

import pytest

from rookery.config.problems import InvalidConfigError
from rookery.config.sources import parse_text

ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,}")


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        ("a = [", "语法错误：x:1:6：此处应为值或 `]`，但已到末尾"),
        ("a = [{} }]", "此处应为逗号、换行或 `]`，实际为 `}`"),
        ("a { b", "此处应为键之后的"),
        ("a = }", "此处应为值，实际为 `}`"),
        ("a { b = 1", "但已到末尾"),
        ("}", "此处应为键或文件末尾"),
        ('a = "b', "此处开始的引号没有结束"),
        ('a = "\\q"', "不是转义序列"),
        ("a = b`c", "请用双引号括起文本"),
        ("a = ${nowhere}", "未定义，环境变量中也没有"),
        ("a = ${b}\nb = ${a}", "引用了自身"),
        ("a = [1] {b = 1}", "不能混用数组、对象和文本"),
        ("include file(1)", "此处应为`include` 之后带引号的文件名"),
        ('include required("a.conf")', "没有这个文件"),
        ("a = " + "[" * 2000, "超出限制：嵌套层数"),
    ],
)
def test_a_mistake_of_syntax_is_told_in_chinese(text: str, chinese: str) -> None:
    with pytest.raises(InvalidConfigError) as refused:
        parse_text(text, "x", "file", {})

    said = refused.value.text("zh")
    assert chinese in said
    assert not ENGLISH.search(said), said
