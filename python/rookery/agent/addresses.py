"""Where a cluster answers: any of its nodes speaks for all of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable

log = logging.getLogger(__name__)


class Addresses:
    """Those that are configured, in their order; the one that answered last is asked first."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._urls = list(dict.fromkeys(urls))
        self._at = 0

    @property
    def present(self) -> str:
        """The one that is asked first."""
        return self._urls[self._at]

    def in_turn(self) -> list[str]:
        """All of them, from the present one on."""
        at = self._at
        return self._urls[at:] + self._urls[:at]

    def found(self, url: str) -> None:
        """That one took a connection."""
        if url != self.present:
            log.warning("the cluster is asked at %s now: %s does not answer", url, self.present)
            self._at = self._urls.index(url)

    def leave(self, url: str) -> None:
        """That one takes connections and does not answer: the next one is asked first."""
        if url == self.present and len(self._urls) > 1:
            self._at = (self._at + 1) % len(self._urls)
            log.warning("the cluster is asked at %s now: %s does not answer", self.present, url)
