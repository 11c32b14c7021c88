"""What somebody reads at the port of a cluster."""

from __future__ import annotations

from rookery.control.errors import Text

ENTER_AGAIN = Text(
    "You are not signed in to this cluster, or no longer. Enter its dashboard from the console again.",
    "您尚未登录该集群，或登录已失效。请从控制台重新进入 Dashboard。",
)
CODE_USED = Text(
    "This way in was used already, or is too old. Enter the dashboard from the console again.",
    "该入口已被使用或已过期。请从控制台重新进入 Dashboard。",
)
NOT_FROM_THERE = Text(
    "This cannot be opened from another page.",
    "不允许从其他页面打开。",
)
OUT_OF_REACH = Text(
    "The cluster cannot be reached through its agent at present.",
    "目前无法通过代理访问该集群。",
)
USE_HTTPS = Text("Use https.", "请使用 https。")
