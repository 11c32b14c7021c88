"""Errors of an edge service, with the numbers that users' scripts know from Neuron.

    raise EdgeError(NODE_NOT_EXIST, name=name)

An :class:`ErrorKind` is the number with its words; :data:`KINDS` has all of them by number.
"""

from __future__ import annotations

from dataclasses import dataclass

from rookery.errors import RookeryError
from rookery.words import Words

KINDS: dict[int, ErrorKind] = {}


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """A number, the kind of Rookery's own errors that it belongs to, and a sentence with places."""

    number: int
    code: str
    words: Words


def _kind(number: int, code: str, en: str, zh: str) -> ErrorKind:
    made = KINDS[number] = ErrorKind(number, code, Words(en, zh))
    return made


class EdgeError(RookeryError):
    """Something cannot be done; ``number`` is the ``error`` of an answer.

    Attributes:
        index: Of the element of a list that is wrong, where one is.
    """

    def __init__(self, kind: ErrorKind, /, *, index: int | None = None, **values: object) -> None:
        self.kind = kind
        self.words = kind.words.format(**values)
        self.index = index
        super().__init__(self.words.en, code=kind.code, message_zh=self.words.zh)

    @property
    def number(self) -> int:
        return self.kind.number

    def at(self, index: int) -> EdgeError:
        """The same, of that element of a list."""
        self.index = index
        return self


_BAD = "BAD_REQUEST"
_MISSING = "NOT_FOUND"
_TAKEN = "ALREADY_EXISTS"
_FULL = "EXCEED_LIMIT"
_AWAY = "SERVICE_UNAVAILABLE"

INTERNAL = _kind(1001, "INTERNAL_ERROR", "internal error: {reason}", "内部错误：{reason}")
BODY_IS_WRONG = _kind(1002, _BAD, "the body is wrong: {reason}", "请求体错误：{reason}")
PARAM_IS_WRONG = _kind(1003, _BAD, "{name}: {reason}", "{name}：{reason}")
NEED_TOKEN = _kind(
    1004,
    "UNAUTHORIZED",
    "say who asks: Authorization: Bearer TOKEN",
    "缺少凭据：Authorization: Bearer TOKEN",
)
DECODE_TOKEN = _kind(1005, "UNAUTHORIZED", "that is no token", "令牌无法解析")
EXPIRED_TOKEN = _kind(
    1006, "UNAUTHORIZED", "the token has expired: sign in again", "令牌已过期，请重新登录"
)
VALIDATE_TOKEN = _kind(1007, "UNAUTHORIZED", "the token is not valid", "令牌校验失败")
INVALID_TOKEN = _kind(1008, "UNAUTHORIZED", "the token is not valid", "令牌无效")
INVALID_USER_OR_PASSWORD = _kind(
    1009, "UNAUTHORIZED", "user name or password is wrong", "用户名或密码错误"
)
IS_BUSY = _kind(1010, _AWAY, "busy, try again in a moment", "服务繁忙，请稍后重试")
FILE_NOT_EXIST = _kind(1011, _MISSING, "there is no file {name}", "文件 {name} 不存在")
INVALID_PASSWORD_LEN = _kind(1012, _BAD, "{reason}", "{reason}")
DUPLICATE_PASSWORD = _kind(1013, _BAD, "the new password is the old one", "新密码不能与旧密码相同")
INVALID_USER = _kind(1017, _BAD, "{reason}", "{reason}")

