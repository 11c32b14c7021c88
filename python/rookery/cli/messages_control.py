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
    "control.in_use": (
        "a control plane runs in {data_dir} already (process {pid})",
        "{data_dir} 中已有运行中的控制面（进程 {pid}）",
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
    "help.control.reset-admin": (
        "give an administrator another password, on the machine itself",
        "在本机重置管理员密码",
    ),
    "help.control.backup": (
        "write everything that a control plane knows to a file",
        "将控制面的全部数据备份到文件",
    ),
    "help.control.restore": ("read a backup into a database", "从备份恢复数据库"),
    "option.control.email": (
        "which one, if there are several; who is not there is made",
        "管理员邮箱（多个管理员时必填；不存在则创建）",
    ),
    "option.control.backup": (
        "the file to write, which must not be there",
        "备份文件（不得已存在）",
    ),
    "option.control.restore": ("the backup", "备份文件"),
    "option.control.force": (
        "give up what the database holds",
        "放弃数据库中的现有数据",
    ),
    "control.admin_made": (
        "{email} is an administrator and may sign in",
        "已创建管理员 {email}，可以登录",
    ),
    "control.admin_reset": (
        "{email} has the new password and was signed out everywhere",
        "{email} 的密码已重置，其所有会话已结束",
    ),
    "control.backed_up": (
        "{rows} rows are in {file}; keep it as safe as a password",
        "已将 {rows} 行数据写入 {file}，请妥善保管",
    ),
    "control.restored": (
        "{rows} rows are back, of a backup made {at} by version {version}",
        "已恢复 {rows} 行数据（备份时间 {at}，版本 {version}）",
    ),
}
