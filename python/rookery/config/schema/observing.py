"""``slow_subs``, ``opentelemetry``: what a node looks at closer."""

from __future__ import annotations

from importlib.util import find_spec

from rookery.config.schema.model import (
    Anything,
    Bool,
    Custom,
    Duration,
    Field,
    Float,
    Int,
    MapOf,
    OneOf,
    SecretText,
    Struct,
    Text,
    off,
)

# A table reads better with one field in two or three lines.
# fmt: off

SLOW_SUBS = Struct((
    Field("enable", Bool(), False, "Whether slow subscriptions are measured.",
          "是否启用慢订阅统计。", hot=True),
    Field("threshold", Duration(low_ms=100), "500ms",
          "Messages that take longer to reach a client are counted for it.",
          "消息到达客户端超过该时延即计入。", hot=True),
    Field("expire_interval", Duration(low_ms=1000), "300s",
          "A row that no further message renews for this long is removed.",
          "记录在该时间内未更新则移除。", hot=True),
    Field("top_k_num", Int(1, 1000), 10, "Most rows.", "最大记录数。", hot=True),
    Field("stats_type", OneOf(("whole", "internal", "response")), "whole",
          "What is measured: whole from arrival until the client has it, internal from arrival "
          "until it is sent, response from sending until the client has it.",
          "统计方式：whole 从到达至客户端确认，internal 从到达至发送，response 从发送至客户端确认。",
          hot=True),
))


def _with_sdk(raw: object) -> bool:
    if not Bool().parse(raw):
        return False
    try:
        is_there = find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        is_there = False
    if not is_there:
        raise ValueError("traces need more packages: pip install 'rookery[otel]'")
    return True


OPENTELEMETRY = Struct((
    Field("exporter", Struct((
        Field("endpoint", Text(r"https?://[^\s]{1,1024}", "a URL that begins with http:// or https://"),
              "http://localhost:4318",
              "Collector that takes OTLP over HTTP; /v1/traces is added where there is no path.",
              "OTLP/HTTP 采集器地址；没有路径时自动加上 /v1/traces。", hot=True),
        Field("headers", MapOf(SecretText(), r"[A-Za-z0-9-]{1,64}", "the name of a header"), {},
              "Headers of each request, such as a token.", "每次请求附带的请求头，例如令牌。", hot=True),
        off("ssl_options", Anything(), {"enable": False},
            "TLS of the exporter; an https endpoint is verified with the CAs of the system.",
            "导出器的 TLS 选项；https 地址以系统 CA 校验。"),
    )), {}, "Where to.", "导出目标。"),
    Field("traces", Struct((
        Field("enable", Custom("true or false", _with_sdk), False,
              "Whether spans of messages are made and exported.", "是否生成并导出消息的追踪。", hot=True),
        Field("filter", Struct((
            Field("trace_all", Bool(), False,
                  "Messages without the user property traceparent get spans too.",
                  "没有 traceparent 用户属性的消息也生成追踪。", hot=True),
            Field("sample_ratio", Float(0, 1), 1,
                  "Which part of those, 0 to 1. What a sender wants traced always is.",
                  "上述消息的采样比例，0 至 1；发送者要求追踪的消息始终追踪。", hot=True),
        )), {}, "Which messages.", "哪些消息。"),
        Field("max_queue_size", Int(1, 1_000_000), 2048,
              "Most spans that wait for export; what is above is dropped and counted.",
              "等待导出的 span 上限，超出即丢弃并计数。", hot=True),
        Field("scheduled_delay", Duration(low_ms=10), "5s", "Time between two exports.",
              "两次导出的间隔。", hot=True),
        Field("exporting_timeout", Duration(low_ms=100), "30s", "Deadline of one export.",
              "单次导出的超时。", hot=True),
    )), {}, "Traces of publish paths.", "消息发布路径追踪。"),
    off("metrics", Anything(), {}, "Metrics; see Prometheus.", "指标，见 Prometheus。"),
    off("logs", Anything(), {}, "Logs.", "日志。"),
))
