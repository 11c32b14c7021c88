"""What is said about logs."""

from __future__ import annotations

from rookery.control.errors import Text

BAD_CURSOR = Text("that is no cursor of these logs", "该游标不属于这些日志")
TOO_SLOW = Text(
    "this takes too long: choose a shorter time, or more of the other filters",
    "查询时间过长：请缩短时间范围或增加筛选条件",
)
NOT_READABLE = Text("the log store cannot be read: {reason}", "无法读取日志存储：{reason}")
NOT_WRITABLE = Text("the log store cannot be written: {reason}", "无法写入日志存储：{reason}")
TOO_MANY_VIEWERS = Text(
    "too many pages follow the logs, try again", "实时查看日志的页面过多，请稍后重试"
)
PASSWORD_AGAIN = Text(
    "address or user name changed: type the password again",
    "地址或用户名已更改，请重新输入密码",
)
NOT_FOUND_AGAIN = Text(
    "what was written there is not found: {reason}", "写入的内容未能查到：{reason}"
)
SEARCH_FAILED = Text("{reason}", "{reason_zh}")
BAD_CERTIFICATE = Text("these certificates cannot be used: {reason}", "无法使用这些证书：{reason}")
NO_URL = Text("the address of Elasticsearch is needed", "需填写 Elasticsearch 地址")
BAD_RANGE = Text("the time ends before it begins", "结束时间早于开始时间")
