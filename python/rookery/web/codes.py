"""Every error code of the REST interface: its usual HTTP status and what it means.

EMQX's codes keep EMQX's meaning. ``GET /error_codes`` of a node shows those that a node says, the OpenAPI document and
``rookery.web.errors`` read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class ErrorCode(NamedTuple):
    """One code."""

    status: int
    description: str
    zh: str

    def text(self, language: str) -> str:
        """What it means."""
        return self.zh if language == "zh" else self.description


ERROR_CODES: Mapping[str, ErrorCode] = {
    # Who asks.
    "AUTHORIZATION_HEADER_ERROR": ErrorCode(
        401, "No usable Authorization header", "缺少可用的 Authorization 头"
    ),
    "BAD_API_KEY_OR_SECRET": ErrorCode(401, "Bad API key or secret", "API 密钥或密文错误"),
    "API_KEY_NOT_ALLOW": ErrorCode(
        401,
        "API keys may not do this; sign in as a user",
        "API 密钥不能执行此操作，请以用户身份登录",
    ),
    "BAD_TOKEN": ErrorCode(401, "The token is not known, or was revoked", "令牌无效或已被吊销"),
    "TOKEN_TIME_OUT": ErrorCode(
        401, "The token has expired; sign in again", "令牌已过期，请重新登录"
    ),
    "BAD_USERNAME_OR_PWD": ErrorCode(401, "Bad username or password", "用户名或密码错误"),
    "BAD_SSO_CODE": ErrorCode(
        401, "The sign-in code is not known, was used, or has expired", "登录码无效、已使用或已过期"
    ),
    "SECOND_FACTOR_REQUIRED": ErrorCode(
        401, "Send the code of the second factor, too", "还需要提供两步验证码"
    ),
    "BAD_SECOND_FACTOR": ErrorCode(
        401, "The code of the second factor is wrong, or was used", "两步验证码错误或已被使用"
    ),
    "LOGIN_LOCKED": ErrorCode(
        401, "Too many bad passwords; try again later", "密码错误次数过多，请稍后再试"
    ),
    "PASSWORD_CHANGE_REQUIRED": ErrorCode(403, "Change the password first", "请先修改密码"),
    "SECOND_FACTOR_SETUP_REQUIRED": ErrorCode(
        403, "Set up a second factor first", "请先启用两步验证"
    ),
    "UNAUTHORIZED_ROLE": ErrorCode(
        403, "The role of the caller does not allow this", "调用者的角色无权执行此操作"
    ),
    "FORBIDDEN": ErrorCode(403, "This is not allowed", "不允许此操作"),
    "CROSS_ORIGIN": ErrorCode(
        403, "Pages of other origins may not use this interface", "其他来源的页面不能使用此接口"
    ),
    # What is asked.
    "BAD_REQUEST": ErrorCode(400, "Request parameters are invalid", "请求参数无效"),
    "INVALID_PARAMS": ErrorCode(400, "Parameters are invalid", "参数无效"),
    "INVALID_PARAMETER": ErrorCode(400, "A parameter is invalid", "参数无效"),
    "BAD_CONFIG": ErrorCode(400, "The configuration cannot be used", "配置无法使用"),
    "BAD_CONFIG_SCHEMA": ErrorCode(
        400, "The configuration does not fit its schema", "配置不符合其模式"
    ),
    "BAD_NODE_NAME": ErrorCode(400, "Bad node name", "节点名称错误"),
    "BAD_RPC": ErrorCode(400, "A node could not be asked", "无法访问节点"),
    "BAD_TOPIC": ErrorCode(
        400, "Topic syntax error, or no such topic name", "主题语法错误，或没有该主题"
    ),
    "INVALID_TOPIC_NAME": ErrorCode(400, "That is no topic name", "不是有效的主题名"),
    "INVALID_NODE": ErrorCode(400, "There is no such node", "没有该节点"),
    "BAD_PLUGIN_INFO": ErrorCode(400, "The archive is no plugin", "该压缩包不是插件"),
    "BAD_LISTENER_ID": ErrorCode(400, "Bad listener id", "监听器 ID 错误"),
    "MOVE_FAILED": ErrorCode(400, "The plugin cannot be moved there", "插件不能移动到该位置"),
    "PLUGIN_FAILED": ErrorCode(
        400, "The plugin does not start, or refuses", "插件未能启动或拒绝了请求"
    ),
    "ALREADY_INSTALLED": ErrorCode(400, "The plugin is installed already", "插件已安装"),
    "ERROR_PWD_NOT_MATCH": ErrorCode(400, "The old password is wrong", "旧密码错误"),
    "INVALID_ID": ErrorCode(400, "Bad id", "ID 错误"),
    "MESSAGE_ID_SCHEMA_ERROR": ErrorCode(400, "Bad message id", "消息 ID 错误"),
    "INVALID_ACCEPT": ErrorCode(
        400, "No form of the answer that is asked for", "不支持所要求的应答格式"
    ),
    "NO_DEFAULT_VALUE": ErrorCode(
        400, "There is no default value to go back to", "没有可恢复的默认值"
    ),
    "ADDRESS_NOT_PROVEN": ErrorCode(
        409,
        "Nobody has shown whose e-mail address the account has",
        "该账户的邮箱尚未证实归属",
    ),
    "DEPENDENCY_EXISTS": ErrorCode(400, "Something else depends on it", "仍被其他对象使用"),
    "TEST_FAILED": ErrorCode(400, "The test of the settings failed", "设置未通过测试"),
    "UPDATE_FAILED": ErrorCode(400, "The update was refused", "更新被拒绝"),
    "NOT_ALLOWED": ErrorCode(400, "This cannot be done to this one", "不能对该对象执行此操作"),
    "NOT_MATCH": ErrorCode(412, "The conditions do not match", "条件不匹配"),
    "EXCEED_LIMIT": ErrorCode(413, "More than the limit allows", "超出上限"),
    "UNSUPPORTED_MEDIA_TYPE": ErrorCode(
        415, "The body has a content type that is not taken here", "此处不接受该内容类型"
    ),
    "METHOD_NOT_ALLOWED": ErrorCode(
        405, "The path is known, the method is not", "路径存在，但不支持该方法"
    ),
    # What is there.
    "NOT_FOUND": ErrorCode(404, "Not found", "未找到"),
    "CLIENTID_NOT_FOUND": ErrorCode(404, "Client id not found", "未找到该客户端 ID"),
    "CLIENT_NOT_FOUND": ErrorCode(404, "Client not found", "未找到该客户端"),
    "MESSAGE_ID_NOT_FOUND": ErrorCode(404, "Message id not found", "未找到该消息 ID"),
    "MESSAGE_NOT_FOUND": ErrorCode(404, "No message waits for that topic", "该主题没有等待的消息"),
    "RESOURCE_NOT_FOUND": ErrorCode(404, "Resource not found", "未找到该资源"),
    "TOPIC_NOT_FOUND": ErrorCode(404, "Topic not found", "未找到该主题"),
    "USER_NOT_FOUND": ErrorCode(404, "User not found", "未找到该用户"),
    "UNREGISTERED": ErrorCode(
        410,
        "The agent was removed; it needs a new registration token",
        "代理已被移除，需要新的注册令牌",
    ),
    "ALREADY_EXISTS": ErrorCode(409, "It exists already", "已存在"),
    "DUPLICATE_CONDITION": ErrorCode(
        409, "There is one about the same already", "已有相同条件的对象"
    ),
    "CONFLICT": ErrorCode(409, "What is there stands against it", "与现有内容冲突"),
    # The node.
    "INTERNAL_ERROR": ErrorCode(
        500, "Server internal error; the log says more", "服务器内部错误，详情见日志"
    ),
    "RESET_FAILED": ErrorCode(500, "The reset failed", "重置失败"),
    "NOT_AVAILABLE": ErrorCode(
        501, "Known, but not part of this version", "已知功能，但此版本未包含"
    ),
    "SERVICE_UNAVAILABLE": ErrorCode(503, "Service unavailable", "服务不可用"),
    "SOURCE_ERROR": ErrorCode(503, "A source of data failed", "数据源出错"),
    "NODE_EVACUATING": ErrorCode(503, "The node is being emptied", "节点正在疏散"),
    "CLIENT_NOT_RESPONSE": ErrorCode(504, "The client does not answer", "客户端没有应答"),
    "TIMEOUT": ErrorCode(504, "The answer did not come in time", "未能及时得到应答"),
}

OF_CONTROL = frozenset(
    {
        "ADDRESS_NOT_PROVEN",
        "BAD_SECOND_FACTOR",
        "SECOND_FACTOR_REQUIRED",
        "SECOND_FACTOR_SETUP_REQUIRED",
        "UNREGISTERED",
    }
)
"""Codes that the control plane alone says."""
