"""What is wrong with SQL can be read in both languages, and told apart by programs."""

from __future__ import annotations

import json
import pickle
from string import Formatter

import pytest

from rookery import _native
from rookery.errors import BadRuleError, NoMatchError
from rookery.native import rules
from rookery.native.rule_texts import CHINESE, REASONS_ZH

AS_THEY_COME = {"regex_wrong", "absent_because"}
ENGLISH = dict(_native.rule_messages())


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(ENGLISH.keys() - AS_THEY_COME))
def test_a_message_is_there_in_both_languages(key: str) -> None:
    assert key in CHINESE
    assert values_in(CHINESE[key]) == values_in(ENGLISH[key])


def test_no_text_is_left_that_nothing_says() -> None:
    assert CHINESE.keys() <= ENGLISH.keys()


def test_every_reason_why_a_function_is_absent_or_different_is_there_in_chinese() -> None:
    reasons = {function.reason for function in rules.functions() if function.reason}

    assert reasons == REASONS_ZH.keys()


@pytest.mark.parametrize(
    ("sql", "key", "english", "chinese"),
    [
        (
            'SELECT *\n FORM "t"',
            "unexpected",
            'line 2, column 2: expected "," or FROM, found "FORM"',
            '第 2 行第 2 列：此处应为 "," 或 FROM，实际为 "FORM"',
        ),
        (
            'SELECT uper(topic) FROM "t"',
            "no_function",
            "line 1, column 8: there is no function uper (did you mean upper?)",
            "第 1 行第 8 列：没有函数 uper（是否想写 upper？）",
        ),
        (
            'SELECT abs() FROM "t"',
            "arguments",
            "line 1, column 8: abs takes 1 arguments, not 0",
            "第 1 行第 8 列：abs 需要 1 个参数，实际为 0 个",
        ),
        (
            'SELECT * FROM "a/#/b"',
            "no_topic_filter",
            "line 1, column 15: no topic filter: wildcard `#` is not allowed there",
            "第 1 行第 15 列：不是主题过滤器：此处不允许通配符 `#`",
        ),
        (
            "SELECT jq('.', payload) FROM \"t\"",
            "function_absent",
            None,
            (
                "第 1 行第 8 列：函数 jq 不可用（jq 程序可能无休止运行且无法由其文本限制；FOREACH、路径以及映射"
                "和数组函数是有界的）"
            ),
        ),
    ],
)
def test_wrong_sql_is_told_in_the_language_of_the_reader(
    sql: str, key: str, english: str | None, chinese: str
) -> None:
    with pytest.raises(BadRuleError) as caught:
        rules.compile_rule(sql)

    error = caught.value
    assert error.message_key == key
    assert english is None or error.text() == str(error) == english
    assert error.text("zh") == chinese
    again = pickle.loads(pickle.dumps(error))
    assert (again.text("zh"), again.message_key) == (chinese, key)
    assert again.message_params == error.message_params != {}


def test_a_rule_that_fails_says_so_in_both_languages() -> None:
    with pytest.raises(BadRuleError) as caught:
        rules.test_rule('SELECT strlen(1) AS x FROM "#"', "{}", has_variables=False)

    assert caught.value.text() == "strlen: argument 1 is integer, not a string"
    assert caught.value.text("zh") == "strlen：第 1 个参数是整数，应为字符串"
    assert caught.value.message_params == {
        "function": "strlen",
        "what": "argument 1 is integer, not a string",
    }


def test_a_trial_that_takes_nothing_says_so_in_both_languages() -> None:
    with pytest.raises(NoMatchError) as caught:
        rules.test_rule('SELECT * FROM "a"', json.dumps({"topic": "b"}), has_variables=False)

    assert caught.value.text() == "the rule takes nothing of it" == ENGLISH["no_match"]
    assert caught.value.text("zh") == CHINESE["no_match"]
