"""What goes to the terminal, and how errors become lines and exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from rookery.cli.messages import language, say
from rookery.errors import DataDirInUseError, PortInUseError, RookeryError
from rookery.observability.visible import visible

OK = 0
FAILED = 1
USAGE = 2
NOT_RUNNING = 3
NOT_ANSWERING = 4
INTERRUPTED = 130


def line(text: str) -> None:
    """One line on standard output."""
    print(text)


def text(lines: str) -> None:
    """Lines that have their ends already, on standard output."""
    print(lines, end="")


def complain(text: str) -> None:
    """One line on standard error, or several; what could control the terminal is escaped."""
    print("\n".join(visible(part) for part in text.split("\n")), file=sys.stderr)


def show_json(value: Any) -> None:
    """Indented JSON on standard output."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def show_table(rows: list[tuple[str, ...]], at_least: Sequence[int] = ()) -> list[int]:
    """Columns as wide as their widest cell, or as ``at_least``; the widths."""
    widths = list(at_least) or [0] * len(rows[0])
    for row in rows:
        widths = [max(width, _width(cell)) for width, cell in zip(widths, row, strict=True)]
    for row in rows:
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ]
        print("  ".join(cells).rstrip())
    return widths


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if ord(character) >= 0x1100 else 1 for character in text)


def duration(seconds: int) -> str:
    """``1 d 2 h 3 s``."""
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (rest, "s")]
    return " ".join(f"{value} {unit}" for value, unit in parts if value) or "0 s"


def size(octets: float) -> str:
    """``1.5 GiB``."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if octets < 1024:
            return f"{octets:.4g} {unit}"
        octets /= 1024
    return f"{octets:.4g} TiB"


def error_lines(error: RookeryError) -> list[str]:
    """What the user is told about ``error``."""
    if isinstance(error, PortInUseError):
        return [_port_taken(error)]
    if isinstance(error, DataDirInUseError):
        return [_in_use(error)]
    details = getattr(error, "details", None)
    if details is not None:
        problems = ["  " + problem.text(language()) for problem in details]
        return [say("config.bad"), *problems]
    return [say("error", text=error.text(language()))]


def code_of(error: RookeryError) -> int:
    """With which code a command ends that ran into ``error``."""
    from rookery.client.http_client import NotAnsweringError, UnreachableError  # noqa: PLC0415

    if isinstance(error, UnreachableError):
        return NOT_RUNNING
    return NOT_ANSWERING if isinstance(error, NotAnsweringError) else FAILED


def _port_taken(error: PortInUseError) -> str:
    port_text = error.address.rpartition(":")[2]
    return say(
        "node.port_taken",
        port=port_text or error.address,
        listener=error.listener,
        holder=_holder(int(port_text)) if port_text.isdigit() else say("node.unknown_holder"),
    )


def _holder(port: int) -> str:
    from rookery.cli.processes import is_listened_on, port_holder  # noqa: PLC0415

    holder = port_holder(port)
    if holder is not None:
        return say("node.holder", command=holder[0], pid=holder[1])
    return say("node.unknown_holder" if is_listened_on(port) else "node.no_holder")


def _in_use(error: DataDirInUseError) -> str:
    directory = str(error).removeprefix("data directory ").partition(" is in use")[0]
    told = str(error)
    if error.pid is None:
        return say("node.in_use_unknown", data_dir=directory)
    if " by the control plane of " in told:
        key = "control.in_use"
    else:
        key = "edge.in_use" if " by the edge service of " in told else "node.in_use"
    return say(key, data_dir=directory, pid=error.pid)


def give_up_on_broken_pipe() -> None:
    """Whoever read our output has gone (``rookery sub | head``): end quietly."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)
