"""What the features of mail tell people. Each text names the hop that failed."""

from __future__ import annotations

from rookery.control.errors import Text

NOT_SET = Text("no mail server is set", "尚未配置邮件服务器")
NO_NAME = Text("the name {host} cannot be resolved: {reason}", "无法解析主机名 {host}：{reason}")
REFUSED = Text(
    "{host}:{port} refuses the connection: no mail server listens there",
    "{host}:{port} 拒绝连接：该端口没有邮件服务",
)
UNREACHABLE = Text("{host}:{port} cannot be reached: {reason}", "无法连接 {host}:{port}：{reason}")
TOO_LATE = Text("{host}:{port} did not answer in time", "{host}:{port} 未及时应答")
BROKE_OFF = Text(
    "{host}:{port} closed the connection; does it speak TLS from the beginning (tls) instead?",
    "{host}:{port} 关闭了连接；该端口可能要求直接使用 TLS（tls）",
)
CERTIFICATE = Text(
    "the TLS certificate of {host} is not trusted: {reason}", "{host} 的 TLS 证书不受信任：{reason}"
)
TLS = Text(
    "TLS with {host}:{port} failed: {reason}; does it speak starttls instead?",
    "与 {host}:{port} 的 TLS 握手失败：{reason}；该端口可能要求 starttls",
)
NO_STARTTLS = Text("{host}:{port} does not offer starttls", "{host}:{port} 不支持 starttls")
NO_LOGIN = Text(
    "{host} takes no user and password on this connection",
    "{host} 在此连接上不接受用户名和密码",
)
PASSWORD = Text("{host} refuses user and password: {answer}", "{host} 拒绝了用户名和密码：{answer}")
SENDER = Text(
    "{host} does not send for {sender}: {answer}", "{host} 不允许以 {sender} 发送：{answer}"
)
RECIPIENT = Text(
    "{host} does not take mail for {recipient}: {answer}",
    "{host} 不接收发往 {recipient} 的邮件：{answer}",
)
ANSWER = Text("{host} refuses the message: {answer}", "{host} 拒绝了邮件：{answer}")
PASSWORD_AGAIN = Text(
    "the password that is kept belongs to another server or user: enter it again",
    "已保存的密码属于另一服务器或用户，请重新输入密码",
)
PLAIN_PASSWORD = Text(
    "a password is not sent without encryption: choose starttls or tls",
    "不会以明文发送密码，请选择 starttls 或 tls",
)
QUEUE_FULL = Text(
    "{most} messages wait to be sent: the mail server takes none",
    "已有 {most} 封邮件等待发送，邮件服务器未接收",
)
TEST_SUBJECT = Text("Rookery: test of the mail server", "Rookery：邮件服务器测试")
TEST_BODY = Text(
    "This message was sent to try out the mail server of the control plane at {address}.\n"
    "It arrived, so the settings work.\n",
    "这是控制面 {address} 发送的测试邮件。\n收到此邮件说明邮件服务器配置正确。\n",
)
