"""What brokers and the client library say about a connection or a message, in both languages."""

from __future__ import annotations

from paho.mqtt.reasoncodes import ReasonCode

from rookery.words import Words

_ZH = {
    "Normal disconnection": "正常断开",
    "Disconnect with will message": "断开并发布遗嘱消息",
    "Unspecified error": "未指明的错误",
    "Malformed packet": "报文格式错误",
    "Protocol error": "协议错误",
    "Implementation specific error": "服务器自身的限制",
    "Unsupported protocol version": "不支持的协议版本",
    "Client identifier not valid": "客户端标识符无效",
    "Bad user name or password": "用户名或密码错误",
    "Not authorized": "未授权",
    "Server unavailable": "服务器不可用",
    "Server busy": "服务器繁忙",
    "Banned": "已被封禁",
    "Server shutting down": "服务器正在关闭",
    "Bad authentication method": "认证方法错误",
    "Keep alive timeout": "保活超时",
    "Session taken over": "会话被接管",
    "Topic filter invalid": "主题过滤器无效",
    "Topic name invalid": "主题名无效",
    "Packet identifier in use": "报文标识符已被占用",
    "Packet identifier not found": "报文标识符不存在",
    "Receive maximum exceeded": "超出接收最大值",
    "Topic alias invalid": "主题别名无效",
    "Packet too large": "报文过大",
    "Message rate too high": "消息速率过高",
    "Quota exceeded": "超出配额",
    "Administrative action": "管理操作",
    "Payload format invalid": "载荷格式无效",
    "Retain not supported": "不支持保留消息",
    "QoS not supported": "不支持该 QoS",
    "Use another server": "请使用其他服务器",
    "Server moved": "服务器已迁移",
    "Shared subscription not supported": "不支持共享订阅",
    "Connection rate exceeded": "连接速率过高",
    "Maximum connect time": "超出最长连接时间",
    "Subscription identifiers not supported": "不支持订阅标识符",
    "Wildcard subscription not supported": "不支持通配符订阅",
    # What the client library says of a message or filter that it does not send.
    "Invalid host.": "主机名无效",
    "Invalid topic.": "主题无效",
    "Invalid subscription filter.": "主题过滤器无效",
    "Publish topic cannot contain wildcards.": "发布主题不能包含通配符",
    "Publish topic is too long.": "发布主题过长",
    "Payload too large.": "载荷过大",
}


def reason_words(reason: ReasonCode | Exception | str) -> Words:
    """The reason by its name in the specification; what has no other words there stays English."""
    text = reason.getName() if isinstance(reason, ReasonCode) else str(reason)
    return Words(text, _ZH.get(text, text))
