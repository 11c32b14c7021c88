"""Texts of ``rookery edge``: English and Chinese."""

from __future__ import annotations

EDGE_TEXTS: dict[str, tuple[str, str]] = {
    "help.edge": ("run and watch an edge service", "运行与管理边缘服务"),
    "help.edge.start": ("start an edge service", "启动边缘服务"),
    "help.edge.stop": ("stop the edge service of a data directory", "停止边缘服务"),
    "help.edge.status": ("say whether the edge service runs, and how it is", "查看边缘服务状态"),
    "help.edge.reset-password": (
        "give a user another password, on the machine itself",
        "在本机重置用户密码",
    ),
    "option.edge.user": ("which user; admin if none is named", "用户名，默认为 admin"),
    "edge.ready": (
        "the edge service is ready (process {pid}, data in {data_dir})",
        "边缘服务已就绪（进程 {pid}，数据目录 {data_dir}）",
    ),
    "edge.pages": ("  Pages      {url}", "  管理页面   {url}"),
    "edge.initial": (
        "  First visit: sign in as admin with 0000 and choose a password; till then only this machine is answered",
        "  首次访问：使用 admin / 0000 登录并修改密码；在此之前仅接受本机访问",
    ),
    "edge.elsewhere": (
        "  From elsewhere: run `rookery edge reset-password` here first",
        "  从其他机器访问：请先在本机运行 `rookery edge reset-password`",
    ),
    "edge.log": ("log: {file}", "日志：{file}"),
    "edge.died": (
        "the edge service ended before it was ready, see {file}",
        "边缘服务未能就绪，详见 {file}",
    ),
    "edge.not_running": (
        "no edge service runs with data directory {data_dir}",
        "数据目录 {data_dir} 没有运行中的边缘服务",
    ),
    "edge.in_use": (
        "an edge service runs in {data_dir} already (process {pid})",
        "{data_dir} 中已有运行中的边缘服务（进程 {pid}）",
    ),
    "edge.silent": (
        "the edge service of {data_dir} (process {pid}) runs but does not answer",
        "边缘服务（数据目录 {data_dir}，进程 {pid}）正在运行但无响应",
    ),
    "edge.running": (
        "the edge service runs: process {pid}, version {version}, up {uptime}, {address}, {running} of {nodes} nodes run",
        "边缘服务正在运行：进程 {pid}，版本 {version}，已运行 {uptime}，{address}，{nodes} 个节点中 {running} 个在运行",
    ),
    "edge.reset": (
        "{name} has the new password and was signed out everywhere",
        "{name} 的密码已重置，其所有会话已结束",
    ),
    "ports.edge.http": (
        "pages and REST interface of the edge service",
        "边缘服务的管理页面与 REST 接口",
    ),
    "ports.edge.unix": (
        "the edge service, for the command line of this user",
        "边缘服务，供本用户的命令行使用",
    ),
}
