"""``log.*``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rookery.config.importing import conversions as to
from rookery.config.importing.draft import Draft
from rookery.config.importing.features.gathered import Gathered, Lines
from rookery.config.importing.model import Outcome, Words

IN_DATA_DIR = Words("the log file is written below the data directory", "日志文件写入数据目录")
NO_ROTATION = Words("the size of one file is not bounded", "单个日志文件大小不受限")


def log(gathered: Sequence[Gathered], draft: Draft) -> None:
    """Where, from which level, how much."""
    lines = Lines(gathered, "log.")
    if not lines:
        return
    is_rotated = True
    if (rotation := lines.get("rotation")) is not None:
        is_rotated = to.flag(rotation)
        if is_rotated:
            draft.leave(rotation, Outcome.NOT_NEEDED)
        else:
            draft.take(rotation, ("log", "file", "rotation_size"), "infinity", NO_ROTATION)
    if (where := lines.get("to")) is not None:
        entry = draft.take(where, ("log", "console", "enable"), where.value in ("console", "both"))
        draft.put(entry, ("log", "file", "enable"), where.value in ("file", "both"))
        entry.value = where.value
    for key, name in (("level", "level"), ("formatter", "formatter")):
        if (setting := lines.get(key)) is not None:
            entry = draft.take(setting, ("log", "console", name), setting.value)
            draft.put(entry, ("log", "file", name), setting.value)
    folder, file = lines.get("dir"), lines.get("file")
    if file is not None:
        draft.take(file, ("log", "file", "path"), f"log/{Path(file.value).name}", IN_DATA_DIR)
    if folder is not None:
        draft.leave(folder, Outcome.UNSUPPORTED, IN_DATA_DIR)
    if (size := lines.get("rotation.size")) is not None:
        if is_rotated:
            draft.take(size, ("log", "file", "rotation_size"), to.size(size))
        else:
            draft.leave(size, Outcome.NOT_NEEDED, NO_ROTATION)
    if (count := lines.get("rotation.count")) is not None:
        draft.take(count, ("log", "file", "rotation_count"), to.whole(count))
    if (total := lines.get("size")) is not None:
        draft.leave(total, Outcome.NOT_NEEDED)
