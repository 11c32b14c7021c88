"""What each verb does."""

from __future__ import annotations

import argparse
import getpass
import os
import shutil
import signal
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from rookery.agent import enrol, process, runner, systemd
from rookery.agent.command import FAILED, NOT_RUNNING, OK, show_json
from rookery.agent.doctor import BROKEN, Doctor
from rookery.agent.failures import REFUSED, AgentError, CallError
from rookery.agent.places import SYSTEM_HOME, Place, own_archive, place_of
from rookery.agent.secret_file import SecretFile
from rookery.agent.service import read_status
from rookery.agent.settings import Settings, checked_url, checked_urls, load, save
from rookery.agent.texts import say
from rookery.agent.version import own_version
from rookery.clock import SystemClock

PASSWORD_VARIABLE = "EMQX_DASHBOARD_PASSWORD"  # noqa: S105 - a name
_PASSWORD_BYTES_MAX = 1024


def program() -> str:
    """How this program is called."""
    return "rookery-agent" if own_archive() is not None else "rookery agent"


def _command(place: Place) -> list[str]:
    """What a service starts."""
    archive = own_archive()
    python = sys.executable
    start = [python, str(place.program)] if archive else [python, "-P", "-m", "rookery", "agent"]
    return [*start, "run", "--home", str(place.home)]


def _uses_service(place: Place) -> bool:
    return place.home == SYSTEM_HOME and systemd.is_there() and systemd.is_installed()


# -- on this machine ----------------------------------------------------------------------


def install(arguments: argparse.Namespace) -> int:
    place = place_of(arguments.home)
    archive = own_archive()
    is_service = place.home == SYSTEM_HOME and systemd.is_there()
    if is_service and os.geteuid() != 0:
        raise AgentError(say("install.root"))
    place.make()
    if archive is not None and archive.resolve() != place.program:
        place.program.parent.mkdir(mode=0o755, exist_ok=True)
        fresh = place.program.with_suffix(".new")
        shutil.copyfile(archive, fresh)
        fresh.chmod(0o755)
        fresh.replace(place.program)
    if not place.config_file.exists():
        save(place.config_file, Settings())
    if is_service:
        systemd.install(_command(place), place)
        print(say("install.done.systemd", unit=systemd.UNIT, program=program()))
    else:
        print(say("install.done.plain", home=place.home, program=program()))
    return OK


def uninstall(arguments: argparse.Namespace) -> int:
    place = place_of(arguments.home)
    if not place.config_file.is_file() or not (place.home / "state").is_dir():
        raise AgentError(say("uninstall.foreign", home=place.home))
    if SecretFile(place.secrets_file, place.key_file).read().get("token"):
        raise AgentError(say("uninstall.registered", program=program()))
    if _uses_service(place):
        systemd.uninstall()
    process.stop(place.lock_file)
    for name in ("etc", "log", "state", "bin"):
        shutil.rmtree(place.home / name, ignore_errors=True)
    if not any(place.home.iterdir()):
        place.home.rmdir()
    print(say("uninstall.done", home=place.home))
    return OK


def start(arguments: argparse.Namespace) -> int:
    place = place_of(arguments.home)
    pid = process.running(place.lock_file)
    if pid is not None:
        print(say("start.already", pid=pid))
        return OK
    if _uses_service(place):
        systemd.ask("start", systemd.UNIT)
        print(say("start.service", unit=systemd.UNIT))
        return OK
    place.make()
    version = own_version()
    problem = process.start_detached(
        lambda ready: runner.run(place, version, is_foreground=False, ready=ready), place.log_file
    )
    if problem:
        raise AgentError(problem)
    pid = process.running(place.lock_file)
    print(say("start.done", pid=pid, log=place.log_file))
    return OK


def stop(arguments: argparse.Namespace) -> int:
    place = place_of(arguments.home)
    if _uses_service(place):
        systemd.ask("stop", systemd.UNIT)
        print(say("stop.done"))
        return OK
    print(say("stop.done" if process.stop(place.lock_file) else "stop.none"))
    return OK


