"""From checked settings, named as EMQX does, to the parts of access control.

Settings are objects of :class:`rookery.config.snapshot.AccessConfig`: known to be good by
themselves. What only a provider can judge (a template, a key, an expression) is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rookery.access.bans import BanService
from rookery.access.chain import AuthenticationChain, Provider
from rookery.access.database import Database
from rookery.access.passwords.algorithms import HashSettings
from rookery.access.passwords.verifier import Verifier
from rookery.access.users.service import UserService
from rookery.access.users.store import UserStore
from rookery.clock import Clock

Settings = Mapping[str, Any]

DATABASE_FILE = "access.db"
# The chain gives up before the core does: its answer says more than none.
MARGIN_S = 0.25


class Stores:
    """What the node keeps itself: users and bans. Open from the start to :meth:`close`."""

    def __init__(self, data_dir: Path | None, clock: Clock) -> None:
        """Open the file in ``data_dir``; without one everything is gone with this object.

        Raises:
            StartError: the file cannot be used.
        """
        self._folder = TemporaryDirectory(prefix="rookery-") if data_dir is None else None
        folder = data_dir or Path(self._folder.name if self._folder else ".")
        self.database = Database(folder / DATABASE_FILE)
        self.user_store = UserStore(self.database)
        self.verifier = Verifier()
        self.users = UserService(self.user_store, self.verifier.pool, clock)
        self.bans = BanService(self.database, clock)

    def close(self) -> None:
        """May be called twice."""
        self.verifier.close()
        self.database.close()
        if self._folder is not None:
            self._folder.cleanup()


def chain(
    providers: Sequence[Settings], stores: Stores, clock: Clock, *, answer_timeout_s: float
) -> AuthenticationChain:
    """The chain of these providers, not started.

    Raises:
        SettingError: one of them cannot work with its settings.
    """
    deadline_s = max(0.01, answer_timeout_s - MARGIN_S)
    return AuthenticationChain(
        [_provider(item, stores, clock) for item in providers], deadline_s=deadline_s
    )


def _provider(item: Settings, stores: Stores, clock: Clock) -> Provider:
    # Each kind is imported by those who have it: HTTP and tokens bring large libraries along.
    match (item["mechanism"], item.get("backend")):
        case ("password_based", "built_in_database"):
            return _built_in(item, stores)
        case ("password_based", "http"):
            from rookery.access.authn.http import HttpAuthnSettings, HttpProvider  # noqa: PLC0415

            settings = HttpAuthnSettings(http=http_settings(item), on_error=item["on_error"])
            return HttpProvider(settings, clock)
        case ("jwt", _):
            return _jwt(item, clock)
        case ("scram", _):
            from rookery.access.authn.scram import ScramProvider, ScramSettings  # noqa: PLC0415

            scram = ScramSettings(
                algorithm=item["algorithm"], iteration_count=item["iteration_count"]
            )
            return ScramProvider(scram, stores.user_store, clock)
        case ("cinfo", _):
            from rookery.access.authn.cinfo import Check, ClientInfoProvider  # noqa: PLC0415

            return ClientInfoProvider([Check(**check) for check in item["checks"]])
        case ("x509", _):
            from rookery.access.authn.x509 import CertificateProvider  # noqa: PLC0415

            return CertificateProvider(item["require"])
    raise NotImplementedError(f"{item['mechanism']}:{item.get('backend')}")


def _built_in(item: Settings, stores: Stores) -> Provider:
    from rookery.access.authn.built_in import BuiltInProvider, BuiltInSettings  # noqa: PLC0415

    bootstrap = item["bootstrap_file"]
    settings = BuiltInSettings(
        user_id_type=item["user_id_type"],
        password_hash_algorithm=file_hashing(item["password_hash_algorithm"]),
        bootstrap_file=Path(bootstrap) if bootstrap else None,
        bootstrap_type=item["bootstrap_type"],
    )
    return BuiltInProvider(settings, stores.user_store, stores.users, stores.verifier)


def _jwt(item: Settings, clock: Clock) -> Provider:
    from rookery.access.authn.jwt import JwtProvider, JwtSettings  # noqa: PLC0415
    from rookery.access.http_service import HttpSettings  # noqa: PLC0415

    endpoint = None
    if item["use_jwks"]:
        endpoint = HttpSettings(
            method="get", url=item["endpoint"], headers=item["headers"], ssl=client_tls(item["ssl"])
        )
    by_key = item["algorithm"] == "public-key" and endpoint is None
    settings = JwtSettings(
        from_=item["from"],
        secret=None if by_key or endpoint is not None else item["secret"],
        secret_base64_encoded=item["secret_base64_encoded"],
        public_key=item["public_key"] if by_key else None,
        endpoint=endpoint,
        refresh_interval_s=item["refresh_interval"] / 1000,
        verify_claims=item["verify_claims"],
        acl_claim_name=item["acl_claim_name"],
        disconnect_after_expire=item["disconnect_after_expire"],
    )
    return JwtProvider(settings, clock)


def http_settings(item: Settings) -> Any:
    """How an HTTP service is asked."""
    from rookery.access.http_service import HttpSettings  # noqa: PLC0415

    return HttpSettings(
        method=item["method"],
        url=item["url"],
        headers=item["headers"],
        body=item["body"] or {},
        max_inflight=item["max_inflight"],
        connect_timeout_s=item["connect_timeout"] / 1000,
        request_timeout_s=item["request_timeout"] / 1000,
        failures_max=item["breaker"]["failures"],
        reset_s=item["breaker"]["reset_timeout"] / 1000,
        ssl=client_tls(item["ssl"]),
    )


def client_tls(item: Settings) -> Any:
    """TLS towards a service."""
    from rookery.access.tls import ClientTls  # noqa: PLC0415

    names = ("cacertfile", "certfile", "keyfile")
    return ClientTls(
        enable=item["enable"],
        verify=item["verify"],
        password=item["password"],
        server_name_indication=item["server_name_indication"],
        **{name: Path(item[name]) if item[name] else None for name in names},
    )


def file_hashing(item: Settings) -> HashSettings:
    """How hashes were made in a file that does not say so itself."""
    if item["name"] == "argon2id":
        return HashSettings(name="sha256", salt_position="suffix")
    known = ("name", "salt_position", "mac_fun", "iterations", "dk_length")
    return HashSettings(**{key: item[key] for key in known if item.get(key) is not None})


def sources(settings: Sequence[Settings], clock: Clock) -> dict[str, Any]:
    """The services among the sources of rules, by name, not started.

    Raises:
        SettingError: one of them cannot work with its settings.
    """
    return {
        item["type"]: _source(item, clock)
        for item in settings
        if item["type"] not in ("file", "built_in_database")
    }


def _source(item: Settings, clock: Clock) -> Any:
    raise NotImplementedError(item["type"])
