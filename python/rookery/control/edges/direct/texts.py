"""What is said about edge services at an address, in English and Chinese."""

from __future__ import annotations

from rookery.control.errors import Text

BAD_ADDRESS = Text(
    "the address is http:// or https:// with a host and perhaps a port, and nothing behind it",
    "地址应为 http:// 或 https:// 加主机名（可带端口），其后不能有其他内容",
)
BAD_USERNAME = Text(
    "user name and password have 1 to {most} printable characters",
    "用户名和密码为 1 至 {most} 个可见字符",
)
BAD_CERTIFICATE = Text(
    "the fingerprint of the certificate is its SHA-256: 64 hexadecimal digits",
    "证书指纹为其 SHA-256 值：64 位十六进制数字",
)
NEEDS_HTTPS = Text(
    "a fingerprint belongs to https://: there is no certificate without",
    "指纹仅适用于 https:// 地址",
)
PASSWORD_AGAIN = Text(
    "type the password too: it is not sent to another address than the one it was given for",
    "地址或证书已改变，请同时填写密码：已保存的密码不会发往其他地址",
)
NOT_DIRECT = Text(
    "it is reached through its agent, not at an address", "该边缘服务通过代理连接，没有直连地址"
)
IS_DIRECT = Text(
    "it has no agent to let go: delete it instead", "直连的边缘服务没有代理，请直接删除"
)
ADDRESS_TAKEN = Text(
    "{name} of the project has that address already", "该项目中的“{name}”已使用此地址"
)

# Why it cannot be asked.
UNREACHABLE = Text("{address} cannot be reached: {reason}", "无法连接 {address}：{reason}")
NO_ANSWER = Text("{address} did not answer in time", "{address} 未在规定时间内应答")
NOT_TRUSTED = Text(
    "the certificate of {address} is signed by no authority that this machine trusts ({reason}). If its "
    "SHA-256 is {found}, enter that as its fingerprint",
    "{address} 的证书不受本机信任（{reason}）。如果其 SHA-256 确为 {found}，请将其填为证书指纹",
)
OTHER_CERTIFICATE = Text(
    "{address} shows another certificate than the one with that fingerprint: its SHA-256 is {found}",
    "{address} 出示的证书与指纹不符：其 SHA-256 为 {found}",
)
WRONG_PASSWORD = Text(
    "{address} refuses the user name or the password: {reason}",
    "{address} 拒绝该用户名或密码：{reason}",
)
NO_ADMINISTRATOR = Text(
    "{username} is no administrator of {address} who has chosen a password: {reason}",
    "{username} 不是 {address} 上已设置密码的管理员：{reason}",
)
NO_EDGE = Text(
    "what answers at {address} is no edge service of this product, or too old a one (status {status})",
    "{address} 上应答的不是本产品的边缘服务，或版本过旧（状态码 {status}）",
)
USE_HTTPS = Text("{address} wants https://", "{address} 要求使用 https://")
TOO_MANY = Text(
    "too many calls to this edge service are under way, try again",
    "对该边缘服务的并发调用过多，请稍后重试",
)
NO_WEB_SOCKET = Text(
    "edge services have no WebSockets: their pages are told by streams", "边缘服务不提供 WebSocket"
)

# What is wrong with a file.
NO_TABLE = Text(
    "the file is no comma-separated table in UTF-8: {reason}",
    "文件不是 UTF-8 编码的 CSV 表格：{reason}",
)
NO_COLUMN = Text("the first row names no column {name}", "首行缺少 {name} 列")
OTHER_COLUMN = Text(
    "there is no column {name}; there are: {known}", "没有 {name} 列；可用的列：{known}"
)
TOO_MANY_ROWS = Text("a file has at most {most} rows", "一个文件最多 {most} 行")
NO_ROWS = Text("the file has no row below the first", "文件首行之下没有数据行")
TWICE = Text("line {line} has the same {what}", "与第 {line} 行的{what_zh}相同")
ONLY_DIRECT = Text(
    "nodeType is {given}: only those that are reached directly come from a file",
    "nodeType 为 {given}：只能导入直连的边缘服务",
)
NO_PASSWORD = Text("there is no password", "缺少密码")
