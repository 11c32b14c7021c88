"""Runs one fuzz target until it has nothing new to show: fuzz/settle.py TARGET.

It ends after EXECUTIONS_MAX executions, or when SETTLED_S seconds have passed without a place of the
code that no input had reached before. New inputs go beside the seeds, as with `run.sh`.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

EXECUTIONS_MAX = 20_000_000
SETTLED_S = 600.0
_COVERED = re.compile(r"\bcov: (\d+)")


def main(target: str) -> int:
    folder = Path("findings") / target
    before = set(folder.iterdir()) if folder.is_dir() else set()
    command = ["./one.sh", target, f"-runs={EXECUTIONS_MAX}"]
    began = time.monotonic()
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    lines: queue.Queue[str | None] = queue.Queue(maxsize=10_000)
    threading.Thread(target=_read, args=(run, lines), daemon=True).start()
    covered = 0
    # Building takes its time, too: nothing is settled before the first input ran.
    latest: float | None = None
    is_settled = False
    while True:
        left = None if is_settled or latest is None else latest + SETTLED_S - time.monotonic()
        try:
            line = lines.get(timeout=left if left is None else max(left, 0.0))
        except queue.Empty:
            is_settled = True
            os.killpg(run.pid, signal.SIGINT)
            continue
        if line is None:
            break
        if (seen := _COVERED.search(line)) is None:
            print(line, end="", flush=True)
        elif int(seen[1]) > covered:
            covered, latest = int(seen[1]), time.monotonic()
    code = run.wait()
    why = f"{SETTLED_S:.0f} s without new coverage" if is_settled else f"ended with {code}"
    findings = [file for file in folder.iterdir() if file not in before] if folder.is_dir() else []
    print(f"== {target}: {why}; cov {covered}, {time.monotonic() - began:.0f} s")
    for file in findings:
        print(f"== {target}: found {file}", file=sys.stderr)
    # Of a run that was interrupted the code says nothing.
    return 1 if findings or (code and not is_settled) else 0


def _read(run: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert run.stderr is not None
    for line in run.stderr:
        lines.put(line)
    lines.put(None)


if __name__ == "__main__":
    os.chdir(Path(__file__).parent)
    sys.exit(main(sys.argv[1]))
