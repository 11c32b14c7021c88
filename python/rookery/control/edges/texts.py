"""What is said about edge services and their agents, in English and Chinese."""

from __future__ import annotations

from rookery.control.errors import Text

NO_SUCH_AGENT = Text("there is no such edge agent", "边缘代理不存在")
NO_SUCH_SERVICE = Text("there is no such edge service", "边缘服务不存在")
NO_SUCH_PROJECT = Text("there is no such project", "项目不存在")
NO_RIGHTS_THERE = Text(
    "you may not edit edge services of that project", "您无权编辑目标项目的边缘服务"
)
NAME_TAKEN = Text(
    "another edge service of the project is called {name}", "该项目中已有名为 {name} 的边缘服务"
)
TOO_MANY_SERVICES = Text(
    "a project has at most {most} edge services", "一个项目最多 {most} 个边缘服务"
)
IS_MANAGED = Text(
    "it is managed as {name}: un-adopt that edge service first",
    "该代理已纳管为“{name}”：请先取消对应边缘服务的纳管",
)
IS_REJECTED = Text("it was rejected: admit it again first", "该代理已被拒绝：请先重新准入")
NOT_REJECTED = Text("it was not rejected", "该代理未被拒绝")
WRONG_NAME = Text("type the name of the edge service to delete it", "请输入边缘服务名称以确认删除")
NO_AGENT = Text("it has no agent", "该边缘服务没有代理")
BAD_ACCOUNT = Text(
    "user name and password of the account have 1 to {most} printable characters",
    "注册账号的用户名和密码为 1 至 {most} 个可见字符",
)
NO_PASSWORD = Text("choose a password for the account", "请设置注册账号的密码")
TOO_LONG = Text("the body is longer than {most} bytes", "请求体超过 {most} 字节")
RULE_NAMES_NOBODY = Text("rule {name}: there is no such project", "规则“{name}”：项目不存在")
BAD_TEMPLATE = Text(
    "rule {name}: a name may have {places} in it, and letters besides",
    "规则“{name}”：名称模板可使用 {places}",
)

TOO_MANY_WAIT = Text("too many agents wait to be adopted", "等待纳管的代理过多")
CLOSED = Text("enrolment is closed", "代理注册已关闭")
