"""What the validator of models says of a value, in Chinese: by the kinds of its errors.

In English its own words stand but for those that only who knows the library understands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEXTS: Mapping[str, str] = {
    "missing": "缺少必填项",
    "extra_forbidden": "未知的字段",
    "json_invalid": "请求体不是有效的 JSON",
    "model_attributes_type": "应为对象",
    "model_type": "应为对象",
    "dict_type": "应为对象",
    "list_type": "应为数组",
    "tuple_type": "应为数组",
    "path_type": "应为路径",
    "too_long": "最多 {max_length} 项",
    "too_short": "至少 {min_length} 项",
    "string_type": "应为字符串",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "string_pattern_mismatch": "格式不正确",
    "string_unicode": "不是有效的 Unicode 文本",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "int_parsing_size": "数值过大",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than_equal": "不得小于 {ge}",
    "greater_than": "须大于 {gt}",
    "less_than_equal": "不得大于 {le}",
    "less_than": "须小于 {lt}",
    "literal_error": "应为 {expected} 之一",
    "enum": "应为 {expected} 之一",
    "union_tag_invalid": "{discriminator} 应为 {expected_tags} 之一",
    "union_tag_not_found": "缺少 {discriminator}",
    "rule_output": "应为动作 ID，或 function 为 republish 或 console 的对象",
    "none_required": "应为空",
    "datetime_type": "应为日期时间",
    "datetime_parsing": "应为日期时间",
    "datetime_from_date_parsing": "应为日期时间",
    "timezone_aware": "日期时间须带时区",
}


def english_of(item: Mapping[str, Any]) -> str:
    """One problem in English, without the value."""
    context = item.get("ctx", {})
    name = str(context.get("discriminator", "")).strip("'")
    if item["type"] == "union_tag_invalid":
        return f"{name} is one of {context['expected_tags']}"
    if item["type"] == "union_tag_not_found":
        return f"{name} is missing"
    return str(item["msg"]).removeprefix("Value error, ")


def text_of(item: Mapping[str, Any]) -> str:
    """One problem; the validator's own words for a kind that has none here."""
    template = _TEXTS.get(item["type"])
    if template is None:
        return str(item["msg"]).removeprefix("Value error, ")
    context = item.get("ctx", {})
    expected = str(context.get("expected", "")).replace(" or ", "、").replace(", ", "、")
    text = template.format_map(
        {
            **context,
            "expected": expected,
            "expected_tags": str(context.get("expected_tags", "")).replace(", ", "、"),
            "discriminator": str(context.get("discriminator", "")).strip("'"),
        }
    )
    return text if "、" in text else text.removesuffix(" 之一")
