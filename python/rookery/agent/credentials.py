"""How the agent is known at its cluster: one login, then an API key of its own.

A cluster locks a user out after some wrong passwords. So a password that was refused is not tried
again for ten minutes, whatever happens in between: restarts of the agent, too. Another password is
another matter and is tried at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from pathlib import Path

from rookery.agent.cluster_api import VIEWER, ClusterApi
from rookery.agent.failures import REFUSED, CallError
from rookery.agent.places import write_whole
from rookery.agent.secret_file import SecretFile
from rookery.clock import Clock

RETRY_S = 600
# A key that the cluster takes back as soon as it is made must not become a loop of logins.
LOGIN_GAP_S = 60
TOKEN_S = 1800
_ATTEMPTS_BYTES_MAX = 4096
_MARKS_MAX = 8


class Attempts:
    """When passwords were refused, kept over restarts. Says nothing about the passwords."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _read(self) -> dict[str, int]:
        try:
            with self._path.open("rb") as file:
                found = json.loads(file.read(_ATTEMPTS_BYTES_MAX))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {mark: at for mark, at in found.items() if type(at) is int}

    def refused_ms(self, mark: str) -> int | None:
        """When the password with this mark was refused last."""
        return self._read().get(mark)

    def refuse(self, mark: str, now_ms: int) -> None:
        marks = {**self._read(), mark: now_ms}
        newest = sorted(marks.items(), key=lambda one: one[1])[-_MARKS_MAX:]
        write_whole(self._path, json.dumps(dict(newest)).encode(), 0o600)

    def forget(self, mark: str) -> None:
        marks = self._read()
        if marks.pop(mark, None) is not None:
            write_whole(self._path, json.dumps(marks).encode(), 0o600)


class ClusterCredentials:
    """The API key of the agent, made when there is none. Used by one thread at a time.

    With ``candidate`` another dashboard user is tried, and kept only when the cluster takes it.
    """

    def __init__(
        self,
        api: ClusterApi,
        secret_file: SecretFile,
        attempts: Attempts,
        clock: Clock,
        *,
        candidate: tuple[str, str] | None = None,
    ) -> None:
        self._api = api
        self._file = secret_file
        self._attempts = attempts
        self._clock = clock
        self._secrets = secret_file.read()
        self._user: dict[str, str | None] = {}
        if candidate is not None:
            self._user = {"username": candidate[0], "password": candidate[1]}
            self._secrets.update(username=candidate[0], password=candidate[1], api_key="")
        self._last_login_s: float | None = None
        self._token = ""
        self._token_s = 0.0

    @property
    def key_name(self) -> str:
        return f"rookery-agent-{self._secrets.get('node_id', '')[:12] or 'cluster'}"

    @property
    def viewer_key_name(self) -> str:
        return f"{self.key_name}-viewer"

    def key(self) -> tuple[str, str]:
        """The key to ask with.

        Raises:
            CallError: there is none and none can be had now.
        """
        key, secret = self._secrets.get("api_key", ""), self._secrets.get("api_secret", "")
        if key and secret:
            return key, secret
        made = self._api.make_key(self._login(), self.key_name)
        self._secrets = self._file.update({**self._user, "api_key": made[0], "api_secret": made[1]})
        return made

    def viewer_key(self) -> tuple[str, str]:
        """The key to ask with for somebody who may only look at the cluster.

        Raises:
            CallError: there is none and none can be had now.
        """
        key, secret = self._secrets.get("viewer_key", ""), self._secrets.get("viewer_secret", "")
        if key and secret:
            return key, secret
        made = self._api.make_key(self.token(), self.viewer_key_name, VIEWER)
        self._secrets = self._file.update({"viewer_key": made[0], "viewer_secret": made[1]})
        return made

    def refuse_viewer_key(self) -> None:
        """The cluster does not take it any more: another is made next time."""
        self._secrets = self._file.update({"viewer_key": None, "viewer_secret": None})

    def refuse_key(self) -> None:
        """The cluster does not take the key any more: another is made next time."""
        self._secrets = self._file.update({"api_key": None, "api_secret": None})

    def token(self) -> str:
        """The token of the dashboard user, for what a key may not do.

        Raises:
            CallError: there is none.
        """
        now = self._clock.monotonic_s()
        if not self._token or now - self._token_s > TOKEN_S:
            self._login()
        return self._token

    def forget_token(self) -> None:
        """The cluster does not take the token any more."""
        self._token = ""

    def delete_key(self) -> None:
        """Take the keys back from the cluster.

        Raises:
            CallError: it is still there.
        """
        has_viewer = bool(self._secrets.get("viewer_key"))
        if not self._secrets.get("api_key") and not has_viewer:
            return
        token = self._login()
        if has_viewer:
            self._api.delete_key(token, self.viewer_key_name)
            self.refuse_viewer_key()
        self._api.delete_key(token, self.key_name)
        self.refuse_key()

    def wait_s(self) -> float:
        """How long until the password may be tried; 0 when now."""
        refused_ms = self._attempts.refused_ms(self._mark())
        if refused_ms is None:
            return 0.0
        passed_s = (self._clock.now_ms() - refused_ms) / 1000
        # A clock that was set back must not make the wait longer.
        return max(0.0, RETRY_S - passed_s) if passed_s >= 0 else float(RETRY_S)

    def _mark(self) -> str:
        """Tells one password from another, without saying anything about it."""
        text = f"{self._secrets.get('username', '')}\0{self._secrets.get('password', '')}"
        return hmac.new(self._file.key(), text.encode(), hashlib.sha256).hexdigest()[:16]

    def _login(self) -> str:
        username = self._secrets.get("username", "")
        if not username:
            raise CallError(REFUSED, "no dashboard user was given at registration")
        wait_s = self.wait_s()
        if wait_s > 0:
            minutes = math.ceil(wait_s / 60)
            raise CallError(
                REFUSED,
                "the cluster refused the dashboard user's password; "
                f"it is tried again in {minutes} min, or at once after another is given",
            )
        now = self._clock.monotonic_s()
        if self._last_login_s is not None and now - self._last_login_s < LOGIN_GAP_S:
            raise CallError(REFUSED, "the cluster takes neither the API key nor the token")
        self._last_login_s = now
        try:
            self._token = self._api.login(username, self._secrets.get("password", ""))
        except CallError as error:
            if error.code == REFUSED:
                self._attempts.refuse(self._mark(), self._clock.now_ms())
            elif error.is_unreachable:
                self._last_login_s = None
            raise
        self._token_s = now
        self._attempts.forget(self._mark())
        return self._token
