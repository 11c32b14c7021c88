"""``node``, ``cluster``, ``rpc``, ``log``, ``durability``, ``access``: the process itself."""

from __future__ import annotations

from rookery.config.schema.model import (
    INFINITY,
    UNSET,
    Anything,
    Bool,
    ByteSize,
    Custom,
    Duration,
    Field,
    FilePath,
    Int,
    ListOf,
    OneOf,
    SecretText,
    Status,
    Struct,
    Text,
    inert,
    off,
)

# A table reads better with one field in two or three lines.
# fmt: off

NODE_NAME = r"[A-Za-z0-9_-]{1,63}@[A-Za-z0-9._:-]{1,255}"
NO_VM = ("there is no Erlang virtual machine", "没有 Erlang 虚拟机")
WORKERS_MAX = 1024


def _core_only(raw: object) -> str:
    if raw == "core":
        return "core"
    raise ValueError("replicants are not available: every node is a core node")


NODE = Struct((
    Field("name", Text(NODE_NAME, "a name of the form name@host"), "rookery@127.0.0.1",
          "Name of the node; its data directory is bound to it.", "节点名，与数据目录绑定。"),
    Field("cookie", SecretText(), UNSET,
          "Secret that all nodes of a cluster share, of 16 characters or more; a node without one is "
          "never part of a cluster.",
          "集群所有节点共享的密钥，至少 16 个字符；未设置的节点不会加入集群。"),
    Field("data_dir", Text(r".{1,1024}", "a directory"), UNSET,
          "Where the node keeps everything: /var/lib/rookery for root, else ~/.local/share/rookery. "
          "In a file, relative to that file.",
          "数据目录，root 默认为 /var/lib/rookery，其他用户为 ~/.local/share/rookery。"),
    Field("connector_file_dirs", ListOf(FilePath(), 100), [],
          "Folders besides the data directory in which connectors may write files (disk_log).",
          "除数据目录外，连接器可写入文件（disk_log）的目录。"),
    Field("workers", Int(0, WORKERS_MAX), 0,
          "Threads that serve connections; 0 is one per processor core.",
          "工作线程数，0 表示与处理器核数相同。"),
    inert("role", Custom("core", _core_only), "core", "core or replicant.", "core 或 replicant。"),
    *(inert(name, kind, default, "A setting of the Erlang virtual machine.", "Erlang 虚拟机参数。",
            *NO_VM)
      for name, kind, default in (
          ("max_ports", Int(), UNSET), ("process_limit", Int(), UNSET),
          ("dist_buffer_size", Anything(), UNSET), ("global_gc_interval", Anything(), UNSET),
          ("crash_dump_file", Text(), UNSET), ("crash_dump_seconds", Anything(), UNSET),
          ("crash_dump_bytes", Anything(), UNSET), ("dist_net_ticktime", Anything(), UNSET),
          ("backtrace_depth", Int(), UNSET), ("etc_dir", Text(), UNSET),
          ("config_files", Anything(), UNSET), ("db_backend", Text(), UNSET),
          ("default_shard_transport", Text(), UNSET), ("shard_transports", Anything(), UNSET),
          ("tlog_push_mode", Text(), UNSET), ("broker_pool_size", Int(), UNSET),
          ("generic_pool_size", Int(), UNSET), ("channel_cleanup_batch_size", Int(), UNSET),
          ("default_bootstrap_batch_size", Int(), UNSET), ("rpc_module", Text(), UNSET),
          ("applications", Anything(), UNSET), ("ssl_dist_optfile", Text(), UNSET),
          ("async_threads", Int(), UNSET), ("cluster_call", Anything(), UNSET),
      )),
))


LOG_LEVELS = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency", "all",
              "none")


def _handler(*more: Field) -> Struct:
    return Struct((
        Field("enable", Bool(), more == (), "Whether this log is written.", "是否启用。", hot=True),
        Field("level", OneOf(LOG_LEVELS), "warning", "Least severe level written.", "日志级别。",
              hot=True),
        Field("formatter", OneOf(("text", "json")), "text", "Form of a line.", "日志格式。", hot=True),
        Field("time_offset", Text(r"system|utc|[+-]([01][0-9]|2[0-3]):[0-5][0-9]",
                                  "system, utc, or an offset such as +08:00"), "system",
              "Time zone of times; system is that of the machine.",
              "时间的时区：system 为本机时区，utc，或 +08:00 这样的偏移。", hot=True),
        Field("timestamp_format", OneOf(("auto", "epoch", "rfc3339")), "auto",
              "Form of times: rfc3339, or epoch (microseconds since 1970). auto is rfc3339.",
              "时间格式：rfc3339 或 epoch（自 1970 年起的微秒数）；auto 即 rfc3339。", hot=True),
        inert("with_mfa", Bool(), False, "Name of the function in Erlang.", "Erlang 函数名。"),
        inert("payload_encode", OneOf(("text", "hex", "hidden")), "text", "Form of payloads.",
              "消息内容编码。", "payloads are not logged", "日志不包含消息内容"),
        *more,
    ))


