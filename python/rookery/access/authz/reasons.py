"""Why an action is allowed or denied, in both languages: all that *Explain* can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rookery.words import Words

NO_RULE_FITS: Final = Words("no rule fits", "没有匹配的规则")
FIRST_RULE: Final = Words("the first rule that fits", "第一条匹配的规则")

BY_CORE: Mapping[str, Words] = {
    "superuser": Words("the client is a superuser", "该客户端是超级用户"),
    "client_acl": Words(
        "a rule that came with the authentication fits", "匹配随认证结果下发的规则"
    ),
    "sys_topics": Words("$SYS is closed to ordinary clients", "普通客户端不能访问 $SYS 主题"),
    "reserved": Words("only the server may do that", "只有服务器可以执行该操作"),
    "no_match": NO_RULE_FITS,
}
"""What the core itself decides by, without a source."""

TOO_LATE: Final = Words("no source answered in time", "没有数据源及时应答")
NOT_THERE: Final = Words("the source {source!r} is not there", "数据源 {source!r} 不存在")
DEFECT: Final = Words("the source failed", "数据源出错")
LACKS: Final = Words("the client has no {name}", "该客户端没有 {name}")
UNASKABLE: Final = Words("it cannot be asked: {error}", "无法查询：{error}")
BUSY: Final = Words("too many questions are under way", "正在进行的查询过多")
LEFT_ALONE: Final = Words(
    "the source failed too often and is left alone for a while", "数据源连续失败，暂停查询"
)
NO_ANSWER: Final = Words("no answer in time", "未及时应答")
FAILED: Final = Words("the source failed: {error}", "数据源出错：{error}")

HTTP_204: Final = Words("the service answered 204", "服务返回 204")
HTTP_OTHER: Final = Words("the service answered {status}", "服务返回 {status}")
HTTP_ALLOW: Final = Words("the service said allow", "服务返回 allow")
HTTP_DENY: Final = Words("the service said deny", "服务返回 deny")
HTTP_NEITHER: Final = Words(
    "the service said neither allow nor deny", "服务既未返回 allow 也未返回 deny"
)

ROW_FITS: Final = Words("row {number} fits", "第 {number} 行匹配")
ROW_DENIES: Final = Words(
    "row {number} denies and is no rule: {error}", "第 {number} 行为拒绝但不是规则：{error}"
)
NO_ROW_FITS: Final = Words("none of {count} rows fits", "{count} 行均不匹配")
FIELD_FITS: Final = Words("the field {topic!r} fits", "字段 {topic!r} 匹配")
NO_FIELD_FITS: Final = Words("none of {count} fields fits", "{count} 个字段均不匹配")
