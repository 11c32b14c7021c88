"""Joining a control plane and leaving it."""

from __future__ import annotations

import hashlib
import socket
import threading
import uuid
from dataclasses import replace
from pathlib import Path

from rookery.agent.cluster_api import api_of
from rookery.agent.control_api import ControlApi, checked_sha256, fetch_ca
from rookery.agent.credentials import Attempts, ClusterCredentials
from rookery.agent.failures import REFUSED, AgentError, CallError
from rookery.agent.http_client import Trust
from rookery.agent.keyed_api import KeyedApi
from rookery.agent.limit import ConnectionLimit
from rookery.agent.places import Place, write_whole
from rookery.agent.secret_file import SecretFile
from rookery.agent.service import trust_of
from rookery.agent.settings import Settings, checked_url, load, save
from rookery.agent.texts import say
from rookery.clock import Clock
from rookery.contracts.agent_enrolment_v1 import Registration
from rookery.contracts.agent_v1 import MessageError

_MACHINE_ID = Path("/etc/machine-id")


def node_id() -> str:
    """The same for this machine at every registration; says nothing else about it.

    ``machine-id`` itself is to be kept confidential (machine-id(5)), so a hash of it is used.
    """
    try:
        own = _MACHINE_ID.read_bytes().strip()[:64]
    except OSError:
        own = b""
    seed = own or f"{socket.gethostname()}-{uuid.getnode():x}".encode()
    return hashlib.sha256(b"rookery-agent node id " + seed).hexdigest()[:16]


def register(
    place: Place,
    settings: Settings,
    *,
    registration_token: str,
    ca_sha256: str,
    version: str,
) -> str:
    """Use up the registration token and keep what comes of it; the name of the agent.

    Nothing is kept when it fails: an agent that was registered stays as it was.

    Raises:
        AgentError: something given cannot be used.
        CallError: the control plane did not take it.
    """
    settings = replace(settings, url=checked_url(settings.url, "--url"))
    ControlApi.check_url(settings.url, is_insecure=settings.insecure_skip_verify)
    place.make()
    pem = ""
    if settings.insecure_skip_verify:
        trust = Trust(is_insecure=True)
    elif ca_sha256 and settings.url.startswith("https:"):
        pem = fetch_ca(settings.url, checked_sha256(ca_sha256))
        trust = _pinned(place, pem)
    else:
        trust = (
            trust_of(place, settings) if settings.url == load(place.config_file).url else Trust()
        )
    try:
        request = Registration(
            node_id(),
            registration_token,
            agent_version=version,
            host_name=socket.gethostname()[:256],
        )
    except MessageError as error:
        raise AgentError(say("register.bad_token")) from error
    try:
        made = ControlApi(settings.url, trust).register(request)
    finally:
        _fresh(place).unlink(missing_ok=True)
    SecretFile(place.secrets_file, place.key_file).update(
        {"node_id": request.node_id, "agent_id": made.agent_id, "token": made.token}
    )
    if pem:
        write_whole(place.ca_file, pem.encode(), 0o644)
    elif not settings.insecure_skip_verify and trust.ca_file is None:
        place.ca_file.unlink(missing_ok=True)
    save(place.config_file, settings)
    return made.agent_id


def check_cluster(
    place: Place, settings: Settings, clock: Clock, candidate: tuple[str, str] | None
) -> None:
    """Get an API key from the cluster; another user is kept when the cluster takes it.

    A cluster that does not answer cannot say no: the user is kept then, too.

    Raises:
        CallError: ``REFUSED`` when the cluster does not take the user, then nothing has changed.
    """
    api = api_of(settings)
    file = SecretFile(place.secrets_file, place.key_file)
    file.update({"node_id": node_id()})
    attempts = Attempts(place.attempts_file)
    try:
        ClusterCredentials(api, file, attempts, clock, candidate=candidate).key()
    except CallError as error:
        if error.code != REFUSED and candidate is not None:
            user: dict[str, str | None] = {"username": candidate[0], "password": candidate[1]}
            file.update({**user, "api_key": None, "api_secret": None})
        raise


def _fresh(place: Place) -> Path:
    return place.ca_file.with_suffix(".new")


def _pinned(place: Place, pem: str) -> Trust:
    """Trust in a CA that is not kept before the registration has succeeded."""
    write_whole(_fresh(place), pem.encode(), 0o644)
    return Trust(_fresh(place))


def unregister(place: Place, settings: Settings, clock: Clock) -> list[str]:
    """Leave the control plane and forget the credentials; what could not be cleaned up.

    Raises:
        AgentError: this agent is not registered.
    """
    file = SecretFile(place.secrets_file, place.key_file)
    kept = file.read()
    if not kept.get("token"):
        raise AgentError(say("unregister.not"))
    left: list[str] = []
    try:
        ControlApi(settings.url, trust_of(place, settings), kept["token"]).unregister()
    except CallError as error:
        left.append(say("unregister.control", reason=error))
    left.extend(forget(place, settings, clock))
    return left


def forget(place: Place, settings: Settings, clock: Clock) -> list[str]:
    """Give back the cluster's own limit and the API key, and forget every credential."""
    left: list[str] = []
    file = SecretFile(place.secrets_file, place.key_file)
    api = api_of(settings)
    credentials = ClusterCredentials(api, file, Attempts(place.attempts_file), clock)
    keyed = KeyedApi(api, credentials, threading.Lock())
    try:
        ConnectionLimit(keyed, place.limit_file).release()
    except (CallError, OSError) as error:
        left.append(say("unregister.limit", reason=error))
    try:
        credentials.delete_key()
    except CallError as error:
        left.append(say("unregister.key", name=credentials.key_name, reason=error))
    file.write({})
    return left
