"""The Python environment of a plugin: its own, so that what it needs is nobody else's business.

It is made when the plugin is installed, from the wheels of its archive or, where it brings none,
from the package index that pip is configured for. Of this package's own environment it sees nothing
but this package.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import shutil
import sys
from pathlib import Path

from rookery.errors import BadRequestError

_log = logging.getLogger("rookery.plugins")

TIMEOUT_S = 600.0
_OUTPUT_LINES_MAX = 20
# Otherwise Python looks for the module in the folder that the node was started in first.
_OWN_CODE = ("-P",)


class EnvironmentBuildError(BadRequestError):
    """What a plugin needs cannot be installed; the message is pip's."""

    code = "BAD_PLUGIN_INFO"


def python_of(environment: Path) -> Path:
    """The interpreter of an environment."""
    return environment / "bin" / "python"


async def make(environment: Path, requires: tuple[str, ...], wheels: Path | None) -> None:
    """Make it; when that fails nothing is left.

    Raises:
        EnvironmentBuildError: a package cannot be had, or does not fit.
    """
    try:
        # Without pip of its own, which would take seconds: ours installs into it.
        has_pip = importlib.util.find_spec("pip") is not None
        bare = ["--without-pip"] if has_pip or not requires else []
        _log.info("making the environment %s", environment.name)
        await _run(sys.executable, *_OWN_CODE, "-m", "venv", "--clear", *bare, str(environment))
        if not requires:
            return
        own = [str(python_of(environment)), *_OWN_CODE, "-m", "pip"]
        pip = [sys.executable, *_OWN_CODE, "-m", "pip", "--python", str(python_of(environment))]
        source = ["--no-index", "--find-links", str(wheels)] if wheels is not None else []
        _log.info("installing %s for %s", ", ".join(requires), environment.name)
        await _run(
            *(pip if has_pip else own),
            "--no-input",
            "--disable-pip-version-check",
            "install",
            "--no-warn-script-location",
            *source,
            "--",
            *requires,
        )
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, environment, ignore_errors=True)
        raise


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            output, _ = await process.communicate()
    except BaseException as error:
        process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            message = f"{' '.join(command[:4])} took longer than {TIMEOUT_S:g} s"
            raise EnvironmentBuildError(message) from None
        raise
    if process.returncode != 0:
        lines = output.decode(errors="replace").strip().splitlines()[-_OUTPUT_LINES_MAX:]
        raise EnvironmentBuildError("\n".join(lines) or f"{command[0]} failed")
