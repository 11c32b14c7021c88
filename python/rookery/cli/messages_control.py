"""Texts of ``rookery control``: English and Chinese."""

from __future__ import annotations

CONTROL_TEXTS: dict[str, tuple[str, str]] = {
    "help.control": ("run and watch a control plane", "运行与管理控制面"),
    "help.control.start": ("start a control plane", "启动控制面"),
    "help.control.stop": ("stop the control plane of a data directory", "停止控制面"),
    "help.control.status": (
        "say whether the control plane runs, and how it is",
        "查看控制面状态",
    ),
    "option.database": (
        "address of the database: postgresql://USER:PASSWORD@HOST/NAME or sqlite:///FILE",
        "数据库地址：postgresql://USER:PASSWORD@HOST/NAME 或 sqlite:///FILE",
    ),
    "control.ready": (
        "the control plane is ready (process {pid}, data in {data_dir})",
        "控制面已就绪（进程 {pid}，数据目录 {data_dir}）",
    ),
    "control.console": ("  Console    {url}", "  控制台     {url}"),
    "control.setup": (
        "  First visit: the console asks for the set-up code {code} if it is opened elsewhere",
        "  首次访问：从其他机器打开控制台时需输入初始化验证码 {code}",
    ),
    "control.log": ("log: {file}", "日志：{file}"),
    "control.died": (
        "the control plane ended before it was ready, see {file}",
        "控制面未能就绪，详见 {file}",
    ),
    "control.not_running": (
        "no control plane runs with data directory {data_dir}",
        "数据目录 {data_dir} 没有运行中的控制面",
    ),
    "control.silent": (
        "the control plane of {data_dir} (process {pid}) runs but does not answer",
        "控制面（数据目录 {data_dir}，进程 {pid}）正在运行但无响应",
    ),
    "control.running": (
        "the control plane runs: process {pid}, version {version}, up {uptime}, {address}, {database}",
        "控制面正在运行：进程 {pid}，版本 {version}，已运行 {uptime}，{address}，{database}",
    ),
    "control.unfinished": (
        "  nobody has made the administrator yet: open the console",
        "  尚未创建管理员：请打开控制台",
    ),
}
