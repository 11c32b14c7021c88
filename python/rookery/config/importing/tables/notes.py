"""Sentences that several rows say."""

from __future__ import annotations

from rookery.config.importing.model import Words

ERLANG = Words("there is no Erlang virtual machine", "没有 Erlang 虚拟机")
SOCKETS = Words("sockets are driven by the native core", "套接字由原生内核管理")
WORKERS = Words(
    "every worker accepts connections; see node.workers", "每个工作线程都接受连接，见 node.workers"
)
ALWAYS = Words("always on here", "此处始终启用")
NO_PLUGIN = Words("there is no such plugin here", "没有对应的插件")
NO_BACKEND = Words(
    "this database is not a source of authentication or authorization here",
    "不支持以该数据库作为认证或授权数据源",
)
ONE_LOG = Words("one log on standard error and one file", "仅支持标准错误与单一文件日志")
ROUTING = Words("the router needs no such setting", "路由无需此设置")
ONE_PROCESS = Words(
    "it is about one Erlang process of many; see sysmon.os.procmem_high_watermark",
    "针对单个 Erlang 进程；见 sysmon.os.procmem_high_watermark",
)
CURVES = Words("keys are exchanged by elliptic curves only", "仅支持椭圆曲线密钥交换")
NO_PSK = Words(
    "pre-shared keys are not available: use certificates or passwords",
    "不支持预共享密钥，请使用证书或密码",
)
PER_LISTENER = Words(
    "set on every listener of the zone, for each client", "设置在该区域的每个监听器上，按客户端计"
)
FOR_ALL = Words("holds for the whole node, not for a zone", "对整个节点生效，而非单个区域")
TEMPLATES = Words(
    "%u, %c and their kind are ${username}, ${clientid} …",
    "%u、%c 等占位符改写为 ${username}、${clientid} 等",
)
THIS_MACHINE = Words(
    "a port alone is for this machine only: write an address before it to open it",
    "只写端口时仅本机可访问，如需开放请写明地址",
)
