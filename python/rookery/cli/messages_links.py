"""Texts of ``rookery ctl links``: English and Chinese."""

from __future__ import annotations

LINK_TEXTS: dict[str, tuple[str, str]] = {
    "help.ctl.links": ("links to other clusters", "集群连接"),
    "help.ctl.links.list": ("list links and how they do", "列出集群连接及其状态"),
    "help.ctl.links.show": (
        "show the settings of a link, and how it does on each node",
        "查看集群连接的配置与各节点状态",
    ),
    "help.ctl.links.create": ("define a link and start it", "创建集群连接"),
    "help.ctl.links.test": (
        "try the settings of a link without keeping them",
        "测试集群连接配置但不保存",
    ),
    "help.ctl.links.update": ("replace the settings of a link", "修改集群连接"),
    "help.ctl.links.enable": ("switch a link on", "启用集群连接"),
    "help.ctl.links.disable": (
        "switch a link off; the other side has to be switched off as well",
        "禁用集群连接，对端也应禁用",
    ),
    "help.ctl.links.delete": ("take a link away", "删除集群连接"),
    "help.ctl.links.metrics": ("show what a link did", "查看集群连接指标"),
    "help.ctl.links.reset": (
        "let the metrics of a link begin at zero again",
        "重置集群连接指标",
    ),
    "option.link": (
        "name of the other cluster: its cluster.name",
        "远程集群名称，即其 cluster.name",
    ),
    "option.link.server": (
        "MQTT listener of the other cluster; several with commas",
        "远程集群的 MQTT 监听地址，可用逗号分隔多个",
    ),
    "option.link.topic": (
        "what this cluster wants of the other one; may be given again",
        "本集群希望接收的主题过滤器，可重复指定",
    ),
    "option.link.username": (
        "user name there; its password goes into a file, see --file",
        "用户名；密码请写入 --file 指定的文件",
    ),
    "option.link.tls": ("encrypt the link", "启用 TLS"),
    "ctl.link.created": ("made the link to {name}, {status}", "已创建到 {name} 的连接，{status}"),
    "ctl.link.updated": ("changed the link to {name}", "已修改到 {name} 的连接"),
    "ctl.link.enabled": ("enabled the link to {name}", "已启用到 {name} 的连接"),
    "ctl.link.disabled": ("disabled the link to {name}", "已禁用到 {name} 的连接"),
    "ctl.link.deleted": (
        "deleted the link to {name}; delete the one there as well",
        "已删除到 {name} 的连接，请同时删除对端的连接",
    ),
    "column.enabled": ("ENABLED", "启用"),
    "column.server": ("SERVER", "服务器地址"),
    "column.topics": ("TOPICS", "主题"),
    "column.routes": ("ROUTES", "路由数"),
    "column.stored": ("ON DISK", "磁盘暂存"),
}
