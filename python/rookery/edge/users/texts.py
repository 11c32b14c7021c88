"""What is said about users and signing in."""

from __future__ import annotations

from rookery.words import Words

NO_HEADER = Words(
    "sign in first: POST /api/login, then send Authorization: Bearer TOKEN",
    "请先登录：POST /api/login，然后在请求中携带 Authorization: Bearer TOKEN",
)
BAD_TOKEN = Words("the token is not known, or was revoked", "令牌无效或已被吊销")
TOKEN_OVER = Words("the token has expired; sign in again", "令牌已过期，请重新登录")
BAD_PASSWORD = Words("bad user name or password", "用户名或密码错误")
LOCKED = Words(
    "too many bad passwords, try again in ten minutes; `rookery edge reset-password` on the machine works at once",
    "密码错误次数过多，请十分钟后再试；也可在本机运行 `rookery edge reset-password` 立即重置",
)
BUSY = Words("too many sign in at once, try again", "同时登录的人数过多，请稍后再试")
NEAR_ONLY = Words(
    "the default password is good on this machine alone: open http://127.0.0.1:{port}/ there, or run "
    "`rookery edge reset-password`",
    "默认密码仅可在本机使用：请在本机打开 http://127.0.0.1:{port}/，或运行 `rookery edge reset-password`",
)
CHANGE_FIRST = Words(
    "choose a password first: POST /api/password", "请先修改密码：POST /api/password"
)
NOT_ALLOWED = Words("viewers may look, and change nothing", "只读用户不能执行此操作")
BAD_SPEAKING = Words(
    "{role} is administrator or viewer, {name} at most 256 printable characters",
    "{role} 为 administrator 或 viewer，{name} 最多 256 个可见字符",
)
NO_SUCH_USER = Words("there is no user {name}", "用户 {name} 不存在")
USER_EXISTS = Words("there is a user {name} already", "用户 {name} 已存在")
TOO_MANY = Words("there are {count} users already", "用户数已达上限 {count}")
BAD_NAME = Words(
    "a user name has 1 to {most} printable characters and no spaces at its ends",
    "用户名为 1 到 {most} 个可见字符，首尾不能有空格",
)
LAST_ADMIN = Words("{name} is the only administrator", "{name} 是唯一的管理员")
OLD_IS_WRONG = Words("the present password is wrong", "当前密码错误")
SAME = Words("choose another password than the present one", "新密码不能与当前密码相同")
LENGTH = Words("a password has {low} to {high} characters", "密码长度为 {low} 到 {high} 个字符")
KINDS = Words(
    "a password mixes at least two of letters, digits and other characters",
    "密码至少包含字母、数字、其他字符中的两种",
)
NOT_READ = Words("{file} cannot be read: {reason}", "无法读取 {file}：{reason}")
