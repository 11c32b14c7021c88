"""What compilers of regular expressions say is wrong with one, in Chinese: that of the core, and Python's.

Both have a fixed set of texts, found here by their English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rookery.words import Phrases

_CORE: Mapping[str, str] = {
    "invalid escape sequence found in character class": "字符类中的转义无效",
    "invalid character class range, the start must be <= the end": "字符类的范围无效，起点不能大于终点",
    "invalid range boundary, must be a literal": "范围的边界必须是单个字符",
    "unclosed character class": "字符类没有闭合",
    "decimal literal empty": "缺少十进制数字",
    "decimal literal invalid": "十进制数字无效",
    "hexadecimal literal empty": "缺少十六进制数字",
    "hexadecimal literal is not a Unicode scalar value": "十六进制数字不是 Unicode 字符",
    "invalid hexadecimal digit": "十六进制数字无效",
    "incomplete escape sequence, reached end of pattern prematurely": "转义不完整，表达式提前结束",
    "unrecognized escape sequence": "未知的转义",
    "dangling flag negation operator": "标志的否定符后没有内容",
    "duplicate flag": "标志重复",
    "flag negation operator repeated": "标志的否定符重复",
    "expected flag but got end of regex": "缺少标志，表达式提前结束",
    "unrecognized flag": "未知的标志",
    "duplicate capture group name": "分组名称重复",
    "empty capture group name": "分组名称为空",
    "invalid capture group character": "分组名称含有无效字符",
    "unclosed capture group name": "分组名称没有闭合",
    "unclosed group": "分组没有闭合",
    "unopened group": "分组没有开始",
    "invalid repetition count range, the start must be <= the end": "重复次数的范围无效，起点不能大于终点",
    "repetition quantifier expects a valid decimal": "重复次数应为十进制数字",
    "unclosed counted repetition": "重复次数没有闭合",
    "repetition operator missing expression": "重复符号前没有表达式",
    "invalid Unicode character class": "Unicode 字符类无效",
    "backreferences are not supported": "不支持反向引用",
    "look-around, including look-ahead and look-behind, is not supported": "不支持前瞻与后顾断言",
    "Unicode not allowed here": "此处不允许 Unicode",
    "pattern can match invalid UTF-8": "表达式可能匹配无效的 UTF-8",
    "Unicode property not found": "没有该 Unicode 属性",
    "Unicode property value not found": "没有该 Unicode 属性值",
}
_PHRASES = Phrases(
    (
        # The core.
        (r"exceeded the maximum number of capturing groups \((\d+)\)", r"分组超过 \1 个"),
        (r"exceed the maximum number of nested parentheses/brackets \((\d+)\)", r"括号嵌套超过 \1 层"),
        (r"special word boundary assertion is .*", "特殊的词边界没有闭合或含有无效字符"),
        (r"unrecognized special word boundary assertion, .*",
         "未知的特殊词边界，可用：start、end、start-half、end-half"),
        (r"found either the beginning of a special word boundary .*", "\\b 之后的大括号没有闭合"),
        (r"Compiled regex exceeds size limit of (\d+) bytes\.?", r"表达式编译后超过 \1 字节"),
        # Python.
        (r"missing \), unterminated subpattern", "分组没有闭合"),
        (r"unbalanced parenthesis", "括号不成对"),
        (r"nothing to repeat", "重复符号前没有表达式"),
        (r"multiple repeat", "重复符号连用"),
        (r"unterminated character set", "字符类没有闭合"),
        (r"bad character range (.+)", r"字符类的范围 \1 无效"),
        (r"bad escape(?: \(end of pattern\)| (.+))", "无效的转义"),
        (r"invalid group reference (\d+)", r"没有分组 \1"),
        (r"min repeat greater than max repeat", "重复次数的范围无效，起点不能大于终点"),
        (r"look-behind requires fixed-width pattern", "后顾断言要求固定长度"),
        (r"unknown extension (.+)", r"未知的扩展 \1"),
        (r"missing <, unterminated name|missing >, unterminated name|missing group name", "分组名称没有闭合"),
        (r"bad character in group name (.+)", r"分组名称 \1 含有无效字符"),
        (r"redefinition of group name (.+) as group .+", r"分组名称 \1 重复"),
        (r"incomplete escape .+", "转义不完整"),
        (r"missing flag", "缺少标志"),
        (r"missing (-, : or \)|:)", r"缺少 \1"),
        (r"unknown flag", "未知的标志"),
        (r"unexpected end of pattern", "表达式提前结束"),
        (r"the repetition number is too large", "重复次数过大"),
    )
)  # fmt: skip
_PLACE = re.compile(r" at position (\d+)(?: \(line (\d+), column (\d+)\))?$")


def in_chinese(text: str) -> str:
    """The same in Chinese; as it is where there are no words for it."""
    place = _PLACE.search(text)
    bare = (text if place is None else text[: place.start()]).removeprefix("error: ")
    said = _CORE.get(bare) or _PHRASES.chinese(bare)
    if said is None:
        return text
    # Python counts from 0.
    return said if place is None else f"第 {int(place[1]) + 1} 个字符：{said}"
