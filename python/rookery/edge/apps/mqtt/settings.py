"""Settings of the MQTT application, by Neuron's names."""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rookery.edge.apps.payload import CUSTOM, ECP, TAGS, TEMPLATE_LENGTH_MAX, VALUES, encoder
from rookery.edge.errors import NODE_SETTING_INVALID, PARAM_IS_WRONG, EdgeError
from rookery.edge.schema import Choice, Field
from rookery.words import Words

TOPIC_LENGTH_MAX = 500
STATIC_TAGS_MAX = 100

_NO_TOPIC = Words(
    "must be a topic without + and #, of {most} characters at most",
    "应为不含 + 和 # 的主题，最多 {most} 个字符",
)
_NO_STATIC = Words(
    "must be an object of at most {most} names with numbers, texts, true or false",
    "应为最多 {most} 项的对象，值为数字、字符串或布尔值",
)
_UNKNOWN = Words("is not known here", "不是已知的参数")
_TLS = Words("cannot be used: {reason}", "无法使用：{reason}")
_KEY_TOO = Words("a certificate needs its key, and a key its certificate", "证书与私钥须同时填写")
_BOTH = Words("a request topic needs its answer topic", "请求主题与响应主题须同时填写")


def _topic(text: str) -> Words | None:
    bad = not text or "\0" in text or not {"+", "#"}.isdisjoint(text)
    return _NO_TOPIC.format(most=TOPIC_LENGTH_MAX) if bad else None


def _topic_field(name: str, en: str, zh: str, about_en: str, about_zh: str, **more: Any) -> Field:
    return Field(
        name=name,
        type="string",
        title=Words(en, zh),
        about=Words(about_en, about_zh),
        high=TOPIC_LENGTH_MAX,
        check=_topic,
        **more,
    )


