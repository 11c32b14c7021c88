"""What is said about quotas, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping

from rookery.control.errors import Text
from rookery.control.quota.rules import Hold

NOT_PERMITTED = Text(
    "setting a connection limit is not permitted by this cluster's licence",
    "该集群的许可证不允许修改连接数",
)
NOT_YET = Text(
    "the cluster has not reported yet whether its limit can be set", "集群尚未上报是否可修改连接数"
)
BEYOND_ONE = Text(
    "a single cluster has at most {most} connections; {limit} is more",
    "单集群最大连接数为 {most}，{limit} 超出该限制",
)
BEYOND_TOTAL = Text(
    "of {total} connections {used} are given to other clusters: {left} are left, {limit} is more",
    "连接数总配额 {total}，其他集群已分配 {used}，剩余 {left}，{limit} 超出剩余配额",
)
BELOW_CURRENT = Text(
    "{connections} clients are connected and {limit} is less: none is disconnected, but who comes back "
    "may be refused; type the name of the cluster to confirm",
    "当前有 {connections} 个客户端连接，{limit} 低于当前连接数：已有连接不会断开，但重新连接可能被拒绝；"
    "请输入集群名称以确认",
)
TOTAL_BELOW_USED = Text(
    "clusters have {used} connections together; the total cannot be {total}",
    "各集群已分配共 {used} 个连接，总配额不能为 {total}",
)
ONE_BELOW_HELD = Text(
    "a cluster has {held} connections; the most of one cannot be {most}",
    "已有集群分配了 {held} 个连接，单集群限制不能为 {most}",
)
ONE_ABOVE_TOTAL = Text("the most of one cluster is more than the total", "单集群限制不能大于总配额")

HOLDS: Mapping[Hold, Text] = {
    Hold.APPLYING: Text("The cluster is being told", "正在下发到集群"),
    Hold.IN_FORCE: Text("In force", "已生效"),
    Hold.FAILED: Text("It could not be set", "设置失败"),
    Hold.UNDECIDED: Text(
        "More clients are connected than a newly adopted cluster is given: decide on a limit",
        "当前连接数超过新纳管集群的初始连接数，请指定连接数",
    ),
    Hold.NONE_LEFT: Text("Nothing is left of the quota", "连接数总配额已用尽"),
    Hold.NOT_PERMITTED: Text(
        "Not permitted by this cluster's licence", "该集群的许可证不允许修改连接数"
    ),
    Hold.UNMANAGED: Text("Left to the cluster", "由集群自行管理"),
}
WAITING = Text("No cluster reports yet", "集群尚未上报")
