"""What somebody has to do for a cluster to be adopted: the very commands, for each platform.

Commands hold ``${name}`` where the page puts what is typed in, quoted for a shell. They come in two
kinds: those that make sure of whom they talk to, and marked ones that do not.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from rookery.control.agents.setup_texts import PARAMETERS, PLATFORMS, STEPS, say

FILE_NAME = "rookery-agent.pyz"
DOWNLOADS = "/dl/agent"


@dataclass(frozen=True, slots=True)
class Source:
    """Where an agent comes from, and what it compares.

    Attributes:
        url: Address of control as agents reach it, ``https://host:port``.
        ca_sha256: Digest of the authority's certificate.
        file_sha256: Digest of the agent's file.
        entry: The cluster that is to be adopted.
    """

    url: str
    ca_sha256: str
    file_sha256: str
    entry: str


@dataclass(frozen=True, slots=True)
class Command:
    """One line for a shell."""

    id: str
    text: str
    is_insecure: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do."""

    id: str
    title: str
    text: str
    commands: Sequence[Command]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that is typed in and stands in commands as ``${name}``."""

    name: str
    label: str
    default: str = ""
    is_secret: bool = False
    is_optional: bool = False


def platforms(language: str) -> Sequence[tuple[str, str]]:
    """Ids and names."""
    return [(name, say(text, language)) for name, text in PLATFORMS.items()]


def parameters(language: str) -> Sequence[Parameter]:
    """What the page asks for; ``registrationToken`` it knows itself."""
    local = "http://127.0.0.1:18083"

    def label(name: str) -> str:
        return say(PARAMETERS[name], language)

    return [
        Parameter("registrationToken", label("registrationToken"), is_secret=True),
        Parameter("username", label("username"), "admin"),
        Parameter("password", label("password"), is_secret=True),
        Parameter("dashboardUrl", label("dashboardUrl"), local),
        Parameter("apiUrl", label("apiUrl"), local),
        Parameter("logCollection", label("logCollection"), "false", is_optional=True),
        Parameter("logDir", label("logDir"), "/opt/emqx/log", is_optional=True),
    ]


def steps(platform: str, source: Source, language: str) -> Sequence[Step]:
    """What to do, in order."""
    is_service = platform == "linux"
    program = "sudo rookery-agent" if is_service else f"python3 {FILE_NAME}"
    made = {
        "download": _download(source, is_service),
        "register": [
            Command("register", _register(program, source, _pinned(source))),
            Command(
                "register-insecure",
                _register(program, source, "--insecure-skip-verify"),
                is_insecure=True,
            ),
        ],
        "start": [Command("start", f"{program} start")],
    }
    order = ["download", "register", "start"]
    if is_service:
        made["install"] = [Command("install", f"{program} install")]
        order.insert(1, "install")
    return [
        Step(name, say(STEPS[name][0], language), say(STEPS[name][1], language), made[name])
        for name in order
    ]


def _download(source: Source, is_service: bool) -> list[Command]:
    address = shlex.quote(f"{source.url}{DOWNLOADS}/{FILE_NAME}?entry={source.entry}")
    check = f"echo '{source.file_sha256}  {FILE_NAME}' | sha256sum -c -"
    install = f" && sudo install -m 0755 {FILE_NAME} /usr/local/bin/rookery-agent"
    # The certificate is not known there yet: what came is compared with the digest instead.
    fetch = f"curl -fsSk -o {FILE_NAME} {address}"
    after = install if is_service else ""
    return [
        Command("download", f"{fetch} && {check}{after}"),
        Command("download-insecure", f"{fetch}{after}", is_insecure=True),
    ]


def _pinned(source: Source) -> str:
    return f"--ca-sha256 {source.ca_sha256}"


def _register(program: str, source: Source, trust: str) -> str:
    options = (
        f"--url {shlex.quote(source.url)}",
        trust,
        "--registration-token ${registrationToken}",
        "--emqx-dashboard-username ${username}",
        "--emqx-dashboard-password ${password}",
        "--emqx-dashboard-url ${dashboardUrl}",
        "--emqx-api-url ${apiUrl}",
        "--emqx-log-collection-enabled ${logCollection}",
        "--emqx-log-collection-dir ${logDir}",
    )
    return f"{program} register " + " ".join(options)
