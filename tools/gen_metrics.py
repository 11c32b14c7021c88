"""Writes the reference of counters and gauges, in both languages, from the catalogue.

``--check`` writes nothing and fails when a page is not what the catalogue says.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from rookery.observability.catalog import COUNTERS, GAUGES, Figure

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"


@dataclass(frozen=True)
class Texts:
    """What the page says in one language."""

    file: str
    head: str
    counters: str
    gauges: str
    columns: tuple[str, ...]
    tail: str


ENGLISH = Texts(
    file="metrics.md",
    head="""# Counters and gauges

[中文](metrics.zh.md)

Every figure that a node may show, generated from the code. The dotted names are those of
`GET /api/v5/metrics`, `GET /api/v5/stats` and the topics under `$SYS`; the names with underscores
those of `GET /api/v5/prometheus/stats`. What begins with `emqx_` means what it means in EMQX, so that
dashboards made for it show a Rookery node; what begins with `rookery_` is Rookery's own. A figure that
a node does not count is absent, never 0.

The guide [Monitoring](../guides/monitoring.md) says which of them to watch.
""",
    counters="""
## Counters

They rise from the start of the node.
""",
    gauges="""
## Gauges

What there is at the moment.
""",
    columns=("name", "for Prometheus", "meaning"),
    tail="""
## Only for Prometheus

| name | meaning |
|---|---|
| `emqx_vm_cpu_use`, `emqx_vm_cpu_idle` | use of the processors over the last `sysmon.os.cpu_check_interval`, percent |
| `emqx_vm_total_memory`, `emqx_vm_used_memory` | memory of the machine, or of the container where that is bounded, bytes |
| `emqx_cluster_nodes_running`, `emqx_cluster_nodes_stopped` | nodes of the cluster |
| `emqx_cert_expiry_at{listener_type,listener_name}` | when the certificate of a listener ends, seconds since 1970 |
| `process_resident_memory_bytes` | memory of the node's process |
| `process_open_fds`, `process_max_fds` | its open files, and how many it may have |
| `process_start_time_seconds` | when it was started, seconds since 1970 |

`GET /api/v5/prometheus/auth` has, with the label `id` (provider or source):

| name | meaning |
|---|---|
| `emqx_authn_enable`, `emqx_authn_status` | whether a provider is switched on, whether it answers |
| `emqx_authn_total`, `emqx_authn_success`, `emqx_authn_failed`, `emqx_authn_nomatch` | logins it was asked about, admitted, refused, knew nothing about |
| `emqx_authn_users_count` | users of the built-in database |
| `emqx_authz_enable`, `emqx_authz_status` | whether a source is switched on, whether it answers |
| `emqx_authz_total`, `emqx_authz_allow`, `emqx_authz_deny`, `emqx_authz_nomatch` | actions that a source which is a service was asked about, allowed, denied, knew nothing about |
| `emqx_banned_count` | bans that hold |

`GET /api/v5/prometheus/data_integration` has, with the label `id`, what `GET /rules/{id}/metrics` and
`GET /actions/{id}/metrics` show under the same words:

| name | meaning |
|---|---|
| `emqx_rules_count`, `emqx_connectors_count`, `emqx_actions_count`, `emqx_sources_count` | how many there are; without a label |
| `emqx_rule_enable`, `emqx_action_enable`, `emqx_connector_enable` | whether it is switched on |
| `emqx_action_status`, `emqx_connector_status` | 1 while it is connected |
| `emqx_rule_matched`, `emqx_rule_passed`, `emqx_rule_failed`, `emqx_rule_failed_exception`, `emqx_rule_failed_no_result`, `emqx_rule_actions_total`, `emqx_rule_actions_success`, `emqx_rule_actions_failed`, `emqx_rule_actions_failed_out_of_service`, `emqx_rule_actions_failed_unknown`, `emqx_rule_actions_discarded` | what a rule did |
| `emqx_action_matched`, `emqx_action_success`, `emqx_action_failed`, `emqx_action_dropped`, `emqx_action_dropped_expired`, `emqx_action_dropped_queue_full`, `emqx_action_dropped_resource_not_found`, `emqx_action_dropped_resource_stopped`, `emqx_action_dropped_other`, `emqx_action_retried`, `emqx_action_received`, `emqx_action_queuing`, `emqx_action_inflight` | what became of the results of an action; of a source what it received |
""",
)

CHINESE = Texts(
    file="metrics.zh.md",
    head="""# 指标参考

[English](metrics.md)

