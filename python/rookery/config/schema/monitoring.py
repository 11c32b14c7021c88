"""``sysmon`` and ``prometheus``: what a node says about itself and the machine it runs on."""

from __future__ import annotations

from rookery.config.schema.model import (
    UNSET,
    Anything,
    Bool,
    Duration,
    Field,
    MapOf,
    OneOf,
    Percent,
    SecretText,
    Struct,
    Text,
    Type,
    inert,
)

# A table reads better with one field in two or three lines.
# fmt: off

LONGEST_INTERVAL_MS = 86_400_000


def _interval() -> Type:
    return Duration("s", low_ms=1000, high_ms=LONGEST_INTERVAL_MS, words={"disabled": None})


SYSMON = Struct((
    Field("os", Struct((
        Field("cpu_check_interval", _interval(), "60s",
              "How often the use of the processors is looked at, and over which time.",
              "CPU 使用率的检查周期及统计时长。", hot=True),
        Field("cpu_high_watermark", Percent(), "80%",
              "Use of all processors that raises the alarm high_cpu_usage.",
              "触发 high_cpu_usage 告警的 CPU 使用率。", hot=True),
        Field("cpu_low_watermark", Percent(), "60%", "Use below which that alarm ends.",
              "低于该使用率时告警解除。", hot=True),
        Field("mem_check_interval", _interval(), "60s", "How often memory is looked at.",
              "内存的检查周期。", hot=True),
        Field("sysmem_high_watermark", Percent(), "70%",
              "Share of the machine's memory in use (of the container's, where that is bounded) that "
              "raises the alarm high_system_memory_usage.",
              "触发 high_system_memory_usage 告警的系统（或容器）内存使用率。", hot=True),
        Field("sysmem_low_watermark", Percent(), "65%", "Share below which that alarm ends.",
              "低于该使用率时告警解除。", hot=True),
        Field("procmem_high_watermark", Percent(), "50%",
              "Share of that memory in the node's own process that raises the alarm "
              "high_process_memory_usage.",
              "触发 high_process_memory_usage 告警的本进程内存占比。", hot=True),
        Field("procmem_low_watermark", Percent(), "45%", "Share below which that alarm ends.",
              "低于该占比时告警解除。", hot=True),
        Field("fd_check_interval", _interval(), "60s", "How often open files are counted.",
              "文件描述符的检查周期。", hot=True),
        Field("fd_high_watermark", Percent(), "80%",
              "Share of the open files allowed that raises the alarm too_many_file_descriptors.",
              "触发 too_many_file_descriptors 告警的文件描述符占比。", hot=True),
        Field("fd_low_watermark", Percent(), "70%", "Share below which that alarm ends.",
              "低于该占比时告警解除。", hot=True),
        Field("disk_check_interval", _interval(), "60s", "How often the disk is looked at.",
              "磁盘的检查周期。", hot=True),
        Field("disk_high_watermark", Percent(), "90%",
              "Use of the disk of the data directory that raises the alarm low_disk_space.",
              "触发 low_disk_space 告警的数据目录磁盘使用率。", hot=True),
        Field("disk_low_watermark", Percent(), "85%", "Use below which that alarm ends.",
              "低于该使用率时告警解除。", hot=True),
    )), {}, "The machine and the process.", "操作系统与进程。"),
    inert("vm", MapOf(Anything()), {}, "The Erlang virtual machine.", "Erlang 虚拟机。",
          "there is no Erlang virtual machine", "没有 Erlang 虚拟机"),
    inert("top", MapOf(Anything()), {}, "Processes of the Erlang virtual machine.",
          "Erlang 虚拟机进程。", "there is no Erlang virtual machine", "没有 Erlang 虚拟机"),
))


_VM = ("there is no Erlang virtual machine", "没有 Erlang 虚拟机")
_WORD = OneOf(("enabled", "disabled"))

PROMETHEUS = Struct((
    Field("enable_basic_auth", Bool(), False,
          "Whether whoever reads the metrics has to sign in, with an API key by HTTP Basic.",
          "读取指标是否需要 API 密钥（HTTP Basic）认证。", hot=True),
    Field("push_gateway", Struct((
        Field("enable", Bool(), False, "Whether metrics are pushed to a Pushgateway.",
              "是否向 Pushgateway 推送指标。", hot=True),
        Field("url", Text(r"https?://\S{1,2048}", "a URL that begins with http:// or https://"),
              "http://127.0.0.1:9091", "Address of the Pushgateway.", "Pushgateway 地址。", hot=True),
        Field("interval", Duration("s", low_ms=1000, high_ms=LONGEST_INTERVAL_MS), "15s",
              "How often.", "推送周期。", hot=True),
        Field("headers", MapOf(SecretText(), r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}", "the name of a header"), {},
              "HTTP headers that are sent along, such as Authorization.",
              "附加的 HTTP 头，例如 Authorization。", hot=True),
        Field("job_name", Text(r"\S{1,1024}"),
              "${name}/instance/${name}~${host}",
              "Job under which they are pushed; ${name} and ${host} are the parts of node.name.",
              "推送使用的任务名，${name} 与 ${host} 取自 node.name。", hot=True),
    )), {}, "Pushgateway, where nobody can scrape this node.", "Pushgateway 推送。"),
    Field("collectors", Struct(tuple(
        inert(name, _WORD, "disabled", "Metrics of the Erlang virtual machine.",
              "Erlang 虚拟机指标。", *_VM)
        for name in ("mnesia", "vm_dist", "vm_memory", "vm_msacc", "vm_statistics", "vm_system_info")
    )), {}, "Metrics of the Erlang virtual machine.", "Erlang 虚拟机指标。"),
    *(inert(name, Anything(), UNSET, "The form before 5.4.", "5.4 之前的写法。",
            f"use prometheus.{new}", f"请使用 prometheus.{new}")
      for name, new in (
          ("enable", "push_gateway.enable"), ("push_gateway_server", "push_gateway.url"),
          ("interval", "push_gateway.interval"), ("headers", "push_gateway.headers"),
          ("job_name", "push_gateway.job_name"),
      )),
    *(inert(f"{name}_collector", Anything(), UNSET, "Metrics of the Erlang virtual machine.",
            "Erlang 虚拟机指标。", *_VM)
      for name in ("vm_dist", "mnesia", "vm_statistics", "vm_system_info", "vm_memory", "vm_msacc")),
))
