"""``node``, ``cluster``, ``rpc``, ``log``, monitoring, access control."""

from __future__ import annotations

from rookery.config.importing import conversions as to
from rookery.config.importing.model import Outcome, Row, Words
from rookery.config.importing.tables import notes

# A table reads better with one row in one or two lines.
# fmt: off

OWN_DATA = Words("Rookery keeps its data in a directory of its own and cannot read EMQX's",
                 "Rookery 使用自己的数据目录，无法读取 EMQX 的数据")
NO_MCAST = Words("nodes are not found by multicast: use static seeds", "不支持组播发现，请使用静态节点列表")
OWN_BUS = Words("nodes of a cluster speak another protocol here", "集群节点间使用不同的协议")

NODE: tuple[Row, ...] = (
    Row("node.name", "node.name"),
    Row("node.cookie", "node.cookie"),
    Row("node.data_dir", note=OWN_DATA, outcome=Outcome.NOT_NEEDED),
    Row("node.dist_listen_min", note=OWN_BUS, outcome=Outcome.NOT_NEEDED),
    Row("node.dist_listen_max", note=OWN_BUS, outcome=Outcome.NOT_NEEDED),
    Row("node.*", note=notes.ERLANG, outcome=Outcome.NOT_NEEDED),
    Row("rpc.*", note=OWN_BUS, outcome=Outcome.NOT_NEEDED),

    Row("cluster.name", "cluster.name"),
    Row("cluster.discovery", "cluster.discovery_strategy",
        to.only({"manual": "manual", "static": "static", "dns": "dns", "etcd": "etcd", "k8s": "k8s"},
                NO_MCAST)),
    Row("cluster.autoheal", "cluster.autoheal", to.flag),
    Row("cluster.autoclean", "cluster.autoclean", to.duration),
    Row("cluster.static.seeds", "cluster.static.seeds", to.commas),
    Row("cluster.dns.name", "cluster.dns.name"),
    Row("cluster.dns.app", note=Words("the part before @ of a node's name is not needed", "无需指定节点名 @ 之前的部分"),
        outcome=Outcome.NOT_NEEDED),
    Row("cluster.dns.type", "cluster.dns.record_type"),
    Row("cluster.proto_dist", note=OWN_BUS, outcome=Outcome.NOT_NEEDED),
    Row("cluster.mcast.*", note=NO_MCAST),
    Row("cluster.etcd.server", "cluster.etcd.server"),
    Row("cluster.etcd.prefix", "cluster.etcd.prefix"),
    Row("cluster.etcd.node_ttl", "cluster.etcd.node_ttl", to.duration),
    Row("cluster.etcd.ssl.keyfile", "cluster.etcd.ssl_options.keyfile", to.file_path),
    Row("cluster.etcd.ssl.certfile", "cluster.etcd.ssl_options.certfile", to.file_path),
    Row("cluster.etcd.ssl.cacertfile", "cluster.etcd.ssl_options.cacertfile", to.file_path),
    Row("cluster.k8s.apiserver", "cluster.k8s.apiserver"),
    Row("cluster.k8s.service_name", "cluster.k8s.service_name"),
    Row("cluster.k8s.address_type", "cluster.k8s.address_type"),
    Row("cluster.k8s.namespace", "cluster.k8s.namespace"),
    Row("cluster.k8s.suffix", "cluster.k8s.suffix"),
    Row("cluster.k8s.app_name", note=Words("the part before @ of a node's name is not needed", "无需指定节点名 @ 之前的部分"),
        outcome=Outcome.NOT_NEEDED),

    Row("log.to", convert=to.one_of("off", "file", "console", "both"), feature="log"),
    Row("log.level", feature="log"),
    Row("log.primary_log_level", note=Words("each log has its level", "各日志分别设置级别"), outcome=Outcome.NOT_NEEDED),
    Row("log.dir", feature="log"),
    Row("log.file", convert=to.some_text, feature="log"),
    Row("log.size", feature="log"),
    Row("log.rotation", convert=to.flag, feature="log"),
    Row("log.rotation.size", convert=to.size, feature="log"),
    Row("log.rotation.count", convert=to.whole, feature="log"),
    Row("log.formatter", feature="log"),
    Row("log.formatter.text.*", note=notes.ONE_LOG, outcome=Outcome.NOT_NEEDED),
    *(Row(f"log.{level}.file", note=notes.ONE_LOG)
      for level in ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")),
    Row("log.*", note=Words("the log never slows the broker down and needs no such setting",
                            "日志不会拖慢服务，无需此设置"), outcome=Outcome.NOT_NEEDED),
    Row("lager.*", note=notes.ERLANG, outcome=Outcome.NOT_NEEDED),

    Row("allow_anonymous", convert=to.flag, feature="access"),
    Row("acl_nomatch", "authorization.no_match"),
    Row("acl_deny_action", "authorization.deny_action"),
    Row("enable_acl_cache", "authorization.cache.enable", to.flag),
    Row("acl_cache_max_size", "authorization.cache.max_size", to.whole),
    Row("acl_cache_ttl", "authorization.cache.ttl", to.duration),
    Row("acl_file", feature="access"),
    Row("acl.acl_file", feature="access"),

    Row("alarm.actions", "alarm.actions", to.commas),
    Row("alarm.size_limit", "alarm.size_limit", to.whole),
    Row("alarm.validity_period", "alarm.validity_period", to.duration),
    Row("sysmon.*", note=notes.ERLANG, outcome=Outcome.NOT_NEEDED),
    Row("os_mon.cpu_check_interval", "sysmon.os.cpu_check_interval", to.duration),
    Row("os_mon.cpu_high_watermark", "sysmon.os.cpu_high_watermark"),
    Row("os_mon.cpu_low_watermark", "sysmon.os.cpu_low_watermark"),
    Row("os_mon.mem_check_interval", "sysmon.os.mem_check_interval", to.duration),
    Row("os_mon.sysmem_high_watermark", "sysmon.os.sysmem_high_watermark"),
    Row("os_mon.*", note=notes.ONE_PROCESS, outcome=Outcome.NOT_NEEDED),
    Row("vm_mon.*", note=notes.ERLANG, outcome=Outcome.NOT_NEEDED),
    Row("telemetry.*", note=Words("Rookery reports to nobody", "Rookery 不上报任何数据"), outcome=Outcome.NOT_NEEDED),
    Row("plugins.*", note=notes.NO_PLUGIN, outcome=Outcome.NOT_NEEDED),
)
