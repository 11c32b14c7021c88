"""Asks the cluster with the agent's own key, and with a new one where that was deleted there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from rookery.agent.cluster_api import ClusterApi
from rookery.agent.credentials import ClusterCredentials
from rookery.agent.failures import CallError

T = TypeVar("T")


class KeyedApi:
    """The interface of one cluster. ``lock`` keeps the credentials to one thread at a time."""

    def __init__(
        self, api: ClusterApi, credentials: ClusterCredentials, lock: threading.Lock
    ) -> None:
        self._api = api
        self._credentials = credentials
        self._lock = lock

    def get(self, path: str) -> Any:
        """Parsed JSON.

        Raises:
            CallError: nothing came of it.
        """
        return self._with_key(lambda key: self._api.get(path, key))

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Change something.

        Raises:
            CallError: it was refused, or nothing came of it.
        """
        return self._with_key(lambda key: self._api.send(method, path, key, body))

    def _with_key(self, ask: Callable[[tuple[str, str]], T]) -> T:
        with self._lock:
            key = self._credentials.key()
        try:
            return ask(key)
        except CallError as error:
            if error.status != 401:
                raise
        # Somebody deleted the key: make another, once.
        with self._lock:
            if self._credentials.key() == key:
                self._credentials.refuse_key()
            key = self._credentials.key()
        return ask(key)