NODE_EXIST = _kind(2002, _TAKEN, "there is a node {name} already", "节点 {name} 已存在")
NODE_NOT_EXIST = _kind(2003, _MISSING, "there is no node {name}", "节点 {name} 不存在")
NODE_SETTING_INVALID = _kind(
    2004, _BAD, "the setting {field}: {reason}", "配置项 {field}：{reason}"
)
NODE_SETTING_NOT_FOUND = _kind(
    2005, _MISSING, "nobody has set up the node {name} yet", "节点 {name} 尚未配置"
)
NODE_NOT_READY = _kind(
    2006,
    _TAKEN,
    "the node {name} cannot run yet: set it up first",
    "节点 {name} 尚未就绪，请先完成配置",
)
NODE_IS_RUNNING = _kind(2007, _TAKEN, "the node {name} runs already", "节点 {name} 正在运行")
NODE_NOT_RUNNING = _kind(2008, _TAKEN, "the node {name} does not run", "节点 {name} 未运行")
NODE_IS_STOPPED = _kind(2009, _TAKEN, "the node {name} is stopped already", "节点 {name} 已停止")
NODE_NAME_TOO_LONG = _kind(
    2010, _BAD, "a node's name has at most {most} characters", "节点名称最多 {most} 个字符"
)
NODE_NOT_ALLOW_SUBSCRIBE = _kind(
    2012, _BAD, "{name} is no application, it cannot subscribe", "{name} 不是北向应用，不能订阅"
)
NODE_NOT_ALLOW_UPDATE = _kind(
    2013, _BAD, "{name} cannot be changed: {reason}", "{name} 不允许修改：{reason}"
)
NODE_NAME_EMPTY = _kind(2015, _BAD, "a node needs a name", "节点名称不能为空")
NODE_MAX_NODES = _kind(
    2016, _FULL, "there are {most} nodes already, which is the limit", "节点数已达上限 {most}"
)

GROUP_ALREADY_SUBSCRIBED = _kind(
    2101,
    _TAKEN,
    "{app} has subscribed to {driver} / {group} already",
    "{app} 已订阅 {driver} / {group}",
)
GROUP_NOT_SUBSCRIBE = _kind(
    2102,
    _MISSING,
    "{app} has not subscribed to {driver} / {group}",
    "{app} 未订阅 {driver} / {group}",
)
GROUP_NOT_ALLOW = _kind(
    2103, _BAD, "{name} is no driver, it has no groups", "{name} 不是南向驱动，没有组"
)
GROUP_EXIST = _kind(2104, _TAKEN, "{node} has a group {name} already", "{node} 中已有组 {name}")
GROUP_PARAMETER_INVALID = _kind(
    2105, _BAD, "the group's {field}: {reason}", "组的 {field}：{reason}"
)
GROUP_NOT_EXIST = _kind(2106, _MISSING, "{node} has no group {name}", "{node} 中没有组 {name}")
GROUP_NAME_TOO_LONG = _kind(
    2107, _BAD, "a group's name has at most {most} characters", "组名称最多 {most} 个字符"
)
GROUP_MAX_GROUPS = _kind(
    2108,
    _FULL,
    "{node} has {most} groups already, which is the limit",
    "{node} 的组数已达上限 {most}",
)

TAG_NOT_EXIST = _kind(
    2201, _MISSING, "there is no tag {name} in {group}", "{group} 中没有点位 {name}"
)
TAG_NAME_CONFLICT = _kind(
    2202, _TAKEN, "{group} has a tag {name} already", "{group} 中已有点位 {name}"
)
TAG_ATTRIBUTE_NOT_SUPPORT = _kind(
    2203, _BAD, "tag {name}: attribute: {reason}", "点位 {name}：属性：{reason}"
)
TAG_TYPE_NOT_SUPPORT = _kind(
    2204, _BAD, "tag {name}: type: {reason}", "点位 {name}：类型：{reason}"
)
TAG_ADDRESS_FORMAT_INVALID = _kind(
    2205, _BAD, "tag {name}: address {address}: {reason}", "点位 {name}：地址 {address}：{reason}"
)
TAG_NAME_TOO_LONG = _kind(
    2206, _BAD, "a tag's name has 1 to {most} characters", "点位名称应为 1 到 {most} 个字符"
)
TAG_ADDRESS_TOO_LONG = _kind(
    2207,
    _BAD,
    "tag {name}: an address has at most {most} characters",
    "点位 {name}：地址最多 {most} 个字符",
)
TAG_DESCRIPTION_TOO_LONG = _kind(
    2208,
    _BAD,
    "tag {name}: a description has at most {most} characters",
    "点位 {name}：描述最多 {most} 个字符",
)
TAG_PRECISION_INVALID = _kind(
    2209,
    _BAD,
    "tag {name}: precision is a whole number from 0 to {most}",
    "点位 {name}：精度应为 0 到 {most} 的整数",
)
TAG_PARAMETER_INVALID = _kind(
    2211, _BAD, "tag {name}: {field}: {reason}", "点位 {name}：{field}：{reason}"
)
TAG_MAX_TAGS = _kind(2212, _FULL, "a service has at most {most} tags", "一个服务最多 {most} 个点位")

