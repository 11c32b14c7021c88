"""What the core says in English alone about topics, templates and outputs of rules, in Chinese.

These texts have no keys: they are found by their English, which a test takes from the core.
"""

from __future__ import annotations

import re

from rookery.words import Phrases

_RULE = re.compile(r'rule "(?P<id>[^"]*)": (?P<rest>.*)', re.DOTALL)
_FIELD = re.compile(
    r"(?P<where>republish|topic|qos|retain|payload|user_properties|mqtt_properties\.\S+): (?P<rest>.*)",
    re.DOTALL,
)
_PHRASES = Phrases(
    (
        (
            r'placeholder (".*") is not of the form (\S+)',
            r"占位符 \1 的格式应为 \2",
        ),
        (r'(".*") is no topic name', r"\1 不是有效的主题名"),
        (
            r'(".*") is neither a value nor a placeholder',
            r"\1 既不是值也不是占位符",
        ),
        (
            r'(".*") is no property that a PUBLISH can carry on',
            r"PUBLISH 不能携带属性 \1",
        ),
        (r"template is longer than (\d+) octets", r"模板超过 \1 字节"),
        (r"the row is no JSON object", "该行不是 JSON 对象"),
        (r'there is no action "(.*)"', r"不存在动作 \1"),
        (r"is there twice", "出现了两次"),
        (r"topic is empty", "主题为空"),
        (r"topic has (\d+) bytes, more than (\d+)", r"主题有 \1 字节，超过 \2"),
        (r"topic contains U\+0000", "主题包含 U+0000"),
        (r"wildcard `(.)` is not allowed there", r"此处不允许使用通配符 \1"),
        (
            r"share name is empty or contains `/`, `\+` or `#`",
            "共享订阅组名为空，或包含 /、+ 或 #",
        ),
        (r"no topic filter after the prefix", "前缀之后没有主题过滤器"),
    )
)


def in_chinese(text: str) -> str | None:
    """The same in Chinese; none where there are no words for it."""
    if (found := _RULE.fullmatch(text)) is not None:
        return _with(f"规则 {found['id']}", found["rest"])
    if (found := _FIELD.fullmatch(text)) is not None:
        return _with(found["where"], found["rest"])
    # A template stands quoted before what is wrong with it, which names the part that counts.
    if (said := _PHRASES.chinese(text)) is not None:
        return said
    before, colon, rest = text.partition(": ")
    return in_chinese(rest) if colon and before.startswith('"') else None


def _with(where: str, rest: str) -> str | None:
    said = in_chinese(rest)
    return None if said is None else f"{where}：{said}"
