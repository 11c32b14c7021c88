"""Settings of the OPC UA driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rookery.edge.errors import NODE_SETTING_INVALID, EdgeError
from rookery.edge.schema import Choice, Field
from rookery.words import Words

NONE, BASIC256SHA256, AES128, AES256 = range(4)
SIGN, SIGN_AND_ENCRYPT = 2, 3
READ, SUBSCRIBE = range(2)
_SECURE = (BASIC256SHA256, AES128, AES256)

_NO_URL = Words("must begin with opc.tcp://", "应以 opc.tcp:// 开头")
_KEY_TOO = Words(
    "security needs a certificate of this client and its key",
    "启用安全策略时须填写客户端证书和私钥",
)


def _url(text: str) -> Words | None:
    return None if text.startswith("opc.tcp://") else _NO_URL


def _same(text: str) -> Words:
    return Words(text, text)


FIELDS = (
    Field(
        name="url",
        type="string",
        title=Words("Endpoint", "端点 URL"),
        about=Words("Such as opc.tcp://192.168.1.10:4840", "例如 opc.tcp://192.168.1.10:4840"),
        is_required=True,
        low=1,
        high=512,
        check=_url,
    ),
    Field(
        name="update_mode",
        type="map",
        title=Words("Values come by", "更新模式"),
        about=Words(
            "Reading every cycle, or a subscription by which the server tells what has changed",
            "每个周期读取，或由服务器在数据变化时推送（订阅）",
        ),
        default=READ,
        choices=(
            Choice(Words("Read", "读取"), READ),
            Choice(Words("Subscribe", "订阅"), SUBSCRIBE),
        ),
    ),
    Field(
        name="sampling_interval",
        type="int",
        title=Words("Sampling interval (ms)", "采样间隔（毫秒）"),
        about=Words("How often the server looks for changes", "服务器检测数据变化的间隔"),
        default=100,
        low=10,
        high=3_600_000,
        shown_if=("update_mode", (SUBSCRIBE,)),
    ),
    Field(
        name="timeout",
        type="int",
        title=Words("Timeout (ms)", "超时（毫秒）"),
        about=Words("How long the server may take to answer", "等待服务器应答的最长时间"),
        default=4000,
        low=100,
        high=60_000,
    ),
    Field(
        name="security_policy",
        type="map",
        title=Words("Security policy", "安全策略"),
        about=Words("What the endpoint of the server asks for", "须与服务器端点一致"),
        default=NONE,
        choices=(
            Choice(Words("None", "无"), NONE),
            Choice(_same("Basic256Sha256"), BASIC256SHA256),
            Choice(_same("Aes128Sha256RsaOaep"), AES128),
            Choice(_same("Aes256Sha256RsaPss"), AES256),
        ),
    ),
    Field(
        name="security_mode",
        type="map",
        title=Words("Security mode", "安全模式"),
        about=Words("Whether messages are encrypted, or signed alone", "消息仅签名，或签名并加密"),
        default=SIGN_AND_ENCRYPT,
        choices=(
            Choice(Words("Sign", "签名"), SIGN),
            Choice(Words("Sign and encrypt", "签名并加密"), SIGN_AND_ENCRYPT),
        ),
        shown_if=("security_policy", _SECURE),
    ),
    Field(
        name="cert",
        type="file",
        title=Words("Client certificate", "客户端证书"),
        about=Words(
            "PEM or DER, with an application URI; the server must trust it",
            "PEM 或 DER 格式，须包含应用程序 URI，并被服务器信任",
        ),
        shown_if=("security_policy", _SECURE),
    ),
    Field(
        name="key",
        type="file",
        title=Words("Client key", "客户端私钥"),
        about=Words(
            "Of the client certificate, PEM or DER", "客户端证书对应的私钥，PEM 或 DER 格式"
        ),
        is_secret=True,
        shown_if=("security_policy", _SECURE),
    ),
    Field(
        name="server_cert",
        type="file",
        title=Words("Server certificate", "服务器证书"),
        about=Words(
            "Only this server is talked to; left out, whichever answers at the address",
            "仅与持有该证书的服务器通信；留空则不核对服务器身份",
        ),
        shown_if=("security_policy", _SECURE),
    ),
    Field(
        name="username",
        type="string",
        title=Words("User name", "用户名"),
        about=Words("Left out: anonymous", "留空则匿名登录"),
        high=255,
    ),
    Field(
        name="password",
        type="secret",
        title=Words("Password", "密码"),
        about=Words("Password of the user", "该用户的密码"),
        high=1024,
    ),
)


def check_setting(setting: Mapping[str, Any]) -> None:
    """Refuse settings that do not go together."""
    if setting["security_policy"] == NONE:
        return
    for field in ("cert", "key"):
        if not setting[field]:
            raise EdgeError(NODE_SETTING_INVALID, field=field, reason=_KEY_TOO)