LOG_FILE = _handler(
    Field("path", Text(r".{1,1024}", "a file"), "log/rookery.log",
          "File, relative to the data directory.", "日志文件，相对数据目录。", hot=True),
    Field("rotation_count", Int(1, 128), 10, "Files kept.", "保留的文件数。", hot=True),
    Field("rotation_size", ByteSize(low=4096, words=INFINITY), "50MB", "Size of one file.",
          "单个文件大小。", hot=True),
)

LOG = Struct((
    Field("console", _handler(), {}, "Log on standard error.", "控制台日志。"),
    Field("file", LOG_FILE, {}, "Log in files.", "文件日志。"),
    off("audit", Anything(), {}, "Audit log.", "审计日志。"),
    Field("throttling", Struct((
        Field("time_window", Duration("s", low_ms=1000, words={"disabled": None}), "1m",
              "Of lines of the same kind that come within this time the first one is written, and "
              "at its end how many there were.",
              "该时间窗口内同类日志只写首条，窗口结束时写一条汇总次数。", hot=True),
        inert("msgs", Anything(), UNSET, "Which lines are throttled in EMQX.", "EMQX 限流的日志。",
              "lines of every kind are throttled", "所有类别的日志均限流"),
    )), {}, "Repeated lines.", "重复日志限流。"),
))

DURABILITY = Struct((
    Field("enable", Bool(), True,
          "Sessions with an expiry, queues, retained and delayed messages are kept on disk.",
          "会话、队列、保留消息与延迟消息是否写入磁盘。"),
    Field("sync", OneOf(("interval", "always", "never")), "interval",
          "When written data is forced to the disk: always before an acknowledgement leaves, in "
          "intervals, or when the system likes. A crash of the process alone never loses any.",
          "落盘策略：always 每次确认前落盘，interval 定期落盘，never 由系统决定。进程崩溃均不丢数据。"),
    Field("sync_interval", Duration(low_ms=1, high_ms=60_000), "100ms",
          "What a power failure may lose at most with sync = interval.",
          "sync 为 interval 时的落盘间隔。"),
    Field("max_disk_bytes", ByteSize(low=16 << 20, words=INFINITY), "infinity",
          "Most bytes on disk; above it durable messages are refused and counted.",
          "磁盘占用上限，超出后拒绝持久化消息并计数。"),
    Field("acknowledge", OneOf(("durable", "memory")), "durable",
          "What PUBACK and PUBREC promise of a message for sessions with an expiry. durable: it is on the disk of "
          "the node with the session, in a cluster on a second one as well. memory: every node that wants it has it "
          "in memory.",
          "对于带过期时间的会话，PUBACK 与 PUBREC 的承诺：durable 表示消息已写入会话所在节点的磁盘（集群中还包括第二个节点的磁盘）；"
          "memory 表示所有需要该消息的节点已将其放入内存。", hot=True),
    Field("unconfirmed", OneOf(("keep_locally", "refuse")), "keep_locally",
          "With acknowledge = durable in a cluster, what becomes of a message that other nodes do not confirm in "
          "time. keep_locally: it is acknowledged for what this node has. refuse: the publisher gets 0x97 (Quota "
          "exceeded), one of MQTT 3.x is disconnected.",
          "集群中 acknowledge 为 durable 且其他节点未按时确认时：keep_locally 表示仅凭本节点的数据确认；refuse 表示以 0x97"
          "（Quota exceeded）拒绝发布者，MQTT 3.x 客户端则断开连接。", hot=True),
))

