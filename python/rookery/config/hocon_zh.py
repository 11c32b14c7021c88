"""What the parser of HOCON says is wrong with a text, in Chinese: by its English."""

from __future__ import annotations

import re

from rookery.words import Phrases

_PHRASES = Phrases(
    (
        (r"expected (.+), found the end of the (file|line)", r"此处应为\1，但已到末尾"),
        (r"expected (.+), found (.+)", r"此处应为\1，实际为 \2"),
        (
            r"(`.+`) cannot stand in text without quotes: write the text in double quotes",
            r"不加引号的文本不能包含 \1，请用双引号括起文本",
        ),
        (r"a quoted text begins here and does not end.*", "此处开始的引号没有结束"),
        (r"(`.+`) is not an escape: use (.+) or (\S+)", r"\1 不是转义序列，可用：\2 \3"),
        (
            r"(\$\{.+\}) is not defined, neither here nor in the environment; (\$\{.+\}) makes it optional",
            r"\1 未定义，环境变量中也没有；写成 \2 则可以缺省",
        ),
        (r"(\$\{.+\}) refers to itself", r"\1 引用了自身"),
        (
            r"an array, an object and text cannot be put together in one value",
            "同一个值中不能混用数组、对象和文本",
        ),
        (r"include (.+): (.+)", r"include \1：\2"),
        (r"too much: (.+)", r"超出限制：\1"),
    )
)
_PIECES = {
    "a key, `}` or the end of the file": "键、`}` 或文件末尾",
    "a key, `}` or the end": "键、`}` 或末尾",
    "a key or the end of the file": "键或文件末尾",
    "`=`, `:`, `+=` or `{` after the key": "键之后的 `=`、`:`、`+=` 或 `{`",
    "a newline or a comma after the value": "值之后的换行或逗号",
    "a key before the dot": "点之前的键",
    "a value or `]`": "值或 `]`",
    "a comma, a newline or `]`": "逗号、换行或 `]`",
    "`}` after `${`": "`${` 之后的 `}`",
    "the name of a file in quotes after `include`": "`include` 之后带引号的文件名",
    "a value": "值",
    "bytes in all files together": "所有文件的总字节数",
    "levels of nesting": "嵌套层数",
    "included files": "include 的文件数",
    "there is no such file": "没有这个文件",
    "the file includes itself": "该文件引入了自身",
    "files cannot be included here": "此处不能引入文件",
    "values after substitution": "替换之后的值的数量",
}
_PLACE = re.compile(r"(?P<place>.*?:\d+(?::\d+)?): (?P<said>.+)", re.DOTALL)


def in_chinese(line: str) -> str:
    """``line``, which begins with its place; what has no words here stays as it is."""
    found = _PLACE.fullmatch(line)
    if found is None:
        return line
    text = _PHRASES.chinese(found["said"])
    if text is None:
        return f"{found['place']}：{found['said']}"
    for english, words in _PIECES.items():
        text = text.replace(english, words)
    return f"{found['place']}：{text}"
