"""The composition root: what the command line starts, wired together.

Nothing of a role is imported before it is asked for: ``rookery pub`` pays for no broker.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rookery.clock import SystemClock
from rookery.lasting import lasting

if TYPE_CHECKING:
    from rookery.broker.journal import Lines
    from rookery.broker.node import Ready
    from rookery.config import Config
    from rookery.config.control import ControlConfig
    from rookery.config.edge import EdgeConfig
    from rookery.control.accounts.rescue import Rescued
    from rookery.control.backup.service import Contents
    from rookery.control.serving import Ready as ControlReady
    from rookery.edge.serving import Ready as EdgeReady


def run_node(
    config: Config,
    *,
    foreground: bool,
    ready: Ready | None = None,
    out: Lines | None = None,
    is_dated: bool = False,
) -> int:
    """Run a broker node in this process until it is told to stop.

    Args:
        config: The checked configuration.
        foreground: Whether to print a line for every connect, disconnect and error.
        ready: Called once, when clients are accepted, with a line for each listener that stays closed.
        out: Where the lines go; standard output.
        is_dated: Whether each line begins with the date too, as in a file.

    Returns:
        The exit code.

    Raises:
        StartError: it cannot start; nothing is left open.
    """
    from rookery.broker import node  # noqa: PLC0415

    return node.run(config, foreground=foreground, ready=ready, out=out, is_dated=is_dated)


def run_witness(config: Config, join: str | None, ready: Callable[[str], None]) -> int:
    """Be the witness of a cluster in this process until told to stop; the exit code.

    Raises:
        StartError: it cannot start.
    """
    from rookery.broker.cluster import witness  # noqa: PLC0415

    return witness.run(config, join, ready)


def run_control(
    config: ControlConfig, *, ready: ControlReady | None = None, attached: bool = False
) -> int:
    """Run a control plane in this process until it is told to stop.

    Args:
        config: The checked configuration.
        ready: Called once, when requests are accepted.
        attached: Whether it stops when its standard input ends.

    Returns:
        The exit code.

    Raises:
        StartError: it cannot start; nothing is left open.
    """
    with lasting():
        from rookery.agent import bundle  # noqa: PLC0415
        from rookery.control import serving  # noqa: PLC0415
        from rookery.control.agents.downloads import AgentFile  # noqa: PLC0415

        return serving.run(
            config,
            agent_file=AgentFile(bundle.build, bundle.install_script),
            ready=ready,
            attached=attached,
        )


def run_edge(
    config: EdgeConfig,
    *,
    ready: EdgeReady | None = None,
    attached: bool = False,
    detached: bool = False,
) -> int:
    """Run an edge service in this process until it is told to stop.

    Args:
        config: The checked configuration.
        ready: Called once, when requests are accepted.
        attached: Whether it stops when its standard input ends.
        detached: Whether its log goes to its files alone.

    Returns:
        The exit code.

    Raises:
        StartError: it cannot start; nothing is left open.
    """
    with lasting():
        from rookery.edge import serving  # noqa: PLC0415

        return serving.run(config, ready=ready, attached=attached, detached=detached)


def reset_edge_password(config: EdgeConfig, name: str, password: str) -> None:
    """Give a user of an edge service that does not run another password.

    Raises:
        RookeryError: there is no such user, or the password will not do.
    """
    from rookery.edge.users import rescue  # noqa: PLC0415

    rescue.reset_password(config, name, password, SystemClock())


def declare_agent(verbs: Any) -> None:
    """Add the verbs of the agent to a group of sub-commands; each sets ``run``.

    The agent is a program of its own, too, which runs where this package is not installed: what
    it takes and says is its own.
    """
    from rookery.agent import command  # noqa: PLC0415

    command.declare(verbs)


def reset_admin(config: ControlConfig, email: str | None, password: str) -> Rescued:
    """Give an administrator of a control plane another password.

    Raises:
        RookeryError: it is not clear who is meant, or the password will not do.
    """
    from rookery.control.accounts import rescue  # noqa: PLC0415

    return rescue.reset_admin(config, email, password, SystemClock())


def backup_control(config: ControlConfig, file: Path) -> Contents:
    """Write everything that a control plane knows to a file.

    Raises:
        RookeryError: it cannot be read or written.
    """
    from rookery.control.backup import service  # noqa: PLC0415

    return service.backup(config, file, SystemClock())


def restore_control(config: ControlConfig, file: Path, *, force: bool) -> Contents:
    """Read it back.

    Raises:
        RookeryError: the file is no backup, or something is there.
    """
    from rookery.control.backup import service  # noqa: PLC0415

    return service.restore(config, file, SystemClock(), force=force)