BROKER = (
    Field(
        name="host",
        type="string",
        title=Words("Broker", "服务器地址"),
        about=Words("Name or address of the MQTT broker", "MQTT 服务器的主机名或 IP 地址"),
        is_required=True,
        low=1,
        high=255,
    ),
    Field(
        name="port",
        type="int",
        title=Words("Port", "服务器端口"),
        about=Words("1883, or 8883 with TLS, at most brokers", "通常为 1883，启用 TLS 时为 8883"),
        default=1883,
        low=1,
        high=65_535,
    ),
    Field(
        name="version",
        type="map",
        title=Words("MQTT version", "MQTT 版本"),
        about=Words("What the broker speaks", "服务器支持的协议版本"),
        default=5,
        choices=(Choice(Words("3.1.1", "3.1.1"), 4), Choice(Words("5.0", "5.0"), 5)),
    ),
    Field(
        name="client-id",
        type="string",
        title=Words("Client ID", "客户端 ID"),
        about=Words(
            "One of its own at the broker; left out it is made up once and kept",
            "须在服务器上唯一；留空则自动生成并保持不变",
        ),
        high=255,
    ),
    Field(
        name="username",
        type="string",
        title=Words("User name", "用户名"),
        about=Words("What to authenticate as", "用于认证的用户名"),
        high=255,
    ),
    Field(
        name="password",
        type="secret",
        title=Words("Password", "密码"),
        about=Words("Password of the user", "该用户的密码"),
        high=1024,
    ),
    Field(
        name="keepalive",
        type="int",
        title=Words("Keep alive (s)", "心跳间隔（秒）"),
        about=Words("Most time without a packet", "没有报文往来的最长时间"),
        default=30,
        low=1,
        high=65_535,
    ),
    Field(
        name="ssl",
        type="bool",
        title=Words("TLS", "SSL/TLS"),
        about=Words("Whether the connection is encrypted", "是否加密连接"),
        default=False,
    ),
    Field(
        name="verify",
        type="bool",
        title=Words("Verify the broker", "校验服务器证书"),
        about=Words(
            "Whether its certificate must check; without that anybody may pretend to be it",
            "是否校验服务器证书；关闭后无法防止伪造的服务器",
        ),
        default=True,
        shown_if=("ssl", (True,)),
    ),
    Field(
        name="ca",
        type="file",
        title=Words("CA certificate", "CA 证书"),
        about=Words(
            "Who signs the broker's certificate; left out: whom the system trusts",
            "签发服务器证书的 CA；留空则使用系统信任的 CA",
        ),
        shown_if=("ssl", (True,)),
    ),
    Field(
        name="cert",
        type="file",
        title=Words("Client certificate", "客户端证书"),
        about=Words("Where the broker wants one", "服务器要求双向认证时填写"),
        shown_if=("ssl", (True,)),
    ),
    Field(
        name="key",
        type="file",
        title=Words("Private key", "私钥"),
        about=Words("Of the client certificate", "客户端证书对应的私钥"),
        is_secret=True,
        shown_if=("ssl", (True,)),
    ),
    Field(
        name="keypass",
        type="secret",
        title=Words("Password of the key", "私钥密码"),
        about=Words("Where the key is encrypted", "私钥已加密时填写"),
        high=1024,
        shown_if=("ssl", (True,)),
    ),
)
CACHE = (
    Field(
        name="offline-cache",
        type="bool",
        title=Words("Offline cache", "离线缓存"),
        about=Words(
            "Whether what cannot be sent is kept on disk, and sent in order later",
            "断线时将数据保存到磁盘，恢复后按顺序补发",
        ),
        default=True,
    ),
    Field(
        name="cache-mem-size",
        type="int",
        title=Words("Cache in memory (MB)", "内存缓存（MB）"),
        about=Words(
            "Then it goes to disk, or the oldest is dropped", "超出后写入磁盘，或丢弃最早的数据"
        ),
        default=8,
        low=1,
        high=1024,
    ),
    Field(
        name="cache-disk-size",
        type="int",
        title=Words("Cache on disk (MB)", "磁盘缓存（MB）"),
        about=Words("Then the oldest is dropped", "超出后丢弃最早的数据"),
        default=256,
        low=1,
        high=10_240,
        shown_if=("offline-cache", (True,)),
    ),
    Field(
        name="cache-sync-interval",
        type="int",
        title=Words("Pause while catching up (ms)", "补发间隔（毫秒）"),
        about=Words(
            "Between messages from the cache, for links that are thin",
            "补发缓存消息的间隔，适用于低带宽链路",
        ),
        default=0,
        high=120_000,
        shown_if=("offline-cache", (True,)),
    ),
)
QOS = Field(
    name="qos",
    type="map",
    title=Words("QoS", "QoS"),
    about=Words(
        "With 0 nobody acknowledges, so nothing is sent again", "QoS 0 没有确认，断线时可能丢失"
    ),
    default=1,
    choices=tuple(Choice(Words(str(one), str(one)), one) for one in range(3)),
)
_UPLOAD = (
    QOS,
    Field(
        name="format",
        type="map",
        title=Words("Format", "上报数据格式"),
        about=Words("How a report is written", "上报消息的 JSON 格式"),
        default=VALUES,
        choices=(
            Choice(Words("Values", "values-format"), VALUES),
            Choice(Words("Tags", "tags-format"), TAGS),
            Choice(Words("ECP", "ECP-format"), ECP),
            Choice(Words("Custom", "自定义"), CUSTOM),
        ),
    ),
    Field(
        name="schema",
        type="text",
        title=Words("Template", "自定义模板"),
        about=Words(
            'JSON with placeholders, such as {"ts": ${timestamp}, "data": ${tag_values}}',
            '含占位符的 JSON，例如 {"ts": ${timestamp}, "data": ${tag_values}}',
        ),
        high=TEMPLATE_LENGTH_MAX,
        shown_if=("format", (CUSTOM,)),
        is_required=True,
    ),
    Field(
        name="upload_err",
        type="bool",
        title=Words("Report errors", "上报点位错误码"),
        about=Words("Whether tags that could not be read are sent too", "是否上报采集失败的点位"),
        default=True,
    ),
    Field(
        name="sequence",
        type="bool",
        title=Words("Sequence number", "序列号"),
        about=Words(
            "Whether payloads have a seq that only grows, by which who gets a message twice sees it; "
            "with MQTT 5 it is a user property in any case",
            "是否在消息中加入递增的 seq，用于识别重复消息；MQTT 5 总会携带 seq 用户属性",
        ),
        default=False,
    ),
)
_REQUESTS = (
    _topic_field(
        "write-req-topic",
        "Topic of write requests",
        "写请求主题",
        "Who may publish here may write to devices; left out nobody may",
        "能发布到此主题的客户端即可写入设备；留空则关闭",
    ),
    _topic_field(
        "write-resp-topic",
        "Topic of write answers",
        "写响应主题",
        "Where answers go",
        "写结果发布的主题",
    ),
    _topic_field(
        "read-req-topic",
        "Topic of read requests",
        "读请求主题",
        "Who may publish here may read all tags; left out nobody may",
        "能发布到此主题的客户端即可读取点位；留空则关闭",
    ),
    _topic_field(
        "read-resp-topic",
        "Topic of read answers",
        "读响应主题",
        "Where answers go",
        "读结果发布的主题",
    ),
)
_STATES = (
    Field(
        name="upload_drv_state",
        type="bool",
        title=Words("Report drivers' states", "上报驱动状态"),
        about=Words("Whether drivers are connected, and run", "是否上报南向驱动的连接和运行状态"),
        default=False,
    ),
    _topic_field(
        "upload_drv_state_topic",
        "Topic of drivers' states",
        "驱动状态主题",
        "Where that goes",
        "驱动状态发布的主题",
        shown_if=("upload_drv_state", (True,)),
        is_required=True,
    ),
    Field(
        name="upload_drv_state_interval",
        type="int",
        title=Words("Interval of drivers' states (s)", "驱动状态上报间隔（秒）"),
        about=Words("And at every change", "状态变化时也会立即上报"),
        default=1,
        low=1,
        high=3600,
        shown_if=("upload_drv_state", (True,)),
    ),
)
FIELDS = BROKER + _UPLOAD + CACHE + _REQUESTS + _STATES


