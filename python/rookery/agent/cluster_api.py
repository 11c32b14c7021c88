"""Speaks EMQX 5's documented REST interface to the cluster."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from rookery.agent.control_api import reason_of
from rookery.agent.failures import ANSWER, REFUSED, CallError
from rookery.agent.http_client import Answer, HttpClient, Trust, bearer, is_local
from rookery.agent.settings import Settings

API = "/api/v5"
# Roles of API keys since EMQX 5.8.
ADMINISTRATOR = "administrator"
VIEWER = "viewer"
# Depth of JSON is bounded by the interpreter, its size by the client.


class ClusterApi:
    """The calls that the agent itself makes; those of others go through the tunnel."""

    def __init__(
        self,
        url: str,
        *,
        verify_local: bool = False,
        others: Iterable[str] = (),
        client: HttpClient | None = None,
    ) -> None:
        """``others`` are further nodes of the same cluster."""
        # A dashboard on this machine mostly has a certificate that nobody signed.
        trusts = {
            one: Trust(is_insecure=is_local(one) and not verify_local) for one in (url, *others)
        }
        self.client = client or HttpClient(url, trusts[url], others=trusts)

    def login(self, username: str, password: str) -> str:
        """The token of a dashboard user.

        Raises:
            CallError: ``REFUSED`` when the cluster does not take the password.
        """
        body = json.dumps({"username": username, "password": password}).encode()
        answer = self._json("POST", "/login", body, {})
        token = answer.get("token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token or not token.isascii() or len(token) > 8192:
            raise CallError(ANSWER, f"{self.client.url}: no token in the answer to the login")
        return token

    def make_key(self, token: str, name: str, role: str = ADMINISTRATOR) -> tuple[str, str]:
        """An API key of that name; an older one of the same name goes.

        Raises:
            CallError: it was not made.
        """
        with_token = bearer(token)
        # EMQX says 400 or 409 for a name that is taken, and never shows a secret twice.
        self.delete_key(token, name)
        wanted = {
            "name": name,
            "desc": "Made by the agent of the control plane",
            "enable": True,
            "expired_at": "infinity",
            "role": role,
        }
        made = self._json("POST", "/api_key", json.dumps(wanted).encode(), with_token)
        found = made if isinstance(made, dict) else {}
        key, secret = found.get("api_key"), found.get("api_secret")
        if not _is_word(key) or not _is_word(secret):
            raise CallError(ANSWER, f"{self.client.url}: no API key in the answer")
        return str(key), str(secret)

    def delete_key(self, token: str, name: str) -> None:
        """Remove a key; one that is not there is removed already.

        Raises:
            CallError: it is still there.
        """
        answer = self.client.call(
            "DELETE", f"{API}/api_key/{quote(name, safe='')}", headers=bearer(token)
        )
        if answer.status not in (200, 204, 404):
            raise _refusal(answer, self.client.url)

    def get(self, path: str, key: tuple[str, str]) -> Any:
        """Parsed JSON.

        Raises:
            CallError: nothing came of it; ``status`` is 401 when the key is not taken.
        """
        return self._json("GET", path, None, basic(key))

    def send(self, method: str, path: str, key: tuple[str, str], body: Any = None) -> Any:
        """Change something; parsed JSON, None where nothing is said.

        Raises:
            CallError: it was refused, or nothing came of it.
        """
        data = None if body is None else json.dumps(body).encode()
        return self._json(method, path, data, basic(key))

    def _json(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        answer = self.client.call(method, API + path, body, headers)
        if answer.status not in (200, 201, 204):
            raise _refusal(answer, self.client.url + API + path)
        if answer.status == 204:
            return None
        try:
            return json.loads(answer.body)
        except (ValueError, RecursionError) as error:
            raise CallError(ANSWER, f"{self.client.url}{API}{path}: no JSON") from error


def api_of(settings: Settings) -> ClusterApi:
    """The REST interface of the cluster that the settings name."""
    return ClusterApi(
        settings.api_url, verify_local=settings.verify_local_cluster, others=settings.others
    )


def dashboard_of(settings: Settings) -> ClusterApi:
    """Its dashboard."""
    return ClusterApi(
        settings.dashboard_url or settings.api_url,
        verify_local=settings.verify_local_cluster,
        others=settings.others,
    )


def basic(key: tuple[str, str]) -> dict[str, str]:
    """The header of an API key."""
    text = base64.b64encode(f"{key[0]}:{key[1]}".encode()).decode()
    return {"authorization": f"Basic {text}"}


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 512 and value.isascii()


def _refusal(answer: Answer, url: str) -> CallError:
    code = REFUSED if answer.status in (401, 403) else ANSWER
    return CallError(code, reason_of(answer, url), status=answer.status)
