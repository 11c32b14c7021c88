"""What the wizard tells people."""

from __future__ import annotations

from rookery.control.errors import Text

FINISHED = Text("the set-up is finished, sign in", "初始化已完成，请登录")
BAD_CODE = Text(
    "that is not the set-up code: it was printed when the control plane was started",
    "初始化验证码错误：验证码已在控制面启动时输出",
)
