"""What the operations about alarms tell people."""

from __future__ import annotations

from rookery.control.errors import Text

NO_ALARM = Text("there is no such alarm", "告警不存在")
NO_STORM = Text("there is no alarm storm", "当前没有告警风暴")
NO_RULE = Text("there is no such rule", "告警规则不存在")
NO_THRESHOLD = Text("this rule has no threshold", "该规则没有阈值")
NEEDS_THRESHOLD = Text("this rule needs a threshold", "该规则需要阈值")
NO_WINDOW = Text("there is no such maintenance window", "维护时间窗不存在")
BAD_WINDOW = Text("a maintenance window ends after it begins", "维护时间窗的结束时间应晚于开始时间")
LONG_WINDOW = Text(
    "a window that comes back is shorter than the time between two of them",
    "重复的维护时间窗应短于其重复周期",
)
NO_CLUSTER = Text("the project has no cluster {id}", "项目中没有集群 {id}")
NO_CHANNEL = Text("there is no such push configuration", "推送配置不存在")
CHANNELS_MAX = Text(
    "a project has at most {most} push configurations", "每个项目最多 {most} 个推送配置"
)
WINDOWS_MAX = Text(
    "a project has at most {most} maintenance windows", "每个项目最多 {most} 个维护时间窗"
)
COMMENTS_MAX = Text("an alarm has at most {most} comments", "每条告警最多 {most} 条评论")
NAME_TAKEN = Text("{name} is taken", "名称 {name} 已被使用")
NO_WAY = Text(
    "choose who is told: receivers of mail, a webhook, or both",
    "请填写邮件接收人或 Webhook，或两者都填",
)
NO_URL = Text("a webhook needs an address", "Webhook 需要填写地址")
BAD_URL = Text(
    "the address of a webhook is http:// or https:// with a host, without user name and password",
    "Webhook 地址应为 http:// 或 https:// 加主机名，不含用户名和密码",
)
PRESET_HTTPS = Text("this service is called by https://", "该服务须使用 https:// 地址")
BAD_HEADER = Text("{name} cannot be used as a header", "请求头 {name} 无效")
SECRETS_AGAIN = Text(
    "what is kept secret belongs to another host: enter headers and secret again",
    "已保存的请求头和密钥属于其他主机，请重新填写",
)
NO_SUCH_WAY = Text("this configuration does not tell by {medium}", "该配置未启用 {medium}")
NOT_SENT = Text("it was not sent: {reason}", "发送失败：{reason}")
NO_DELIVERY = Text(
    "there is no such message, or it has no configuration any more", "推送记录不存在或其配置已删除"
)
STILL_WAITS = Text("the message waits to be sent already", "该消息已在等待发送")
NO_MEMBER = Text("nobody of this project has that id", "该用户不属于此项目")
BAD_TOKEN = Text("the alarm token is not known", "告警令牌无效")
TOO_OLD = Text("the alarm is older than {minutes} minutes", "告警时间早于 {minutes} 分钟前")
CUSTOM_OFF = Text("custom alarms are switched off in this project", "此项目未启用自定义告警")
STORM = Text("there is an alarm storm: nothing is taken", "发生告警风暴，已停止接收告警")
CURRENT_MAX = Text("there are {most} current alarms, no more are taken", "当前告警已达 {most} 条")
TOO_FAST = Text("at most {most} alarms a minute", "每分钟最多 {most} 条告警")
