"""How a Kafka cluster is reached, by EMQX's names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from rookery.access.databases.settings import host_and_port
from rookery.connectors.addresses import listed_addresses
from rookery.connectors.kinds import Seconds, SecretText
from rookery.connectors.settings import ConnectorSettings, Settings, Tls

DEFAULT_PORT = 9092
# Of EMQX's client library: sockets are sized by the system here.
_INERT = frozenset({"socket_opts", "min_metadata_refresh_interval"})


class UserPassword(Settings):
    """``authentication`` with a name and a password."""

    mechanism: Literal["plain", "scram_sha_256", "scram_sha_512"] = Field(
        title="Mechanism", description="How the password is proved; plain sends it."
    )
    username: str = Field(max_length=1024, title="User name", description="What to log in as.")
    password: SecretText = Field(title="Password", description="Password of the user.")


class KafkaConnectorSettings(ConnectorSettings):
    """What both types of connectors have."""

    bootstrap_hosts: Annotated[str, listed_addresses(DEFAULT_PORT)] = Field(
        min_length=1,
        max_length=4096,
        title="Bootstrap hosts",
        description="Brokers to ask first, host:port with commas between them; the port is 9092 "
        "if left out.",
    )
    authentication: Literal["none"] | UserPassword = Field(
        default="none",
        title="Authentication",
        description="none, or a mechanism with user name and password.",
    )
    connect_timeout: Seconds = Field(
        default=5.0, title="Connect timeout", description="How long connecting may take."
    )
    metadata_request_timeout: Seconds = Field(
        default=5.0,
        title="Metadata timeout",
        description="How long the cluster may take to say which topics and brokers there are.",
    )
    health_check_topic: str | None = Field(
        default=None,
        max_length=249,
        title="Topic for health checks",
        description="A topic that must be there for the connector to count as connected.",
    )
    ssl: Tls = Field(default_factory=Tls, title="TLS", description="Encryption towards brokers.")

    @model_validator(mode="before")
    @classmethod
    def _without_inert(cls, raw: Any) -> Any:
        if isinstance(raw, dict):
            return {key: value for key, value in raw.items() if key not in _INERT}
        return raw


def addresses(hosts: str) -> list[str]:
    """Each broker with its port.

    Raises:
        SettingError: one is not an address.
    """
    found = [host_and_port(host, DEFAULT_PORT, "bootstrap_hosts") for host in hosts.split(",")]
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in found]
