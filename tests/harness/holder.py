"""Many connections held by a process of its own, with its own limit of open files.

As a program: the first line of its input is the configuration of the load generator. It says ``held``
when all connections stand, ends when its input does, and prints the generator's report.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from rookery.native.bench import BenchProgress, run_bench

TIMEOUT_S = 120.0


class Holder:
    """Connections in another process, from :func:`holding` to :meth:`report`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def wait_until_held(self) -> None:
        """Return when every connection stands."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line == "held\n", line + (self._process.communicate()[1] or "")

    def report(self) -> dict[str, Any]:
        """Let go of the connections; what became of them until then."""
        output, errors = self._process.communicate(timeout=TIMEOUT_S)
        assert self._process.returncode == 0, errors
        report: dict[str, Any] = json.loads(output)
        return report


@contextlib.contextmanager
def holding(config: dict[str, Any]) -> Iterator[Holder]:
    """Begin to make connections."""
    process = subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(config) + "\n")
    process.stdin.flush()
    try:
        yield Holder(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def main() -> int:
    config = json.loads(sys.stdin.readline())
    is_over = threading.Event()
    is_held = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        is_over.set()

    def progress(told: BenchProgress) -> bool:
        if told.phase == "measure" and not is_held.is_set():
            is_held.set()
            print("held", flush=True)
        return not is_over.is_set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    print(json.dumps(run_bench(config, progress)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
