"""How plugins are installed and watched."""

from __future__ import annotations

from rookery.config.schema.model import (
    UNSET,
    Anything,
    Bool,
    Duration,
    Field,
    Int,
    Struct,
    Text,
    inert,
)

# A table reads better with one field in two or three lines.
# fmt: off

PLUGINS = Struct((
    Field("install_requires_allow", Bool(), True,
          "Whether a plugin can be installed over HTTP only after `rookery ctl plugins allow` named it on "
          "the machine; false leaves that to every administrator of the API.",
          "通过 HTTP 安装插件前，是否必须先在本机执行 `rookery ctl plugins allow`；false 表示任何 API 管理员均可安装。",
          hot=True),
    Field("start_timeout", Duration(low_ms=100), "30s",
          "How long a worker process may take until it can be asked.", "工作进程的启动时限。", hot=True),
    Field("stop_timeout", Duration(low_ms=100), "10s",
          "How long it may take to finish when it is told to.", "工作进程的停止时限。", hot=True),
    Field("heartbeat_interval", Duration(low_ms=100), "1s",
          "How often it has to show that it is alive.", "心跳周期。", hot=True),
    Field("heartbeat_timeout", Duration(low_ms=100), "10s",
          "After how long without a sign it is ended and started anew.", "无心跳多久后强制重启。", hot=True),
    Field("restart_backoff", Duration(low_ms=10), "500ms",
          "Pause before the first restart; it doubles with every failure.",
          "首次重启前的等待时间，每次失败后加倍。", hot=True),
    Field("restart_backoff_max", Duration(low_ms=10), "60s", "Longest pause.", "最长等待时间。", hot=True),
    Field("restart_max", Int(1, 1_000_000), 10,
          "So many failures in a row and the plugin counts as crashed: nobody starts it any more.",
          "连续失败达到此次数后视为崩溃，不再重启。", hot=True),
    Field("stable_time", Duration(low_ms=100), "60s",
          "A process that runs for so long has recovered.", "运行多久后视为恢复。", hot=True),
    inert("states", Anything(), UNSET, "Plugins and their order in EMQX.", "EMQX 插件状态。",
          "use rookery ctl plugins", "请使用 rookery ctl plugins"),
    *(inert(name, Text(), UNSET, "Plugins of EMQX.", "EMQX 插件。",
            "Rookery's plugins are in its data directory", "插件位于数据目录")
      for name in ("install_dir", "check_interval")),
))
