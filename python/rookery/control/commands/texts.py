"""What is said about commands, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from rookery.control.errors import Text

NO_SUCH_COMMAND = Text("there is no such command of this cluster", "该集群没有此命令")
TOO_MANY = Text(
    "{most} commands of this cluster are still open; wait, or cancel some",
    "该集群仍有 {most} 条未完成的命令，请等待或取消部分命令",
)
BAD_OBJECT = Text("that is no name of an object at a cluster", "对象标识无效")
AT_THE_AGENT = Text(
    "the agent has the command in hand; it cannot be taken back", "代理已开始处理该命令，无法取消"
)
IS_QUOTA = Text(
    "a limit is not taken back by its command: set another one",
    "请通过修改连接数来变更，而不是取消命令",
)
IS_OVER = Text("the command is over", "该命令已结束")

REASONS: Mapping[str, Text] = {
    "DONE": Text("Done", "已完成"),
    "ALREADY": Text("Nothing had to be changed", "无需更改"),
    "SUPERSEDED": Text("A newer command took its place", "已被更新的命令取代"),
    "CANCELLED": Text("Cancelled", "已取消"),
    "AGENT_REMOVED": Text(
        "The agent was let go before it had done it", "代理在执行之前已被取消注册"
    ),
    "EXPIRED": Text("Its time ran out before the agent could be reached", "在有效期内未能送达代理"),
    "EXPIRED_UNDER_WAY": Text(
        "Its time ran out; the agent has not said how it went", "已超过有效期，代理尚未返回结果"
    ),
    "UNREACHABLE": Text("The agent cannot reach the cluster", "代理无法访问集群"),
    "TIMEOUT": Text("The cluster did not answer the agent in time", "集群未在规定时间内应答代理"),
    "TLS": Text("The agent refuses the cluster's certificate", "代理不信任集群的证书"),
    "REFUSED": Text("The cluster refused it", "集群拒绝执行"),
    "ANSWER": Text("The cluster refused it", "集群拒绝执行"),
    "NOT_FOUND": Text("It is not at the cluster", "集群中没有该对象"),
    "NOT_PERMITTED": Text("Not permitted by this cluster's licence", "该集群的许可证不允许此操作"),
    "NOT_SUPPORTED": Text("The agent does not know this command", "代理不支持该命令"),
    "OLD_AGENT": Text(
        "The agent is too old for commands; install the one of this control plane",
        "代理版本过旧，不支持命令，请安装本控制面提供的代理",
    ),
    "BAD_REQUEST": Text("The command makes no sense to the agent", "代理无法识别该命令的参数"),
    "DISK": Text("The agent cannot write to its disk", "代理无法写入磁盘"),
    "TOLD": Text("The agent let the cluster go", "代理已取消纳管该集群"),
}


def reason_of(code: str, text: str, language: str) -> str:
    """Why a command is where it is; what the agent said follows."""
    known = REASONS.get(code)
    if known is None:
        return f"{code}: {text}" if text else code
    shown = known.zh if language == "zh" else known.en
    if not text:
        return shown
    return f"{shown}：{text}" if language == "zh" else f"{shown}: {text}"
