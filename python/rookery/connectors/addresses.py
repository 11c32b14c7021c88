"""Addresses of services in settings: looked at when somebody writes them, not when they are used."""

from __future__ import annotations

from pydantic import AfterValidator

from rookery.access.databases.settings import host_and_port
from rookery.access.errors import SettingError
from rookery.connectors.refusals import RefusedValue
from rookery.words import Words

NO_ADDRESS = Words(
    "must be host:port, with a port from 1 to 65535", "应为 主机:端口，端口为 1 到 65535"
)
NO_ADDRESS_OR_PATH = Words(
    f"{NO_ADDRESS.en}, or an absolute path", "应为 主机:端口（端口为 1 到 65535），或绝对路径"
)


def checked_address(address: str, default_port: int, *, may_be_path: bool = False) -> str:
    """The same address.

    Raises:
        RefusedValue: it is none; says what is one, and not what was written.
    """
    if may_be_path and address.startswith("/"):
        return address
    try:
        host_and_port(address, default_port, "")
    except SettingError:
        raise RefusedValue(NO_ADDRESS_OR_PATH if may_be_path else NO_ADDRESS) from None
    return address


def one_address(default_port: int, *, may_be_path: bool = False) -> AfterValidator:
    """For a field with one address, or the path of a Unix socket."""

    def check(address: str) -> str:
        return checked_address(address, default_port, may_be_path=may_be_path)

    return AfterValidator(check)


def every_address(default_port: int) -> AfterValidator:
    """For a field with several."""

    def check(addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            checked_address(address, default_port)
        return addresses

    return AfterValidator(check)


def listed_addresses(default_port: int) -> AfterValidator:
    """For a text with several and commas between them."""

    def check(addresses: str) -> str:
        for address in addresses.split(","):
            checked_address(address, default_port)
        return addresses

    return AfterValidator(check)
