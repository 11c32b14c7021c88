"""``/configuration/log-receiver``: whether logs are taken, where they are kept, and for how long."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import AfterValidator, Field, StringConstraints

from rookery.control.caller import Access
from rookery.control.context import ControlContext
from rookery.control.errors import InvalidError
from rookery.control.logs import receiver as receivers
from rookery.control.logs import texts
from rookery.control.logs.receiver import INDEX_PREFIX, LOG_RECEIVER, Receiver, SearchServer
from rookery.control.logs.shown import Level as LevelWord
from rookery.control.rest.guard import requires
from rookery.control.rest.models import Given, Shown
from rookery.control.tenancy.permissions import Level, Resource
from rookery.control.vault import Vault
from rookery.errors import RookeryError
from rookery.web.addresses import parts_of
from rookery.web.rest import errors

Sees = Annotated[Access, requires(Resource.SETTINGS, Level.VIEW)]
Edits = Annotated[Access, requires(Resource.SETTINGS, Level.EDIT)]
PATH = f"/configuration/{LOG_RECEIVER}"
Place = Literal["builtin", "elasticsearch"]
DAYS_MAX = 366
BYTES_MIN, BYTES_MAX = 64 << 20, 1 << 44
Prefix = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$"),
    Field(description="What names of indexes begin with.", examples=[INDEX_PREFIX]),
]


def _is_address(url: str) -> str:
    """What looks like one may have brackets without an IPv6 address in them, or a port that is none."""
    if url and not parts_of(url).hostname:
        raise ValueError("no address of a server")
    return url


ServerUrl = Annotated[
    str,
    StringConstraints(max_length=2048, pattern=r"^(https?://[^\s/?#@]+/?)?$"),
    AfterValidator(_is_address),
    Field(description="Scheme, host and port.", examples=["https://search.example.com:9200"]),
]


class SearchGiven(Given):
    """An Elasticsearch or OpenSearch."""

    url: ServerUrl
    username: str = Field(default="", max_length=256, description="Empty: nobody is asked.")
    password: str | None = Field(
        default=None,
        max_length=1024,
        description="Never shown; absent: stays.",
        examples=["a long password"],
    )
    index_prefix: Prefix = INDEX_PREFIX
    ca: str = Field(
        default="",
        max_length=65_536,
        description="Certificates that are trusted, PEM; empty: those of the system.",
    )
    is_verified: bool = Field(default=True, description="Whether its certificate is checked.")


class SearchShown(Shown):
    """The same."""

    url: str = Field(description="Empty: there is none.", examples=[""])
    username: str = Field(description="As whom.", examples=["rookery"])
    has_password: bool = Field(description="Whether one is kept.", examples=[True])
    index_prefix: str = Field(
        description="What names of indexes begin with.", examples=[INDEX_PREFIX]
    )
    ca: str = Field(description="Certificates that are trusted, PEM.", examples=[""])
    is_verified: bool = Field(description="Whether its certificate is checked.", examples=[True])


class ReceiverGiven(Given):
    """Whether logs are taken, and what becomes of them."""

    is_enabled: bool = Field(description="Whether logs are taken in.", examples=[True])
    level: LevelWord = Field(description="The least severe level that is kept.", examples=["info"])
    retention_days: int = Field(ge=1, le=DAYS_MAX, description="How long they stay.", examples=[7])
    retention_bytes: int = Field(
        ge=BYTES_MIN,
        le=BYTES_MAX,
        description="How much the built-in store may take; of the project that has most the oldest go first.",
        examples=[5 << 30],
    )
    project_bytes: int | None = Field(
        default=None,
        ge=BYTES_MIN,
        le=BYTES_MAX,
        description="Of that, what one project may take; null: whatever the others leave.",
        examples=[1 << 30],
    )
    store: Place = Field(description="Which place keeps them.", examples=["builtin"])
    elasticsearch: SearchGiven | None = Field(default=None, description="Absent: stays.")


class ReceiverShown(Shown):
    """The same."""

    is_enabled: bool = Field(description="Whether logs are taken in.", examples=[True])
    level: LevelWord = Field(description="The least severe level that is kept.", examples=["info"])
    retention_days: int = Field(description="How long they stay.", examples=[7])
    retention_bytes: int = Field(
        description="How much the built-in store may take.", examples=[5 << 30]
    )
    project_bytes: int | None = Field(
        description="Of that, what one project may take; null: whatever the others leave.",
        examples=[1 << 30],
    )
    store: Place = Field(description="Which place keeps them.", examples=["builtin"])
    elasticsearch: SearchShown = Field(description="The server, where there is one.")
    stored_bytes: int | None = Field(
        description="What the built-in store takes; null: it is not used.", examples=[1_048_576]
    )
    problem: str = Field(description="Why no logs can be kept; empty: they can.", examples=[""])


def router(control: ControlContext) -> APIRouter:
    api = APIRouter(tags=["Settings"])

    @api.get(PATH, summary="Where logs are kept")
    async def shown(access: Sees) -> ReceiverShown:
        """A password is never shown."""
        async with control.database.read() as session:
            found = await receivers.read(session)
        stored: int | None = None
        problem = ""
        try:
            stored = await control.logs.size()
        except RookeryError as error:
            problem = str(error)
        return _shown(found, stored, problem)

    @api.put(
        PATH, status_code=204, summary="Set where logs are kept", responses=errors("BAD_REQUEST")
    )
    async def change(access: Edits, given: ReceiverGiven) -> None:
        """Holds at once. What another place holds stays there, and is not found any more."""
        async with control.database.write() as session:
            before = await receivers.read(session)
            wanted = _wanted(given, before, control.vault)
            await receivers.write(session, wanted, control.clock.now_ms())
            control.audit.record(
                session,
                access,
                Resource.SETTINGS,
                "update",
                object_id=LOG_RECEIVER,
                object_name=LOG_RECEIVER,
                before=before.plain(),
                after=wanted.plain(),
            )

    @api.post(
        PATH + "/test",
        status_code=204,
        summary="Test an Elasticsearch",
        responses=errors("TEST_FAILED", "BAD_REQUEST"),
    )
    async def test(access: Edits, given: SearchGiven) -> None:
        """Writes a record there, finds it and takes it away again; nothing is kept of the settings."""
        async with control.database.read() as session:
            before = await receivers.read(session)
        await control.logs.test(_server(given, before.search, control.vault))

    return api


def _wanted(given: ReceiverGiven, before: Receiver, vault: Vault) -> Receiver:
    search = before.search
    if given.elasticsearch is not None:
        search = _server(given.elasticsearch, before.search, vault)
    if given.store == "elasticsearch" and not search.url:
        raise InvalidError(texts.NO_URL)
    return Receiver(
        is_enabled=given.is_enabled,
        level=given.level,
        retention_days=given.retention_days,
        retention_bytes=given.retention_bytes,
        project_bytes=given.project_bytes,
        uses_search=given.store == "elasticsearch",
        search=search,
    )


def _server(given: SearchGiven, before: SearchServer, vault: Vault) -> SearchServer:
    server = SearchServer(
        url=given.url.rstrip("/"),
        username=given.username,
        password=given.password or "",
        index_prefix=given.index_prefix,
        ca=given.ca,
        is_verified=given.is_verified,
    )
    if given.password is not None:
        return server.sealed(vault)
    if (server.url, server.username) != (before.url, before.username) and before.password:
        # A password is not sent to another place than the one that it was typed for.
        if server.username:
            raise InvalidError(texts.PASSWORD_AGAIN)
        return server
    return replace(server, password=before.password)


def _shown(found: Receiver, stored: int | None, problem: str) -> ReceiverShown:
    search: dict[str, Any] = {
        "url": found.search.url,
        "username": found.search.username,
        "has_password": bool(found.search.password),
        "index_prefix": found.search.index_prefix,
        "ca": found.search.ca,
        "is_verified": found.search.is_verified,
    }
    return ReceiverShown(
        is_enabled=found.is_enabled,
        level=found.level,  # type: ignore[arg-type]  # the words are those of Level
        retention_days=found.retention_days,
        retention_bytes=found.retention_bytes,
        project_bytes=found.project_bytes,
        store="elasticsearch" if found.uses_search else "builtin",
        elasticsearch=SearchShown(**search),
        stored_bytes=stored,
        problem=problem,
    )
