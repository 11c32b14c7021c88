"""Chinese texts of the fields."""

from __future__ import annotations

from rookery.connectors.settings import ZhTexts

TEXTS_ZH = ZhTexts(
    connector={
        "filepath": (
            "文件",
            "相对路径位于节点数据目录的 disk_log 之下，绝对路径须位于配置允许的目录之下。",
        ),
        "max_file_size": ("单个文件大小", "文件将超过该大小时被重命名，并开始新文件。"),
        "max_file_number": ("文件数量", "最旧的文件被删除，.1 为最近重命名的文件。"),
    },
    action={
        "template": ("行内容", "每条结果写入的内容，其中的换行写为 \\n。"),
        "write_mode": ("写入方式", "sync 等待数据落盘，async 交给操作系统即可。"),
    },
)
