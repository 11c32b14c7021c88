"""In Chinese what refusals of the REST interface say in English alone: short sentences by their form.

Most errors bring their own words in both languages; these are found by their English. What nothing here
fits is told behind what its code means.
"""

from __future__ import annotations

import re

from rookery.web import refusals_zh

_NOUNS = {
    "client": "客户端",
    "listener": "监听器",
    "user": "用户",
    "API key": " API 密钥",
    "trace": "追踪",
    "node": "节点",
    "error code": "错误码",
    "plugin": "插件",
}
_NOUN = "|".join(_NOUNS)
_TEXTS = tuple(
    (re.compile(english, re.DOTALL), chinese)
    for english, chinese in (
        (r"(settings\S*) is no (\w+)", r"\1 的类型应为 \2"),
        (r"(settings\S*) is one of (.+)", r"\1 应为以下之一：\2"),
        (r"(settings\S*) does not match (.+)", r"\1 不符合 \2"),
        (r"(settings\S*) has no (.+)", r"\1 中没有 \2 项"),
        (r"(settings\S*) is nested deeper than (\d+)", r"\1 嵌套超过 \2 层"),
        (r"(settings\S*): half of a surrogate pair is no text", r"\1：不完整的代理对不是文本"),
        (r"(settings\S*): (\S+) is no number that JSON has", r"\1：\2 不是 JSON 数值"),
        (r"Not Found", "路径不存在"),
        (r"Method Not Allowed", "该路径不支持此方法"),
        (r"([\w.]+) has (\S+) already", r"\1 中已存在 \2"),
        (r"([\w.]+) has no (\S+)", r"\1 中不存在 \2"),
        (r"an id is there twice", "ID 重复"),
        (r"([\w, ]+) cannot be changed", r"\1 不能修改"),
        (
            r"(.+): front, rear, before:ID, after:ID or a number",
            r"\1：应为 front、rear、before:ID、after:ID 或序号",
        ),
        (
            r"position is front, rear, before:NAME or after:NAME",
            "position 应为 front、rear、before:名称 或 after:名称",
        ),
        (r"there is a user (.+)", r"用户 \1 已存在"),
        (r"there is no user (.+)", r"不存在用户 \1"),
        (r"there are no rules of (\w+) (.+)", r"\1 \2 没有规则"),
        (r"(.+): unknown; there are (.+)", r"\1：未知；可用：\2"),
        (r"(.+): unknown", r"\1：未知"),
        (r"(\w+) (.+) is banned already", r"\1 \2 已被封禁"),
        (r"(\w+) (.+) is not banned", r"\1 \2 未被封禁"),
        (
            r"until is a time as RFC 3339 or in seconds since 1970",
            "until 应为 RFC 3339 时间或自 1970 年起的秒数",
        ),
        (
            r"expired_at: a time is RFC 3339, seconds since 1970, or infinity\.",
            "expired_at：应为 RFC 3339 时间、自 1970 年起的秒数，或 infinity",
        ),
        (r"proto_ver is 3, 4 or 5", "proto_ver 应为 3、4 或 5"),
        (
            r"cursor is what the answer before gave as meta\.cursor",
            "cursor 应为上一次应答中的 meta.cursor",
        ),
        (r"no retained message of (.+)", r"\1 没有保留消息"),
        (r"(.+) is no topic name; wildcards are not counted", r"\1 不是主题名；不统计通配符"),
        (r"messages of (.+) are counted already", r"\1 的消息已在统计中"),
        (r"messages of (.+) are not counted", r"\1 的消息未被统计"),
        (r"at most (\d+) automatic subscriptions", r"自动订阅最多 \1 项"),
        (r"cannot be changed at run time: (.+)", r"运行时不能修改：\1"),
        (r"a configuration is expected", "应为一份配置"),
        (r"nothing to change", "没有要修改的内容"),
        (r"include is not possible here", "此处不能使用 include"),
        (
            r"(\S+) is not reset as a whole: name a key of it",
            r"\1 不能整体重置，请指定其中的配置项",
        ),
        (r"a password has (\d+) to (\d+) characters", r"密码应为 \1 到 \2 个字符"),
        (r"(\S+) is the only administrator", r"\1 是唯一的管理员"),
        (r"the API key (.+) exists already", r"API 密钥 \1 已存在"),
        (r"a trace (\S+) exists", r"追踪 \1 已存在"),
        (r"(.+) is no NAME-VERSION", r"\1 的格式应为 名称-版本"),
        (r"no plugin (.+) is installed", r"未安装插件 \1"),
        (r"(.+) has no settings", r"\1 没有配置项"),
        (r"settings are a JSON object", "配置应为 JSON 对象"),
        (r"run is a JSON object", "run 应为 JSON 对象"),
        (r"(.+) is required", r"缺少 \1"),
        (r"(\S+) is (\S+) to (\S+)", r"\1 应在 \2 到 \3 之间"),
        (
            r"a file name has letters, digits, '\.', '_' and '-', and ends with (\S+)",
            r"文件名只能包含字母、数字、.、_ 和 -，并以 \1 结尾",
        ),
        (r"sign-in codes are for API keys", "登录码只能由 API 密钥获取"),
        (r"bad username or password", "用户名或密码错误"),
        (r"the request failed, the log says why", "请求处理失败，原因见日志"),
        *refusals_zh.OF_ACCESS,
        *refusals_zh.OF_FILES,
        *refusals_zh.OF_NODES,
        *refusals_zh.OF_PLUGINS,
        *refusals_zh.OF_V3,
        *refusals_zh.WIDE,
    )
)
_NO = re.compile(rf"no (?P<noun>{_NOUN}) (?P<name>.+)", re.DOTALL)
_THERE_IS_NO = re.compile(r"there is no (?P<name>\S+)")


def in_chinese(text: str) -> str | None:
    """The same in Chinese; none where there are no words for it."""
    for pattern, chinese in _TEXTS:
        if (found := pattern.fullmatch(text)) is not None:
            inner = found.groupdict().get("inner", "")
            return found.expand(chinese).replace("{inner}", in_chinese(inner) or inner)
    if (found := _NO.fullmatch(text)) is not None:
        return f"不存在{_NOUNS[found['noun']]} {found['name']}"
    if (found := _THERE_IS_NO.fullmatch(text)) is not None:
        return f"不存在 {found['name']}"
    return None
