"""The words of the schema's types in Chinese: what is allowed, and why something is not.

Types say what they take in English, put together from few phrases; here is what each phrase is
in Chinese. A test holds every type of the schema against it.
"""

from __future__ import annotations

import re

WHOLE = {
    "a directory": "目录",
    "a file": "文件",
    "1 to 254 letters, digits, _ and -, the first a letter or a digit": (
        "1 至 254 个字母、数字、_ 或 -，以字母或数字开头"
    ),
    'host:port, or several with commas, such as "10.0.0.1:1883,10.0.0.2:1883" or "mqtts://eu.example.com"': (
        '主机:端口，可用逗号分隔多个，如 "10.0.0.1:1883,10.0.0.2:1883" 或 "mqtts://eu.example.com"'
    ),
    'a list of topic filters such as ["global/#", "fwd/#"]': '主题过滤器列表，如 ["global/#", "fwd/#"]',
    "a list": "列表",
    "a list of log and publish": "由 log 和 publish 组成的列表",
    'a list, or text with commas such as "mqtt, mqtt-v5"': '列表，或以逗号分隔的文本，如 "mqtt, mqtt-v5"',
    "a name of the form name@host": "格式为 name@host 的名称",
    "a path that begins with /": "以 / 开头的路径",
    "a regular expression": "正则表达式",
    "a topic": "主题",
    "1 to 100 printable characters": "1 至 100 个可打印字符",
    "a topic filter": "主题过滤器",
    "a topic name without wildcards": "不含通配符的主题名",
    "a topic without + and #, except for action = subscribe": "不含 + 和 # 的主题（action = subscribe 除外）",
    "a topic name": "主题名",
    "a percentage such as 80%": "百分比，如 80%",
    "a percentage below license.connection_high_watermark": "低于 license.connection_high_watermark 的百分比",
    "an object": "对象",
    'SQL such as SELECT * FROM "t/#"': '规则 SQL，如 SELECT * FROM "t/#"',
    "an action: TYPE:NAME, an object with function = republish and args, or with function = console": (
        "动作：TYPE:NAME，或 function = republish 加 args 的对象，或 function = console 的对象"
    ),
    "anything": "任意值",
    "letters, digits, _ and -": "字母、数字、_ 和 -",
    'none or "idle,interval,probes"': 'none 或 "idle,interval,probes"',
    "text": "文本",
    "a URL that begins with http:// or https://": "以 http:// 或 https:// 开头的 URL",
    "a command": "命令",
    "system, utc, or an offset such as +08:00": "system、utc 或偏移，如 +08:00",
    "a host name": "域名",
    "a list of cipher suites": "密码套件列表",
    "a list of tlsv1.3 and tlsv1.2": "由 tlsv1.3 和 tlsv1.2 组成的列表",
    "a query": "查询语句",
    "a (IPv4) or aaaa (IPv6)": "小写的 A（IPv4）或 AAAA（IPv6）",
    "an expression": "表达式",
    "an expression or a list of them": "表达式或其列表",
    "host:port": "主机:端口",
    "the name of a header": "头部名称",
    "true, false or quick_deny_anonymous": "true、false 或 quick_deny_anonymous",
    "the name of a zone": "区域名称",
    "true or false": "true 或 false",
    # Why a value is not allowed.
    "replicants are not available: every node is a core node": "不支持 replicant，所有节点均为 core",
    "nodes are found by static or dns; in Kubernetes by dns with a headless service": (
        "节点发现请使用 static 或 dns；在 Kubernetes 中请使用 dns 与 headless service"
    ),
    "SRV records are not looked up; use a or aaaa": "不查询 SRV 记录，请使用 a 或 aaaa",
    "not a way of discovery": "不是节点发现方式",
    "not a regular expression": "不是正则表达式",
    "not alarm actions": "不是告警动作",
    "not a boolean": "不是布尔值",
    "not the SQL of a rule": "不是规则 SQL",
    "not an action": "不是动作",
    "an action is TYPE:NAME": "动作应写为 TYPE:NAME",
    "0, 1, 2 or a placeholder": "0、1、2 或占位符",
    "true, false or a placeholder": "true、false 或占位符",
    "a placeholder": "占位符",
    "a topic name, with placeholders such as ${clientid}": "主题名，可含占位符，如 ${clientid}",
    "text, with placeholders such as ${clientid}": "文本，可含占位符，如 ${clientid}",
    "1 to 255 letters, digits, _ and -": "1 至 255 个字母、数字、_ 或 -",
    "1 to 255 characters": "1 至 255 个字符",
    "an action is no fallback of its own": "动作不能作为自身的备选动作",
    "traces need more packages: pip install 'rookery[otel]'": "追踪需要额外的软件包：pip install 'rookery[otel]'",
    "not one of the words": "不在可选值之中",
    "must be host:port, with a port from 1 to 65535": "应为 主机:端口，端口为 1 到 65535",
    "must be host:port, with a port from 1 to 65535, or an absolute path": (
        "应为 主机:端口（端口为 1 到 65535），或绝对路径"
    ),
    "not an access rule": "不是访问规则",
    "not idle,interval,probes": "应为 空闲,间隔,次数",
    "not a list": "不是列表",
    "not a list of words": "不是词的列表",
    "not a depth": "不是证书链深度",
    "not a version of TLS": "不是 TLS 版本",
    "not an expression": "不是表达式",
    'a rule is "allow" or "deny" and an address, a network or "all"': '规则为 "allow" 或 "deny" 加地址、网段或 "all"',
    "an address or a network such as 10.0.0.0/8 is expected": "应为地址或网段，如 10.0.0.0/8",
    "chains of more than 6 intermediate certificates are never accepted": "不接受超过 6 个中间证书的证书链",
    "TLS 1.1 and older are broken and not offered; use tlsv1.2 and tlsv1.3": "TLS 1.1 及更早版本已不安全，不予支持，请使用 tlsv1.2 与 tlsv1.3",
    "pre-shared keys are not available; use client certificates": "不支持 PSK，请使用客户端证书",
    "only suites with forward secrecy and AEAD are offered": "仅支持具备前向保密的 AEAD 套件",
    "lists are not fetched from distribution points; use crlfile": "不从分发点获取吊销列表，请使用 crlfile",
}

