"""What a plugin of a node is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rookery.plugins.manifest import Manifest, Running

Status = Literal["stopped", "starting", "running", "restarting", "crashed"]
"""``restarting``: it failed and is tried again; ``crashed``: it failed too often, nobody tries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How worker processes are watched; seconds. ``plugins`` of the configuration.

    Attributes:
        start_timeout_s: How long a process may take until it can be asked.
        heartbeat_s: How often a process has to show that it is alive.
        heartbeat_timeout_s: After how long without a sign it counts as hanging.
        backoff_s: Pause before the first restart; it doubles with every failure.
        backoff_max_s: Longest pause.
        failures_max: So many failures in a row are enough: nobody tries any more.
        stable_s: A process that runs for so long has recovered.
        stop_timeout_s: How long a process may take to finish when it is told to.
    """

    start_timeout_s: float = 30.0
    heartbeat_s: float = 1.0
    heartbeat_timeout_s: float = 10.0
    backoff_s: float = 0.5
    backoff_max_s: float = 60.0
    failures_max: int = 10
    stable_s: float = 60.0
    stop_timeout_s: float = 10.0


@dataclass(slots=True)
class Installed:
    """A plugin that is on this node.

    Attributes:
        manifest: What its archive says.
        schema: JSON schema of its settings; none: it has no settings.
        readme: Its README.
        enable: Whether it starts with the node.
        number: What the native side calls it; another one after the node was started anew.
        settings: What an operator has set, with the defaults.
        run: How it is run.
        hookpoints: Hookpoints it had when it ran last.
    """

    manifest: Manifest
    schema: Mapping[str, Any] | None = None
    readme: str = ""
    enable: bool = False
    number: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    run: Running = field(default_factory=Running)
    hookpoints: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.manifest.id


@dataclass(slots=True)
class PublishFigures:
    """What a worker was asked about messages that were given to the node itself, not by a client.

    Attributes:
        asked: Messages that it was asked about.
        answered: Those that it answered in time.
        late: Those whose deadline passed.
        failed: Those that could not be asked about, or were answered with what is no verdict.
    """

    asked: int = 0
    answered: int = 0
    late: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """How a plugin that was started is doing.

    Attributes:
        status: What it does.
        hookpoints: Hookpoints it has, by its own word.
        error: What went wrong last; empty when nothing did.
        restarts: How often a process was started anew since the plugin was started.
        pids: Process ids of the workers that run.
        failures: How often a process ended or failed since the plugin was started.
    """

    status: Status = "stopped"
    hookpoints: tuple[str, ...] = ()
    error: str = ""
    restarts: int = 0
    pids: tuple[int, ...] = ()
    failures: int = 0