def check_setting(setting: Mapping[str, Any]) -> None:
    """Refuse settings that do not go together."""
    check_tls(setting)
    encoder(setting["format"], setting["schema"] or "", with_errors=True, with_seq=False)
    for kind in ("write", "read"):
        if bool(setting[f"{kind}-req-topic"]) != bool(setting[f"{kind}-resp-topic"]):
            raise EdgeError(NODE_SETTING_INVALID, field=f"{kind}-resp-topic", reason=_BOTH)


def check_params(params: Mapping[str, Any], app: str, driver: str, group: str) -> dict[str, Any]:
    """Parameters of a subscription: ``topic`` and ``static_tags``."""
    for name in params:
        if name not in ("topic", "static_tags"):
            raise EdgeError(PARAM_IS_WRONG, name=name, reason=_UNKNOWN)
    topic = params.get("topic") or f"neuron/{app}/{driver}/{group}"
    reason = _topic(topic) if isinstance(topic, str) else _NO_TOPIC.format(most=TOPIC_LENGTH_MAX)
    if reason is not None or len(topic) > TOPIC_LENGTH_MAX:
        words = reason or _NO_TOPIC.format(most=TOPIC_LENGTH_MAX)
        raise EdgeError(PARAM_IS_WRONG, name="topic", reason=words)
    static = static_tags(params.get("static_tags"))
    return {"topic": topic} | ({"static_tags": static} if static else {})


def static_tags(raw: Any) -> dict[str, Any]:
    """Names and values that go with every report; an object, or the text of one as Neuron has it."""
    refused = EdgeError(
        PARAM_IS_WRONG, name="static_tags", reason=_NO_STATIC.format(most=STATIC_TAGS_MAX)
    )
    if not raw:
        return {}
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except ValueError:
            raise refused from None
    if isinstance(raw, dict) and isinstance(raw.get("static_tags"), dict):
        raw = raw["static_tags"]
    is_good = isinstance(raw, dict) and len(raw) <= STATIC_TAGS_MAX
    if not is_good or not all(isinstance(value, (str, int, float)) for value in raw.values()):
        raise refused
    return dict(raw)


def check_tls(setting: Mapping[str, Any]) -> None:
    """Refuse files that TLS cannot use; says which, and why."""
    if setting["ssl"]:
        tls_context(setting)


def tls_context(setting: Mapping[str, Any]) -> ssl.SSLContext:
    """TLS as it is set.

    Raises:
        EdgeError: a file cannot be used.
    """
    if bool(setting["cert"]) != bool(setting["key"]):
        field = "key" if setting["cert"] else "cert"
        raise EdgeError(NODE_SETTING_INVALID, field=field, reason=_KEY_TOO)
    field = "ca"
    try:
        authority = _text(setting["ca"]) if setting["ca"] else None
        context = ssl.create_default_context(cadata=authority)
        if not setting["verify"]:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        field = "cert"
        if setting["cert"]:
            _load_chain(context, setting)
    except (ssl.SSLError, ValueError, OSError) as error:
        reason = getattr(error, "reason", None) or str(error)
        raise EdgeError(
            NODE_SETTING_INVALID, field=field, reason=_TLS.format(reason=reason)
        ) from None
    return context


def _load_chain(context: ssl.SSLContext, setting: Mapping[str, Any]) -> None:
    """OpenSSL takes these from files alone; they are the owner's and gone at once."""
    with tempfile.TemporaryDirectory(prefix="rookery-") as folder:
        cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
        cert.write_bytes(base64.b64decode(setting["cert"]))
        key.write_bytes(base64.b64decode(setting["key"]))
        password = setting["keypass"] or ""
        # Without a function OpenSSL would ask the terminal.
        context.load_cert_chain(cert, key, password=lambda: password)


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode("ascii")