def restart(arguments: argparse.Namespace) -> int:
    place = place_of(arguments.home)
    if _uses_service(place):
        systemd.ask("restart", systemd.UNIT)
        print(say("start.service", unit=systemd.UNIT))
        return OK
    process.stop(place.lock_file)
    return start(arguments)


def run(arguments: argparse.Namespace) -> int:
    return runner.run(place_of(arguments.home), own_version(), is_foreground=True)


def status(arguments: argparse.Namespace) -> int:
    place = place_of(arguments.home)
    pid = process.running(place.lock_file)
    settings = load(place.config_file)
    kept = SecretFile(place.secrets_file, place.key_file).read()
    is_registered = bool(kept.get("token"))
    last = read_status(place.status_file) if is_registered else None
    if arguments.json:
        show_json(
            {
                "running": pid is not None,
                "pid": pid,
                "registered": is_registered,
                "url": settings.url,
                "agentId": kept.get("agent_id", ""),
                "last": last,
            }
        )
    else:
        print(say("status.stopped") if pid is None else say("status.running", pid=pid))
        agent = kept.get("agent_id", "")
        key = "status.registered" if is_registered else "status.unregistered"
        print(say(key, url=settings.url, agent=agent))
        if last is not None:
            _show_last(last)
    return NOT_RUNNING if pid is None else OK


def _show_last(last: dict[str, object]) -> None:
    report = last.get("report")
    report = report if isinstance(report, dict) else {}
    at_ms = last.get("at_ms")
    age = max(0, round(time.time() - at_ms / 1000)) if isinstance(at_ms, int) else 0
    facts = report.get("facts") or {}
    if last.get("delivered_by"):
        print(
            say(
                "status.report",
                age=age,
                way=str(last["delivered_by"]).upper(),
                version=facts.get("version", "?"),
                nodes=len(report.get("clusterNodes", ())),
                connections=facts.get("connections", "?"),
            )
        )
    else:
        print(say("status.undelivered", age=age))
    for name, text in sorted(report.items()):
        if name.endswith("Error") and text:
            print(f"  {name}: {text}")
    if last.get("http_error"):
        print(f"  {last['http_error']}")


# -- the control plane --------------------------------------------------------------------


def register(arguments: argparse.Namespace) -> int:
    for name in ("url", "registration_token"):
        if not getattr(arguments, name):
            raise AgentError(say("register.needed", name="--" + name.replace("_", "-")))
    place = place_of(arguments.home)
    place.make()
    settings = _asked_for(arguments, load(place.config_file))
    kept = SecretFile(place.secrets_file, place.key_file).read()
    candidate = None
    if arguments.emqx_dashboard_username:
        candidate = (arguments.emqx_dashboard_username, _password(arguments))
    elif not kept.get("username"):
        raise AgentError(say("register.needed", name="--emqx-dashboard-username"))
    try:
        enrol.check_cluster(place, settings, SystemClock(), candidate)
    except CallError as error:
        if error.code == REFUSED:
            raise AgentError(say("register.refused", reason=error)) from error
        print(say("register.later", reason=error), file=sys.stderr)
    if settings.insecure_skip_verify:
        print(say("register.insecure"), file=sys.stderr)
    try:
        agent_id = enrol.register(
            place,
            settings,
            registration_token=arguments.registration_token,
            ca_sha256=arguments.ca_sha256,
            version=own_version(),
        )
    except CallError as error:
        raise AgentError(say("register.control", reason=error)) from error
    print(say("register.done", agent=agent_id, url=settings.url))
    if process.tell(place.lock_file, signal.SIGHUP):
        print(say("register.told"))
    else:
        print(say("register.start", program=program()))
    return OK