LIBRARY_NOT_FOUND = _kind(2301, _MISSING, "there is no plugin {name}", "插件 {name} 不存在")
LIBRARY_FAILED_TO_OPEN = _kind(
    2304, _AWAY, "the plugin {name} cannot be used: {reason}", "插件 {name} 不可用：{reason}"
)

TEMPLATE_EXIST = _kind(2500, _TAKEN, "there is a template {name} already", "模板 {name} 已存在")
TEMPLATE_NOT_FOUND = _kind(2501, _MISSING, "there is no template {name}", "模板 {name} 不存在")

READ_FAILURE = _kind(
    3000, _AWAY, "the device refuses to read it: {reason}", "设备拒绝读取：{reason}"
)
WRITE_FAILURE = _kind(
    3001, _AWAY, "the device did not take the value: {reason}", "写入设备失败：{reason}"
)
DISCONNECTED = _kind(3002, _AWAY, "not connected to the device", "设备未连接")
NOT_ALLOW_READ = _kind(3003, _BAD, "tag {name} cannot be read", "点位 {name} 不可读")
NOT_ALLOW_WRITE = _kind(3004, _BAD, "tag {name} cannot be written", "点位 {name} 不可写")
TYPE_MISMATCH = _kind(3007, _BAD, "tag {name}: {reason}", "点位 {name}：{reason}")
VALUE_EXPIRED = _kind(
    3008, _AWAY, "the value is old: no answer since", "数据已过期：此后设备无应答"
)
DECODE_FAILURE = _kind(
    3009, _AWAY, "what the device sent cannot be understood: {reason}", "设备数据无法解析：{reason}"
)
NOT_RUNNING = _kind(3010, _TAKEN, "the node {name} does not run", "节点 {name} 未运行")
NOT_READY = _kind(3011, _AWAY, "it has not been read yet", "尚未采集到数据")
NO_RESPONSE = _kind(3015, _AWAY, "the device does not answer", "设备无响应")
NOT_SUPPORTED = _kind(
    3016, "NOT_AVAILABLE", "{plugin} cannot do that: {what}", "{plugin} 不支持该操作：{what}"
)

MQTT_CONNECT_FAILURE = _kind(4007, _AWAY, "{reason}", "{reason}")
MQTT_IS_FULL = _kind(
    4014, _AWAY, "the cache is full, the oldest was dropped", "缓存已满，最早的数据已被丢弃"
)

DELIVERY_NOT_LAST = _kind(
    9001,
    "CONFLICT",
    "this delivery is not the last one of its template here: nothing can be taken back",
    "该下发不是此模板在本服务上的最近一次下发，无法回滚",
)
DELIVERY_NOTHING_BEFORE = _kind(
    9002,
    "CONFLICT",
    "what was there before this delivery is not kept any more",
    "下发之前的配置已不再保留，无法回滚",
)
DELIVERY_MAX = _kind(
    9003,
    _FULL,
    "configuration of {most} templates is here already, which is the limit",
    "本服务上的模板配置数已达上限 {most}",
)
