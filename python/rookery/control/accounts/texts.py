"""What the features of accounts tell people."""

from __future__ import annotations

from rookery.control.errors import Text

BAD_SIGN_IN = Text("wrong e-mail address or password", "邮箱或密码错误")
LOCKED = Text(
    "too many wrong passwords, try again in {minutes} min",
    "密码错误次数过多，请在 {minutes} 分钟后重试",
)
DISABLED = Text("this user is disabled", "该用户已被禁用")
BUSY = Text("too many sign-ins at once, try again", "登录请求过多，请稍后重试")
NO_HEADER = Text(
    "sign in first: Authorization: Bearer TOKEN", "请先登录：Authorization: Bearer TOKEN"
)
BAD_TOKEN = Text("the token is not known, sign in again", "令牌无效，请重新登录")
TOKEN_EXPIRED = Text("the token has expired, sign in again", "令牌已过期，请重新登录")
OLD_PASSWORD = Text("the old password is wrong", "原密码错误")
PASSWORD_LENGTH = Text(
    "a password has {low} to {high} characters", "密码长度应为 {low} 至 {high} 个字符"
)
PASSWORD_KINDS = Text(
    "a password has letters, digits and other characters", "密码须同时包含字母、数字和符号"
)
BAD_EMAIL = Text("{email} is no e-mail address", "{email} 不是有效的邮箱地址")
EMAIL_TAKEN = Text("there is a user {email} already", "用户 {email} 已存在")
NO_USER = Text("there is no such user", "用户不存在")
NO_SESSION = Text("there is no such session", "会话不存在")
LAST_ADMIN = Text("nobody would be an enabled administrator any more", "系统中将不再有可用的管理员")
NOT_YOURSELF = Text(
    "this cannot be done to yourself, another administrator can",
    "不能对自己执行此操作，请由其他管理员执行",
)
PEOPLE_ONLY = Text("API tokens may not do this, sign in", "API 令牌不能执行此操作，请登录")
USERS_MAX = Text("there are {most} users already", "用户数已达上限 {most}")
