"""The part of the node that looks at certificates of the dashboard before they are kept."""

from __future__ import annotations

import asyncio

from rookery.config import Config
from rookery.errors import StartError

_PLACE = "dashboard.listeners.https.ssl_options"


class HttpsPart:
    """Changes nothing: that listener stands as it does until the node starts again. What would
    refuse that start is refused now.
    """

    async def apply(self, old: Config, new: Config) -> None:
        """Look at the files that ``new`` names.

        Raises:
            StartError: one cannot be used.
        """
        https = new.management.https
        if https is None or https.tls is None or https == old.management.https:
            return
        # Few nodes have that listener.
        from rookery.access.system_words import words_of_error  # noqa: PLC0415
        from rookery.web.tls import ServerTls  # noqa: PLC0415

        try:
            await asyncio.to_thread(ServerTls, https.tls)
        except StartError as error:
            cause = error.__cause__
            files = (https.tls.certfile, https.tls.keyfile, https.tls.cacertfile)
            names = [str(file) for file in files if file is not None]
            reason = words_of_error(cause) if isinstance(cause, OSError) else None
            raise StartError(
                f"{_PLACE}: {error}",
                message_zh=reason and f"{_PLACE}：{'、'.join(names)}：{reason.zh}",
            ) from error