def _asked_for(arguments: argparse.Namespace, settings: Settings) -> Settings:
    """The settings with what the command line says."""
    settings = replace(settings, url=checked_url(arguments.url, "--url"))
    settings = replace(settings, insecure_skip_verify=arguments.insecure_skip_verify == "true")
    dashboard, api = arguments.emqx_dashboard_url, arguments.emqx_api_url
    if dashboard:
        dashboard = checked_url(dashboard, "--emqx-dashboard-url")
        settings = replace(settings, dashboard_url=dashboard, api_url=dashboard)
    if api:
        settings = replace(settings, api_url=checked_url(api, "--emqx-api-url"))
        if not dashboard:
            settings = replace(settings, dashboard_url=settings.api_url)
    if arguments.emqx_other_urls is not None:
        others = checked_urls(arguments.emqx_other_urls, "--emqx-other-urls")
        settings = replace(settings, other_urls=others)
    if arguments.emqx_log_collection_enabled:
        is_on = arguments.emqx_log_collection_enabled == "true"
        settings = replace(settings, log_collection_enabled=is_on)
    if arguments.emqx_log_collection_dir:
        settings = replace(settings, log_collection_dir=arguments.emqx_log_collection_dir)
    return settings


def _password(arguments: argparse.Namespace) -> str:
    """From the command line, a file, the environment, or whoever sits at the terminal."""
    if arguments.emqx_dashboard_password is not None:
        print(say("password.visible"), file=sys.stderr)
        return str(arguments.emqx_dashboard_password)
    name = arguments.emqx_dashboard_password_file
    if name:
        try:
            if name == "-":
                text = sys.stdin.readline(_PASSWORD_BYTES_MAX)
            else:
                with Path(name).open(encoding="utf-8") as file:
                    text = file.read(_PASSWORD_BYTES_MAX)
        except (OSError, UnicodeDecodeError) as error:
            raise AgentError(say("password.file", reason=error)) from error
        return text.rstrip("\r\n")
    if os.environ.get(PASSWORD_VARIABLE):
        return os.environ[PASSWORD_VARIABLE]
    if not sys.stdin.isatty():
        raise AgentError(
            say("register.needed", name=f"--emqx-dashboard-password, {PASSWORD_VARIABLE}")
        )
    return getpass.getpass(say("password.ask", username=arguments.emqx_dashboard_username))


def credentials(arguments: argparse.Namespace) -> int:
    if not arguments.emqx_dashboard_username:
        raise AgentError(say("register.needed", name="--emqx-dashboard-username"))
    place = place_of(arguments.home)
    place.make()
    candidate = (arguments.emqx_dashboard_username, _password(arguments))
    try:
        enrol.check_cluster(place, load(place.config_file), SystemClock(), candidate)
    except CallError as error:
        raise AgentError(say("credentials.refused", reason=error)) from error
    finally:
        process.tell(place.lock_file, signal.SIGHUP)
    print(say("credentials.done"))
    return OK


def unregister(arguments: argparse.Namespace) -> int:
    place = place_of(arguments.home)
    left = enrol.unregister(place, load(place.config_file), SystemClock())
    process.tell(place.lock_file, signal.SIGHUP)
    for text in left:
        print(text, file=sys.stderr)
    print(say("unregister.done"))
    return OK


def doctor(arguments: argparse.Namespace) -> int:
    found = []
    first = None
    for finding in Doctor(place_of(arguments.home), SystemClock()).findings():
        found.append(finding)
        if finding.state == BROKEN and first is None:
            first = finding
        if not arguments.json:
            state = say(f"doctor.state.{finding.state}")
            name = say(f"doctor.hop.{finding.hop}")
            print(f"[{state}] {name}" + (f": {finding.text}" if finding.text else ""))
    if arguments.json:
        show_json([asdict(finding) for finding in found])
    elif first is None:
        print(say("doctor.all"))
    else:
        print(say("doctor.first", hop=say(f"doctor.hop.{first.hop}"), advice=first.advice))
    return OK if first is None else FAILED
