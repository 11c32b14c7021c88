"""Where a password for a command comes from: never from its arguments, which others can see."""

from __future__ import annotations

import getpass
import os
import sys

from rookery.cli.messages import say
from rookery.errors import BadRequestError


def new_password() -> str:
    """From the environment, a terminal, or the first line of standard input.

    Raises:
        BadRequestError: there is none, or two different ones were typed.
    """
    if given := os.environ.get("ROOKERY_PASSWORD"):
        return given
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\n")
    else:
        given = getpass.getpass(say("ctl.users.password"))
        if given != getpass.getpass(say("ctl.users.again")):
            raise BadRequestError(say("ctl.users.differ"))
    if not given:
        raise BadRequestError(say("ctl.users.no_password"))
    return given