# Words that are written as they stand in every language.
LITERAL = frozenset({"core", "manual", "false"})

BEGINNINGS = (
    (re.compile(r"a whole number, (\S+) to ([^\s,]+)"), r"整数，\1 到 \2"),
    (re.compile(r"a whole number, (\S+) or more"), r"整数，不小于 \1"),
    (re.compile(r"a number, (\S+) to ([^\s,]+)"), r"数字，\1 到 \2"),
    (re.compile(r"a number or infinity"), "数字或 infinity"),
    (re.compile(r"up to (\d+) characters"), r"最多 \1 个字符"),
    (re.compile(r"one of (.+)"), r"以下之一：\1"),
    (re.compile(r"a duration such as 15s, 1m, 2h or 1d"), "时长，如 15s、1m、2h 或 1d"),
    (re.compile(r"a size such as 512KB or 1MB"), "大小，如 512KB 或 1MB"),
    (re.compile(r"a rate such as 1000/s, 300/5m or 10MB/s"), "速率，如 1000/s、300/5m 或 10MB/s"),
    (
        re.compile(
            r'a port, IP address and port such as ("[^"]+") or ("[^"]+"), or ("unix:[^"]+")'
        ),
        r"端口、IP 地址加端口，如 \1 或 \2，或 \3",
    ),
    (
        re.compile(r'a port, or IP address and port such as ("[^"]+") or ("[^"]+")'),
        r"端口，或 IP 地址加端口，如 \1 或 \2",
    ),
    (re.compile(r"an object"), "对象"),
    (re.compile(r"a list such as (.+)"), r"列表，如 \1"),
    (re.compile(r"(\S+) one of (.+)"), r"\1 为以下之一：\2"),
    (re.compile(r"not a regular expression: (.+)"), r"不是正则表达式：\1"),
    (re.compile(r"there are no actions of type (.+)"), r"没有 \1 类型的动作"),
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
