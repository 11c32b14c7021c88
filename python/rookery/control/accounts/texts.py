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
PASSWORD_AGAIN = Text(
    "choose a password that is none of your last {most}", "新密码不能与最近 {most} 次使用的密码相同"
)
LINK_ENDED = Text(
    "this link works no more: it was used, replaced or revoked, or has expired",
    "链接已失效：已被使用、替换、撤销或已过期",
)
INVITATIONS_MAX = Text("there are {most} invitations already", "邀请数已达上限 {most}")
INVITATIONS_OF_ORG_MAX = Text(
    "the organization has {most} invitations already: revoke those that nobody will follow",
    "该组织的邀请数已达上限 {most}：请撤销不再需要的邀请",
)
ROLE_NOWHERE = Text(
    "a role needs an organization, and a project needs its organization",
    "角色须指定组织，项目须指定其所属组织",
)
INVITED_USER = Text(
    "{email} is a user already: add that one as a member", "{email} 已是用户，请直接添加为成员"
)
INVITED_ALREADY = Text(
    "{email} is invited already: send that invitation again or revoke it",
    "{email} 已被邀请，请重新发送或撤销该邀请",
)
NOT_PROVEN = Text(
    "nobody has shown yet that {email} is the address of whoever uses that account, which another organization may"
    " have made: invite {email}, or have an administrator of the system confirm it",
    "尚未证实 {email} 归该账户的使用者所有（账户可能由其他组织创建）：请改为邀请 {email}，或由系统管理员确认",
)
NOT_PROVEN_NO_MAIL = Text(
    "there is an account {email} that another organization may have made, and without a mail server no invitation"
    " proves whose it is: have an administrator of the system confirm it",
    "账户 {email} 可能由其他组织创建，且未配置邮件服务器，无法通过邀请证实其归属：请由系统管理员确认",
)
PROVEN_ALREADY = Text("the address {email} is proven already", "邮箱 {email} 已证实")
NO_INVITATION = Text("there is no such invitation", "邀请不存在")
NO_MAIL = Text(
    "no mail server is set: an administrator can give you another password",
    "尚未配置邮件服务器，请联系管理员重置密码",
)
CODE_NEEDED = Text("enter the code of your authenticator", "请输入身份验证器中的验证码")
BAD_CODE = Text("that is not the present code, or it was used", "验证码错误，或已被使用")
FACTOR_IS_ON = Text("there is a second factor already", "已启用两步验证")
FACTOR_IS_OFF = Text("there is no second factor", "尚未启用两步验证")
NO_ENROLMENT = Text("begin with the second factor anew", "请重新开始设置两步验证")
FACTOR_IS_NEEDED = Text(
    "administrators need a second factor: set it up in your profile first",
    "管理员必须启用两步验证，请先在个人中心完成设置",
)
CHANGE_PASSWORD = Text("your password has to be changed first", "请先修改密码")
NO_PASSWORD = Text(
    "you have no password here, you sign in elsewhere", "您通过统一身份认证登录，没有本地密码"
)
USERS_MAX = Text("there are {most} users already", "用户数已达上限 {most}")
USERS_OF_ORG_MAX = Text(
    "the organization has made {most} users already: an administrator of the system can delete those that are not"
    " needed, or make more for it",
    "该组织创建的用户数已达上限 {most}：请由系统管理员删除不再需要的用户，或代为创建",
)
