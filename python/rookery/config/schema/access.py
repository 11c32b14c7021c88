"""``access`` and ``flapping_detect``: who gets in when nobody is asked, and who is kept out."""

from __future__ import annotations

from rookery.config.schema.model import (
    INFINITY,
    UNSET,
    Anything,
    Bool,
    Duration,
    Field,
    Int,
    OneOf,
    Percent,
    SecretText,
    Struct,
    Text,
    inert,
)

# A table reads better with one field in two or three lines.
# fmt: off

COUNT_MAX = 1_000_000
WEEK_MS = 604_800_000

LOGIN_BACKOFF = Struct((
    Field("enable", Bool(), True, "Whether guessing of passwords is slowed down.", "是否限制密码猜测。",
          hot=True),
    Field("failures", Int(1, COUNT_MAX), 10,
          "Failed logins of a user name that block it; ten times as many block an address, which may stand "
          "for many clients.", "同一用户名失败多少次后阻止；同一地址可能代表许多客户端，为其十倍。",
          hot=True),
    Field("window", Duration(low_ms=1000, high_ms=WEEK_MS), "1m", "Time in which they are counted.",
          "统计时间窗口。", hot=True),
    Field("block", Duration(low_ms=1000, high_ms=WEEK_MS), "10s",
          "How long it is refused then; doubled each time.", "首次阻止时长，之后每次加倍。", hot=True),
    Field("block_max", Duration(low_ms=1000, high_ms=WEEK_MS), "10m", "Longest block.", "最长阻止时长。",
          hot=True),
))

PASSWORD_CACHE = Struct((
    Field("enable", Bool(), True,
          "Whether the broker remembers which password fitted a slow hash (argon2id, bcrypt, pbkdf2), as a "
          "keyed digest.", "是否记住已通过慢速哈希（argon2id、bcrypt、pbkdf2）验证的密码（仅保存带密钥的摘要）。",
          hot=True),
    Field("max_size", Int(1, COUNT_MAX), 100_000, "Most passwords that are remembered.",
          "记住的密码数量上限。", hot=True),
    Field("ttl", Duration(low_ms=1000, words=INFINITY), "infinity",
          "How long one is remembered; a changed password or a deleted user ends it in any case.",
          "记住的时长；修改密码或删除用户后立即失效。", hot=True),
    Field("over_restart", Bool(), True,
          "Whether they are still known after a restart of the node: kept in a file in memory (tmpfs), never on "
          "a disk.", "节点重启后是否仍然有效：保存在内存文件系统（tmpfs）中，不写入磁盘。", hot=True),
))

ACCESS = Struct((
    Field("anonymous", OneOf(("loopback", "everyone", "nobody")), "loopback",
          "Who gets in while no authentication is configured: clients on this machine (plain TCP "
          "without any mark of a proxy), everyone, or nobody.",
          "未配置认证时允许谁接入：本机 TCP 客户端、所有人或无人。", hot=True),
    Field("hook_timeout", Duration(low_ms=1, high_ms=60_000), "5s",
          "Deadline of a question to hooks, authentication and authorization; unanswered means no.",
          "钩子、认证与授权应答的超时时间，超时视为拒绝。", hot=True),
    Field("sys_topics", OneOf(("local", "everyone")), "local",
          "Who may subscribe to $SYS topics without a rule that allows it: clients on this machine, "
          "or everyone.", "未经规则允许时谁可以订阅 $SYS 主题：本机客户端或所有人。", hot=True),
    Field("max_connections", Int(1, 1_000_000_000, INFINITY), "infinity",
          "Most connected clients of the whole node; more are refused with Quota exceeded.",
          "整个节点的最大连接数，超出时以 Quota exceeded 拒绝。", hot=True),
    Field("password_cache", PASSWORD_CACHE, {},
          "What is remembered about passwords, so that clients that come back cost no hash.",
          "密码验证缓存，使重新连接的客户端无需再次计算哈希。"),
    Field("login_backoff", LOGIN_BACKOFF, {},
          "Addresses and user names that fail to log in too often wait; this machine is exempt.",
          "登录失败过多的地址和用户名需等待，本机除外。"),
))

LICENSE = Struct((
    Field("connection_high_watermark", Percent(), "80%",
          "Share of access.max_connections at which the alarm connection_quota begins.",
          "达到 access.max_connections 的该比例时触发 connection_quota 告警。", hot=True),
    Field("connection_low_watermark", Percent(), "75%",
          "Share below which it ends; less than the high one.", "低于该比例时解除告警，应小于高水位。", hot=True),
    Field("manager", Struct((
        Field("name", Text(r"[^\x00-\x1f\x7f]{0,64}", "up to 64 characters"), "",
              "What it calls itself.", "名称。", hot=True),
        Field("url", Text(r"(https?://[^\s\x00-\x1f\x7f]{1,2048})?", "a URL that begins with http:// or https://"), "",
              "Where it is.", "地址。", hot=True),
        Field("former_limit", Text(r"([1-9][0-9]{0,9}|infinity)?", "a number or infinity"), "",
              "access.max_connections before it was managed.", "接管之前的 access.max_connections。", hot=True),
    )), {}, "The control plane that manages access.max_connections; it writes this itself.",
          "管理 access.max_connections 的控制面，由其自行写入。"),
    inert("key", SecretText(), UNSET, "Licence of EMQX.", "EMQX 许可证。",
          "Rookery needs no licence", "Rookery 无需许可证"),
    inert("dynamic_max_connections", Anything(), UNSET, "Quota of EMQX.", "EMQX 连接数配额。",
          "use access.max_connections", "请使用 access.max_connections"),
))

FLAPPING_DETECT = Struct((
    Field("enable", Bool(), False, "Whether clients that come and go too often are banned.",
          "是否封禁频繁上下线的客户端。", hot=True),
    Field("window_time", Duration(low_ms=1000, high_ms=WEEK_MS), "1m",
          "Time in which disconnects are counted.", "统计时间窗口。", hot=True),
    Field("max_count", Int(1, COUNT_MAX), 15, "Disconnects that ban a client.", "封禁前的断开次数。", hot=True),
    Field("ban_time", Duration(low_ms=1000, high_ms=52 * WEEK_MS), "5m", "How long.", "封禁时长。", hot=True),
))
