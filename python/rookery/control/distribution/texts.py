"""What distribution says, in English and Chinese."""

from __future__ import annotations

from rookery.control.errors import Text

NO_TEMPLATE = Text("there is no such template", "模板不存在")
NO_VERSION = Text("the template has no version {number}", "模板没有版本 {number}")
NO_DELIVERY = Text("there is no such delivery", "下发任务不存在")
NAME_TAKEN = Text(
    "the project has a template called {name} already", "项目中已存在名为 {name} 的模板"
)
TOO_MANY_TEMPLATES = Text("a project has at most {most} templates", "每个项目最多 {most} 个模板")
TOO_MANY_VERSIONS = Text(
    "a template has at most {most} versions: make a new template",
    "每个模板最多 {most} 个版本，请新建模板",
)
TOO_MANY_TARGETS = Text(
    "{count} edge services are meant, at most {most} at once: choose more labels, or some of them",
    "选中了 {count} 个边缘服务，单次最多 {most} 个，请增加标签条件或只选择其中一部分",
)
TOO_MANY_OPEN = Text(
    "{most} deliveries of this project are under way: wait for one, or stop one",
    "本项目已有 {most} 个下发任务正在进行，请等待其完成或停止其中之一",
)
NO_TARGETS = Text(
    "no edge service of the project has all of these labels, or is one of those named",
    "项目中没有符合标签或指定的边缘服务",
)
GONE_TARGET = Text(
    "the edge service {id} is not in this project, or does not have these labels",
    "边缘服务 {id} 不在本项目中，或不具有所选标签",
)
BUSY = Text(
    "delivery {id} of this template is under way: wait for it, or stop it",
    "该模板的下发任务 {id} 正在进行，请等待完成或先停止",
)
NOT_RUNNING = Text("the delivery is over already", "下发任务已结束")
NOTHING_TO_TAKE_BACK = Text(
    "nothing of this delivery can be taken back: it succeeded nowhere",
    "该下发任务没有成功的目标，无需回滚",
)
IS_ROLLBACK = Text(
    "this is a rollback itself: deliver the version that you want",
    "该任务本身是回滚，如需恢复请重新下发所需版本",
)
NOT_JSON = Text("the content is no JSON: {reason}", "模板内容不是 JSON：{reason}")
NOT_A_DOCUMENT = Text(
    "the content is no configuration of an edge service: {reason}",
    "模板内容不是边缘服务的配置：{reason}",
)
TOO_DEEP = Text("the content is nested more than {most} levels deep", "模板内容嵌套超过 {most} 层")
UNKNOWN_PARAMETER = Text(
    "the content uses ${{{name}}}, and there is no such parameter",
    "模板内容使用了未定义的参数 ${{{name}}}",
)
UNUSED_PARAMETER = Text(
    "the parameter {name} is used nowhere in the content", "模板内容未使用参数 {name}"
)
TWICE = Text("the parameter {name} is there twice", "参数 {name} 重复")
FOREIGN_VALUE = Text("there is no parameter {name}", "参数 {name} 不存在")
NO_VALUE = Text("the parameter {name} has no value", "参数 {name} 没有值")
NO_NUMBER = Text("the parameter {name} is no number: {value}", "参数 {name} 不是数字：{value}")
NO_BOOLEAN = Text(
    "the parameter {name} is neither true nor false: {value}",
    "参数 {name} 不是 true 或 false：{value}",
)
HIDDEN_DEFAULT = Text(
    "the default of {name} is hidden, and there is none that it could stay: write it",
    "参数 {name} 的默认值被隐藏，且没有可沿用的值，请填写",
)
OF_SERVICE = Text("edge service {service}: {reason}", "边缘服务 {service}：{reason}")
AT_LEAST_ONE_NODE = Text("the content names no node", "模板内容未包含任何节点")
NODE_WITHOUT_NAME = Text(
    "node {number} of the content has no name or no plugin",
    "模板内容的第 {number} 个节点缺少名称或插件",
)
EDGE_SAYS = Text("the edge service refuses it: {reason}", "边缘服务拒绝：{reason}")
EDGE_OLD = Text(
    "the edge service is too old to take deliveries: update it",
    "边缘服务版本过旧，不支持配置下发，请先升级",
)
EDGE_ODD = Text(
    "the edge service gave an answer that cannot be read ({status})",
    "边缘服务的应答无法识别（{status}）",
)
EXPIRED = Text(
    "it could not be reached while its wave lasted: {reason}", "在本批次时限内未能送达：{reason}"
)
STOPPED_BEFORE = Text("not delivered: the delivery was stopped", "未下发：任务已停止")
STOPPED_BY_FAILURES = Text(
    "not delivered: {count} failed in wave {wave}", "未下发：第 {wave} 批中有 {count} 个失败"
)