DURABLE_SESSIONS = Struct(tuple(
    Field(name, kind, default, "Durable sessions of EMQX.", "EMQX 持久会话。", status=Status.ACCEPTED,
          instead="sessions with an expiry are always durable, see durability",
          instead_zh="带过期时间的会话总是持久的，见 durability")
    for name, kind, default in (
        ("enable", Bool(), False), ("batch_size", Int(1), 100), ("idle_poll_interval", Duration(), "10s"),
        ("heartbeat_interval", Duration(), "5s"), ("checkpoint_interval", Duration(), "15s"),
        ("session_gc_interval", Duration(), "10m"), ("session_gc_batch_size", Int(1), 100),
        ("message_retention_period", Duration(), "1d"), ("subscription_count_refresh_interval",
                                                         Duration(), "5s"),
        ("disconnected_session_count_refresh_interval", Duration(), "5s"),
        ("force_persistence", Bool(), False), ("renew_streams_interval", Anything(), UNSET),
        ("shared_subscriptions", Anything(), UNSET), ("commit_timeout", Anything(), UNSET),
    )
))

LIMITS = Struct((
    Field("max_sessions", Int(1, 1_000_000_000, INFINITY), "infinity",
          "Most sessions, connected or not.", "会话总数上限。", hot=True),
    Field("unauthenticated_connections", Int(1, 10_000_000), 8192,
          "Most connections that have not been admitted yet.", "尚未通过认证的连接数上限。", hot=True),
    Field("unauthenticated_bytes", ByteSize(low=65_536), "64MB",
          "Most bytes buffered for them.", "为其缓存的字节上限。", hot=True),
    Field("outbox_total_bytes", ByteSize(low=1 << 20), "1GB",
          "Unsent bytes of all connections together.", "所有连接待发送字节上限。", hot=True),
    Field("queued_total_bytes", ByteSize(low=1 << 20), "1GB",
          "Bytes of messages queued in memory for all sessions, and of delayed ones.",
          "所有会话内存队列与延迟消息的字节上限。", hot=True),
    Field("filters_per_packet", Int(1, 65_535), 20_000,
          "Most topic filters in one packet.", "单个报文的主题过滤器上限。", hot=True),
    Field("user_properties", Int(0, 65_535), 1024,
          "Most user properties in one packet.", "单个报文的用户属性上限。", hot=True),
))

FORCE_SHUTDOWN = Struct((
    Field("enable", Bool(), True,
          "A client whose backlog in the node is too large is disconnected.",
          "客户端在节点内积压过多时断开。", hot=True),
    Field("max_mailbox_size", Int(0, 65_535), 1000,
          "Most packets of a client that wait to be handled.", "客户端待处理报文上限。", hot=True),
    inert("max_heap_size", ByteSize(), "32MB",
          "Most memory that EMQX holds for one client.", "EMQX 中单客户端占用内存上限。",
          "memory of a client is bounded by high_watermark, max_mqueue_len and limits",
          "客户端内存由 high_watermark、max_mqueue_len 与 limits 约束"),
))

FORCE_GC = Struct(tuple(
    inert(name, kind, default, "Garbage collection in EMQX.", "EMQX 内存回收。",
          "there is no garbage collector on the message path", "消息路径上没有垃圾回收")
    for name, kind, default in (("enable", Bool(), True), ("count", Int(), 16_000),
                                ("bytes", ByteSize(), "16MB"))
))

STATS = Struct((
    inert("enable", Bool(), True, "Statistics.", "统计。", "statistics are always kept", "始终统计"),
))

CONN_CONGESTION = Struct((
    inert("enable_alarm", Bool(), True, "Alarm for slow connections.", "连接拥塞告警。"),
    inert("min_alarm_sustain_duration", Duration(), "1m", "Shortest time of that alarm.",
          "告警最短持续时间。"),
))

RPC = Struct(tuple(
    inert(name, Anything(), UNSET, "Calls between nodes in EMQX.", "EMQX 节点间调用。",
          "a node alone calls nobody", "单节点不使用")
    for name in ("mode", "protocol", "async_batch_size", "port_discovery", "tcp_server_port",
                 "server_port", "ssl_server_port", "tcp_client_num", "client_num",
                 "connect_timeout", "certfile", "keyfile", "cacertfile", "send_timeout",
                 "authentication_timeout", "call_receive_timeout", "socket_keepalive_idle",
                 "socket_keepalive_interval", "socket_keepalive_count", "socket_sndbuf",
                 "socket_recbuf", "socket_buffer", "insecure_fallback", "ciphers", "tls_versions",
                 "listen_address", "ipv6_only", "driver")
))
