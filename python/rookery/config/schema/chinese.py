"""The words of the schema's types in Chinese: what is allowed, and why something is not.

Types say what they take in English, put together from few phrases; here is what each phrase is
in Chinese. A test holds every type of the schema against it.
"""

from __future__ import annotations

import re

WHOLE = {
    "a directory": "目录",
    "a file": "文件",
    "a list": "列表",
    "a list of log and publish": "由 log 和 publish 组成的列表",
    'a list, or text with commas such as "mqtt, mqtt-v5"': '列表，或以逗号分隔的文本，如 "mqtt, mqtt-v5"',
    "a name of the form name@host": "格式为 name@host 的名称",
    "a path that begins with /": "以 / 开头的路径",
    "a regular expression": "正则表达式",
    "a topic": "主题",
    "a topic name": "主题名",
    "a percentage such as 80%": "百分比，如 80%",
    "an object": "对象",
    "anything": "任意值",
    "letters, digits, _ and -": "字母、数字、_ 和 -",
    'none or "idle,interval,probes"': 'none 或 "idle,interval,probes"',
    "text": "文本",
    "the default file source only": "仅限默认的文件数据源",
    "the name of a zone": "区域名称",
    "true or false": "true 或 false",
    # Why a value is not allowed.
    "access rules are not available in this version": "本版本不支持访问规则",
    "quick_deny_anonymous is not available in this version": "本版本不支持 quick_deny_anonymous",
    "use access.anonymous = everyone, for all listeners": "请使用 access.anonymous = everyone，对所有监听器生效",
    "replicants are not available: every node is a core node": "不支持 replicant，所有节点均为 core",
    "clusters are not available in this version": "本版本不支持集群",
    "proxy_protocol is not available in this version": "本版本不支持 proxy_protocol",
    "not a way of discovery": "不是节点发现方式",
    "not a regular expression": "不是正则表达式",
    "not alarm actions": "不是告警动作",
    "not a boolean": "不是布尔值",
    "authorization sources are not available in this version": "本版本不支持授权数据源",
    "authorization is not available in this version: nothing would be denied": "本版本不支持授权，不会拒绝任何操作",
    "not one of the words": "不在可选值之中",
}

# Words that are written as they stand in every language.
LITERAL = frozenset({"allow", "core", "manual", "true", '["allow all"]'})

BEGINNINGS = (
    (re.compile(r"a whole number, (\S+) to ([^\s,]+)"), r"整数，\1 到 \2"),
    (re.compile(r"a whole number, (\S+) or more"), r"整数，不小于 \1"),
    (re.compile(r"a number, (\S+) to ([^\s,]+)"), r"数字，\1 到 \2"),
    (re.compile(r"one of (.+)"), r"以下之一：\1"),
    (re.compile(r"a duration such as 15s, 1m, 2h or 1d"), "时长，如 15s、1m、2h 或 1d"),
    (re.compile(r"a size such as 512KB or 1MB"), "大小，如 512KB 或 1MB"),
    (re.compile(r"a rate such as 1000/s, 300/5m or 10MB/s"), "速率，如 1000/s、300/5m 或 10MB/s"),
    (
        re.compile(r'a port, or IP address and port such as ("[^"]+") or ("[^"]+")'),
        r"端口，或 IP 地址加端口，如 \1 或 \2",
    ),
    (re.compile(r"an object"), "对象"),
    (re.compile(r"not a regular expression: (.+)"), r"不是正则表达式：\1"),
)
ENDINGS = (
    (re.compile(r", at least ([^\s,]+)"), r"，不小于 \1"),
    (re.compile(r", at most ([^\s,]+)"), r"，不大于 \1"),
    (re.compile(r", or 0 for none"), "，或以 0 表示不监听"),
    (re.compile(r", or (\w+)"), r"，或 \1"),
)


def in_chinese(text: str) -> str:
    """``text`` in Chinese; as it is when it holds no phrase of the schema."""
    if text in LITERAL:
        return text
    whole = WHOLE.get(text)
    if whole is not None:
        return whole
    for pattern, chinese in BEGINNINGS:
        match = pattern.match(text)
        if match is not None:
            rest = text[match.end() :]
            for ending, words in ENDINGS:
                rest = ending.sub(words, rest)
            return match.expand(chinese) + rest
    return text
