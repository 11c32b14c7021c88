"""What signing in elsewhere tells people; what failed is named."""

from __future__ import annotations

from rookery.control.errors import Text

OFF = Text("signing in elsewhere is not set up", "尚未配置统一身份认证")
PLAIN = Text(
    "the issuer has to begin with https:// (http is for this machine alone)",
    "颁发者地址须以 https:// 开头（仅本机可使用 http）",
)
SECRET_AGAIN = Text(
    "the client secret that is kept belongs to another issuer or client: enter it again",
    "已保存的客户端密钥属于另一颁发者或客户端，请重新输入",
)
UNREACHABLE = Text("{url} cannot be reached: {reason}", "无法访问 {url}：{reason}")
CERTIFICATE = Text(
    "the TLS certificate of {url} is not trusted: {reason}", "{url} 的 TLS 证书不受信任：{reason}"
)
TOO_LATE = Text("{url} did not answer in time", "{url} 未及时应答")
STATUS = Text("{url} answered {status}", "{url} 返回状态码 {status}")
NO_JSON = Text("{url} answered something that is no JSON object", "{url} 返回的内容不是 JSON 对象")
OTHER_ISSUER = Text(
    "{url} says that its issuer is {found}: enter exactly that",
    "{url} 声明的颁发者为 {found}，请填写完全相同的地址",
)
LACKS = Text("the provider does not say its {name}", "身份提供方未声明 {name}")
NO_CODE_FLOW = Text(
    "the provider does not do the authorization code flow", "身份提供方不支持授权码流程"
)
NO_KEYS = Text("{url} has no key that tokens are signed with", "{url} 没有可用的签名密钥")
REFUSED = Text("the provider refuses: {reason}", "身份提供方拒绝：{reason}")
BAD_TOKEN = Text(
    "the provider's ID token will not do: {reason}", "身份提供方的 ID 令牌无效：{reason}"
)
ENDED = Text(
    "this sign-in was begun elsewhere, was finished, or took too long: begin anew",
    "该登录请求已失效（来自其他浏览器、已完成或超时），请重新登录",
)
NO_EMAIL = Text(
    "the provider does not say your e-mail address; the scope email may be missing",
    "身份提供方未提供邮箱地址，可能缺少 email 范围",
)
UNVERIFIED = Text(
    "the provider has not verified {email}, so it proves nothing",
    "身份提供方尚未验证 {email}，无法据此确认身份",
)
DOMAIN = Text("addresses of {domain} may not sign in here", "不允许 {domain} 域的邮箱登录")
NOT_INVITED = Text(
    "nobody has invited {email}: ask an administrator", "{email} 尚未被邀请，请联系管理员"
)
BOUND = Text(
    "{email} signs in with another account of this provider: an administrator can undo that",
    "{email} 已绑定该身份提供方的另一账户，管理员可以解除绑定",
)
NO_OTHER_WAY = Text(
    "you have no password here: set one first (Forgot the password? on the sign-in page), or nothing lets you in",
    "您没有本地密码：请先在登录页面通过“忘记密码？”设置密码，否则将无法登录",
)
NOT_BOUND = Text("this user is bound to no account elsewhere", "该用户未绑定外部账户")
