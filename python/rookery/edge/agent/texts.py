"""What is said about the connection to a control plane."""

from __future__ import annotations

from rookery.words import Words

BAD_ADDRESS = Words(
    "address: HOST:PORT of the control plane, such as control.example.com:31883; {given} is none",
    "address：请填写控制平台的 主机:端口，例如 control.example.com:31883；“{given}”无效",
)
NO_ADDRESS = Words(
    "address: say where the control plane is, such as control.example.com:31883",
    "address：请填写控制平台地址，例如 control.example.com:31883",
)
NO_ACCOUNT = Words(
    "username and password: the control plane asks for them at first contact",
    "username、password：首次接入控制平台时需要用户名和密码",
)
NOT_BASE64 = Words("{field}: not base64 of a PEM file", "{field}：不是 PEM 文件的 base64 编码")
BAD_FILE = Words("{field}: cannot be used: {reason}", "{field}：无法使用：{reason}")
BOTH_OF_PAIR = Words(
    "certificationRaw and privateKeyRaw belong together: give both, or neither",
    "certificationRaw 与 privateKeyRaw 须同时提供，或均不提供",
)
CONTROLS = Words("{field}: has control characters", "{field}：包含控制字符")
WRONG_SCHEME = Words(
    "address begins with ssl:// and enableSSL is off: switch it on, or write tcp://",
    "address 以 ssl:// 开头，但 enableSSL 未开启：请开启，或改用 tcp://",
)

WRONG_PASSWORD = Words(
    "{address} refuses the user name or the password: see Agent access in the control plane",
    "{address} 拒绝了用户名或密码：请核对控制平台“代理接入”中的账号",
)
ENROLMENT_CLOSED = Words(
    "{address} takes in no new agents at present: its administrator has to open enrolment",
    "{address} 当前不接受新的代理：请管理员在控制平台开放代理注册",
)
TOO_MANY = Words(
    "{address} has too many agents that ask at once, or that wait to be adopted; it is asked again",
    "{address} 同时接入或等待纳管的代理过多，稍后重试",
)
TOO_OFTEN = Words(
    "{address} takes no connection of this edge service for a while: it connected too often; does a copy of it "
    "run somewhere?",
    "{address} 暂不接受该边缘服务的连接：连接过于频繁，是否有另一个副本在运行？",
)
REFUSED = Words("{address} refuses the agent: {reason}", "{address} 拒绝了代理：{reason}")
NO_ANSWER = Words(
    "{address} is a broker and gave no answer to the agent: is it the relay of a control plane?",
    "{address} 可连接但未应答代理请求：请确认其为控制平台的代理服务地址",
)
REJECTED = Words(
    "the control plane rejected this service: {reason}", "控制平台已拒绝本服务：{reason}"
)
REMOVED = Words(
    "the control plane removed this service: {reason}. Save the settings to ask again",
    "控制平台已移除本服务：{reason}。如需重新接入，请再次保存代理配置",
)
TAKEN_OVER = Words(
    "another edge service connected with the identity of this one: was its data directory copied?",
    "另一个边缘服务使用了相同的身份接入：数据目录是否被复制？",
)
SILENT = Words("the control plane acknowledges nothing", "控制面无应答")
LOST = Words("the connection was lost: {reason}", "连接已断开：{reason}")

EXPIRED = Words(
    "the certificate of {address} has expired: renew it at the control plane, or set the clock of this machine",
    "{address} 的证书已过期：请在控制平台更换证书，或校准本机时间",
)
NOT_YET = Words(
    "the certificate of {address} is not valid yet: set the clock of this machine",
    "{address} 的证书尚未生效：请校准本机时间",
)
NOT_TRUSTED = Words(
    "the certificate of {address} is not trusted ({why}): upload the CA certificate that the control plane "
    "exports",
    "{address} 的证书不受信任（{why}）：请上传控制平台导出的 CA 证书",
)
OTHER_NAME = Words(
    "the certificate of {address} is for another name ({why}): use a name or address that it has",
    "{address} 的证书属于其他名称（{why}）：请使用证书所包含的名称或地址",
)
WANTS_CERTIFICATE = Words(
    "{address} wants a client certificate: upload one with its key",
    "{address} 要求客户端证书：请上传客户端证书与私钥",
)
OWN_NOT_ACCEPTED = Words(
    "{address} does not accept the client certificate ({why}): upload one that its authority signed",
    "{address} 不接受本服务的客户端证书（{why}）：请上传由其 CA 签发的证书",
)
OWN_EXPIRED = Words(
    "{address} says that the client certificate has expired: upload a newer one",
    "{address} 提示客户端证书已过期：请上传新的证书",
)
NO_TLS = Words(
    "{address} does not speak TLS: switch SSL/TLS off, or use the port that does (38883)",
    "{address} 未使用 TLS：请关闭 SSL/TLS，或改用 TLS 端口（38883）",
)
TLS = Words("TLS with {address} failed: {why}", "与 {address} 的 TLS 握手失败：{why}")
SPEAKS_TLS = Words(
    "{address} closed the connection at once: if that is the port with TLS, switch SSL/TLS on",
    "{address} 立即关闭了连接：若该端口使用 TLS，请开启 SSL/TLS",
)