节点可能给出的全部指标，由代码生成。带点的名称用于 `GET /api/v5/metrics`、`GET /api/v5/stats` 与 `$SYS`
主题；带下划线的名称用于 `GET /api/v5/prometheus/stats`。以 `emqx_` 开头的指标与 EMQX 同义，为 EMQX
制作的仪表盘可直接使用；以 `rookery_` 开头的为 Rookery 自有指标。节点未统计的指标不出现，而不是显示为 0。

需要关注哪些指标见 [监控指南](../guides/monitoring.zh.md)。
""",
    counters="""
## 计数器

自节点启动起累加。
""",
    gauges="""
## 状态量

当前值。
""",
    columns=("名称", "Prometheus 名称", "含义"),
    tail="""
## 仅用于 Prometheus

| 名称 | 含义 |
|---|---|
| `emqx_vm_cpu_use`、`emqx_vm_cpu_idle` | 最近一个 `sysmon.os.cpu_check_interval` 内的 CPU 使用率，百分比 |
| `emqx_vm_total_memory`、`emqx_vm_used_memory` | 系统（或有上限的容器）内存，字节 |
| `emqx_cluster_nodes_running`、`emqx_cluster_nodes_stopped` | 集群节点数 |
| `emqx_cert_expiry_at{listener_type,listener_name}` | 监听器证书到期时间，Unix 秒 |
| `process_resident_memory_bytes` | 节点进程占用内存 |
| `process_open_fds`、`process_max_fds` | 已打开与允许的文件描述符数 |
| `process_start_time_seconds` | 启动时间，Unix 秒 |

`GET /api/v5/prometheus/auth` 带标签 `id`（认证器或授权源）：

| 名称 | 含义 |
|---|---|
| `emqx_authn_enable`、`emqx_authn_status` | 认证器是否启用、是否可用 |
| `emqx_authn_total`、`emqx_authn_success`、`emqx_authn_failed`、`emqx_authn_nomatch` | 查询、通过、拒绝、未知的登录次数 |
| `emqx_authn_users_count` | 内置数据库用户数 |
| `emqx_authz_enable`、`emqx_authz_status` | 授权源是否启用、是否可用 |
| `emqx_authz_total`、`emqx_authz_allow`、`emqx_authz_deny`、`emqx_authz_nomatch` | 作为外部服务的授权源被查询、允许、拒绝、未知的次数 |
| `emqx_banned_count` | 生效的黑名单条数 |

`GET /api/v5/prometheus/data_integration` 以标签 `id` 给出 `GET /rules/{id}/metrics` 与 `GET /actions/{id}/metrics`
中的同名数值：

| 名称 | 含义 |
|---|---|
| `emqx_rules_count`、`emqx_connectors_count`、`emqx_actions_count`、`emqx_sources_count` | 各自的数量，无标签 |
| `emqx_rule_enable`、`emqx_action_enable`、`emqx_connector_enable` | 是否启用 |
| `emqx_action_status`、`emqx_connector_status` | 已连接时为 1 |
| `emqx_rule_matched`、`emqx_rule_passed`、`emqx_rule_failed`、`emqx_rule_failed_exception`、`emqx_rule_failed_no_result`、`emqx_rule_actions_total`、`emqx_rule_actions_success`、`emqx_rule_actions_failed`、`emqx_rule_actions_failed_out_of_service`、`emqx_rule_actions_failed_unknown`、`emqx_rule_actions_discarded` | 规则的执行情况 |
| `emqx_action_matched`、`emqx_action_success`、`emqx_action_failed`、`emqx_action_dropped`、`emqx_action_dropped_expired`、`emqx_action_dropped_queue_full`、`emqx_action_dropped_resource_not_found`、`emqx_action_dropped_resource_stopped`、`emqx_action_dropped_other`、`emqx_action_retried`、`emqx_action_received`、`emqx_action_queuing`、`emqx_action_inflight` | 动作结果的去向；数据源则为收到的消息 |
""",
)


def page(texts: Texts) -> str:
    """The page in one language."""
    lines = [texts.head.rstrip("\n")]
    for head, figures in ((texts.counters, COUNTERS), (texts.gauges, GAUGES)):
        lines += [head, _row(texts.columns), "|---|---|---|"]
        lines += [_figure(figure, is_english=texts is ENGLISH) for figure in figures]
    return "\n".join([*lines, texts.tail.rstrip("\n")]) + "\n"


def _figure(figure: Figure, *, is_english: bool) -> str:
    meaning = figure.en if is_english else figure.zh
    return _row((f"`{figure.name}`", f"`{figure.prometheus}`", meaning))


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    stale = []
    for texts in (ENGLISH, CHINESE):
        path = FOLDER / texts.file
        text = page(texts)
        if not is_check:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        print(f"not what the catalogue says: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
