"""What is wrong with a regular expression, in Chinese, whoever compiled it."""

from __future__ import annotations

import re

import pytest

from rookery.errors import BadRuleError
from rookery.native.patterns import why_no_regex
from rookery.native.regex_texts_zh import in_chinese
from rookery.native.rules import compile_rule

ENGLISH = re.compile(r"[A-Za-z]{3,}")
WRONG = [
    "(", ")", "[", "[z-a]", "[a-\\d]", "a{2,1}", "a{", "a{x}", "*", "a**(", "(?<n>a)(?<n>b)", "(?<>a)", "(?<1>a)",
    "(?<n", "\\", "\\q", "\\xZZ", "\\x{110000}", "\\x{}", "(?-)", "(?ii)", "(?i--s)", "(?i", "(?y)", "(a)\\1", "(?=a)",
    "\\p{Nothing}", "\\pX", "\\b{x}", "\\b{start", "(a{1000}){1000}",
]  # fmt: skip


@pytest.mark.parametrize("pattern", WRONG)
def test_the_core_and_python_say_it_in_chinese(pattern: str) -> None:
    said = []
    if (found := why_no_regex(pattern)) is not None:
        said.append(found)
    try:
        re.compile(pattern)
    except (re.error, OverflowError) as error:
        said.append(str(error))
    assert said
    for text in said:
        # Names of what may be written stay.
        shown = re.sub(r"Unicode|start-half|end-half|start|end|: or", "", in_chinese(text))
        assert not ENGLISH.search(shown), text


def test_a_rule_says_it_too() -> None:
    with pytest.raises(BadRuleError) as caught:
        compile_rule("SELECT regex_match(topic, '(') AS m FROM \"t\"")
    assert caught.value.text("zh") == "第 1 行第 27 列：不是正则表达式：分组没有闭合"
