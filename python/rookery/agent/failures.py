"""What goes wrong on the way to the control plane or to the cluster, in words for both ends.

``code`` is the first word of what a report says, so that a page can say it in any language.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
from collections.abc import Iterator

from rookery.errors import RookeryError

UNREACHABLE = "UNREACHABLE"
TIMEOUT = "TIMEOUT"
TLS = "TLS"
REFUSED = "REFUSED"
GONE = "GONE"
ANSWER = "ANSWER"
_CHARS_MAX = 400


def one_line(text: str) -> str:
    """A text of anybody as it may stand in a terminal or a log: one line, nothing that acts."""
    return "".join(one if one.isprintable() else " " for one in " ".join(text.split()))


class AgentError(RookeryError):
    """Something a person has to know; said in their language already."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


class CallError(RookeryError):
    """A call over HTTP led to nothing. ``status`` is 0 when no answer came."""

    def __init__(self, code: str, message: str, *, status: int = 0) -> None:
        super().__init__(one_line(message[:_CHARS_MAX]), code=code)
        self.status = status

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def is_unreachable(self) -> bool:
        """Whether nobody answered at all."""
        return self.code in (UNREACHABLE, TIMEOUT, TLS)


@contextlib.contextmanager
def calling(address: str) -> Iterator[None]:
    """Turn what sockets, TLS and HTTP raise into :class:`CallError`."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise CallError(TLS, f"{address}: {error.verify_message or error.reason}") from error
    except ssl.SSLError as error:
        raise CallError(TLS, f"{address}: {error.reason or error}") from error
    except (socket.timeout, TimeoutError) as error:  # two classes before Python 3.10
        raise CallError(TIMEOUT, f"{address}: no answer in time") from error
    except socket.gaierror as error:
        raise CallError(UNREACHABLE, f"{address}: the host name is not known") from error
    except http.client.HTTPException as error:
        raise CallError(ANSWER, f"{address}: no HTTP ({type(error).__name__})") from error
    except OSError as error:
        raise CallError(UNREACHABLE, f"{address}: {error.strerror or error}") from error
