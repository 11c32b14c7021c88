"""Words of ``emqx ctl`` that mean nothing here: what to use instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rookery.words import Words

_CONF = "rookery ctl conf"
_NOT_HERE = Words(
    "this version has none of it, see the reference of differences from EMQX",
    "本版本没有该功能，见与 EMQX 的差异说明",
)
_OF_ERLANG = Words(
    "it is about Erlang; `rookery ctl vm` shows load, memory and files, `rookery ctl broker rates` what flows",
    "属于 Erlang；`rookery ctl vm` 显示负载、内存与文件数，`rookery ctl broker rates` 显示速率",
)
ELSEWHERE: Mapping[str, Words] = {
    "a2a_registry": _NOT_HERE,
    "bridges": Words(
        "`rookery ctl connectors`, `actions` and `sources` have what bridges were",
        "桥接由 `rookery ctl connectors`、`actions` 与 `sources` 代替",
    ),
    "clients stats": Words(
        "`rookery ctl clients list --json` has the figures of every client",
        "`rookery ctl clients list --json` 给出每个客户端的指标",
    ),
    "cluster core": Words(
        "every member is a core: there is nothing to balance between cores and replicants",
        "所有成员均为核心节点，无需在核心与复制节点间调整",
    ),
    "cluster discovery": Words(
        "it is a setting: `cluster.discovery_strategy` says how a node that stands alone finds "
        "others, `manual` that it does not; `rookery ctl cluster join NODE` joins at any time",
        "发现方式为配置项：单独运行的节点按 `cluster.discovery_strategy` 发现其他节点，`manual` 表示不发现；"
        "可随时用 `rookery ctl cluster join NODE` 加入",
    ),
    "conf cluster_sync": Words(
        "`rookery ctl cluster status` says which members follow; one that was away takes what it "
        "missed by itself",
        "`rookery ctl cluster status` 显示各成员状态；离线的成员会自行补上错过的修改",
    ),
    "conf remove": Words(
        f"`{_CONF} reset PATH` takes back what was changed here",
        f"`{_CONF} reset PATH` 撤销在此所做的修改",
    ),
    "configs": Words(f"`{_CONF} show` and `{_CONF} load`", f"`{_CONF} show` 与 `{_CONF} load`"),
    "ds": Words(
        "sessions are kept without replicas to place, see `durability` in the guides",
        "会话存储没有需要分配的副本，见指南“持久化”",
    ),
    "exhooks": Words(
        "hooks are plugins in Python: `rookery plugin new NAME`, `rookery ctl plugins`",
        "钩子以 Python 插件编写：`rookery plugin new NAME`、`rookery ctl plugins`",
    ),
    "gateway": _NOT_HERE,
    "gateway-clients": _NOT_HERE,
    "gateway-metrics": _NOT_HERE,
    "gateway-registry": _NOT_HERE,
    "license history": Words(
        "there are no licence keys; `rookery ctl audit list` says who changed the quota",
        "无许可证密钥；`rookery ctl audit list` 显示谁修改过配额",
    ),
    "license update": Words(
        "there are no licence keys; `rookery ctl quota set N` bounds connections",
        "无许可证密钥；`rookery ctl quota set N` 限制连接数",
    ),
    "log handlers": Words(
        f"handlers are settings: `{_CONF} show log`, and `{_CONF} load FILE` changes "
        "`log.console` and `log.file` while the node runs",
        f"日志处理器即配置项：`{_CONF} show log` 查看，`{_CONF} load FILE` 可在运行时修改 "
        "`log.console` 与 `log.file`",
    ),
    "log primary-level": Words(
        "`rookery ctl log set-level LEVEL` sets the level of the whole node, `log levels` shows it",
        "`rookery ctl log set-level LEVEL` 设置整个节点的级别，`log levels` 查看",
    ),
    "mgmt": Words(
        "`rookery ctl api_keys` has the keys of programs",
        "程序的密钥由 `rookery ctl api_keys` 管理",
    ),
    "mnesia": _OF_ERLANG,
    "modules": Words(
        "what modules did are settings of their own: `rookery ctl rewrite`, `delayed`, `auto_subscribe`",
        "模块的功能均为独立设置：`rookery ctl rewrite`、`delayed`、`auto_subscribe`",
    ),
    "mt": _NOT_HERE,
    "observer": _OF_ERLANG,
    "olp": Words(
        "a node always protects itself, there is nothing to switch: `rookery ctl metrics "
        "overload_protection` counts, the guide `limits` lists the bounds",
        "节点始终自我保护，无需开关：`rookery ctl metrics overload_protection` 给出计数，各项限制见指南“限制”",
    ),
    "pem_cache": Words(
        "`rookery ctl certificates reload` reads certificates again",
        "`rookery ctl certificates reload` 重新读取证书",
    ),
    "plugins add": Words(
        "`rookery ctl plugins install FILE`", "`rookery ctl plugins install FILE`"
    ),
    "plugins load": Words("`rookery ctl plugins start NAME`", "`rookery ctl plugins start NAME`"),
    "plugins reload": Words(
        "`rookery ctl plugins restart NAME`", "`rookery ctl plugins restart NAME`"
    ),
    "plugins unload": Words("`rookery ctl plugins stop NAME`", "`rookery ctl plugins stop NAME`"),
    "resources": Words(
        "`rookery ctl connectors` has connections to other services",
        "与其他服务的连接由 `rookery ctl connectors` 管理",
    ),
    "retainer reindex": Words(
        "the store of retained messages needs no indices to be built",
        "保留消息的存储无需重建索引",
    ),
    "rule-actions": Words("`rookery ctl actions`", "`rookery ctl actions`"),
    "session-top": Words(
        "`rookery ctl sessions list` shows what waits in each session",
        "`rookery ctl sessions list` 显示各会话中等待的消息",
    ),
    "traces": Words("`rookery ctl trace`", "`rookery ctl trace`"),
    "vm ports": Words(
        "Erlang's ports are not there: `rookery ctl vm io` counts open files, `rookery ctl listeners` "
        "and `rookery ports` show addresses",
        "没有 Erlang 端口：`rookery ctl vm io` 显示打开的文件数，`rookery ctl listeners` 与 `rookery ports` 显示地址",
    ),
}
"""By noun, or by noun and verb."""


def instead_of(words: Sequence[str]) -> tuple[str, Words] | None:
    """What stands for ``words`` below ``ctl``, and the words that it stands for."""
    for count in (2, 1):
        found = " ".join(words[:count])
        if found in ELSEWHERE:
            return found, ELSEWHERE[found]
    return None
