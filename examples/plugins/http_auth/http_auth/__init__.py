"""Asks an HTTP service whether a client may log in: the service admits with a body of ``0``.

The request is that of a widespread EMQX 3 plugin: ``GET url?username=…&password=…&clientId=…``, user
name and client identifier in Base64. Requests run on threads, so that one that is slow holds up
nobody else.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import urllib.error
import urllib.parse
import urllib.request

from rookery.plugins import Client, Plugin

ANSWER_BYTES_MAX = 1024
BAD_STATUS = 300


class HttpAuth(Plugin):
    """``client.authenticate``."""

    async def on_authenticate(self, client: Client, password: bytes | None) -> bool | None:
        """No user name: no opinion. What the service does not answer is refused by the node."""
        if client.username is None:
            return None
        query = urllib.parse.urlencode(
            {
                "username": base64.b64encode(client.username.encode()),
                "password": password or b"",
                "clientId": base64.b64encode(client.client_id.encode()),
            }
        )
        body = await asyncio.to_thread(self._get, f"{self.settings['url']}?{query}")
        return body == str(self.settings["allowed"])

    def _get(self, url: str) -> str:
        timeout_s = float(self.settings["timeout_s"])
        try:
            with urllib.request.urlopen(url, timeout=timeout_s) as answer:
                content: bytes = answer.read(ANSWER_BYTES_MAX)
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"the service answers {error.code}") from None
        except OSError as error:
            raise RuntimeError(f"the service cannot be reached: {error}") from None
        except (ValueError, http.client.HTTPException) as error:
            # Not their text: it may be the URL, which holds a password.
            kind = type(error).__name__
            raise RuntimeError(f"no such URL, or no such answer: {kind}") from None
        return content.decode(errors="replace").strip()
