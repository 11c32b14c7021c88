"""``/cluster/links``: links to other clusters, by the paths of EMQX's document and by those it shipped."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import Response

from rookery.broker.links.models import (
    METRICS_SHOWN,
    POSTED,
    SENT,
    SHOWN,
    LinkMetrics,
    LinkRow,
    LinksBody,
    LinkUpdate,
    NewLink,
    settings_of,
)
from rookery.broker.links.service import LinkService, Vocabulary
from rookery.broker.management.context import NodeContext
from rookery.web.rest import errors, example, fast

_DONE: dict[int | str, dict[str, Any]] = {204: {"description": "Done."}}
_CHANGES = ("BAD_REQUEST", "CONFLICT")
_METRICS = {
    "metrics": METRICS_SHOWN,
    "node_metrics": [{"node": "rookery@127.0.0.1", "metrics": METRICS_SHOWN}],
}
_SHORT, _LONG = "/cluster/links/{name}", "/cluster/links/link/{name}"

Name = Annotated[str, Path(description="Name of the other cluster.", examples=["emqx-eu-west"])]
Words = Annotated[
    Vocabulary,
    Query(
        description="Words of `status`. `shipped`: connected, connecting, disconnected, inconsistent. "
        "`document`: running, stopped, inconsistent, and `routers` in metrics.",
    ),
]


def router(node: NodeContext) -> APIRouter:
    api = APIRouter(tags=["Cluster links"])
    links = node.services.links
    _list(api, links)
    # A link that is called as a part of a path is reached by the longer one.
    for path in (_LONG, _SHORT):
        _one(api, links, path)
        _measuring(api, links, path)
    return api


def _suffix(path: str) -> str:
    return "" if path == _LONG else "_by_name"


def _list(api: APIRouter, links: LinkService) -> None:
    @api.get(
        "/cluster/links",
        summary="List cluster links",
        response_model=list[LinkRow],
        responses=example([SHOWN]),
    )
    async def list_links(vocabulary: Words = "shipped") -> Response:
        """Every link with its settings and how it does on each node. Secrets are hidden."""
        return fast(await links.all(vocabulary))

    @api.post(
        "/cluster/links",
        summary="Create a cluster link",
        status_code=201,
        response_model=LinkRow,
        responses=errors(*_CHANGES, (400, "ALREADY_EXISTS")) | example(SHOWN, status=201),
    )
    async def create_link(body: Annotated[NewLink, Body(examples=[POSTED])]) -> Response:
        """Define a link and start it. It is kept whether it works at the moment or not; `status` says."""
        return fast(await links.create(body.root), 201)

    @api.put(
        "/cluster/links",
        summary="Replace cluster links",
        response_model=list[LinkRow],
        responses=errors(*_CHANGES) | example([SHOWN]),
    )
    async def put_links(body: Annotated[LinksBody, Body(examples=[[POSTED], POSTED])]) -> Response:
        """A list replaces all links; an object creates that one link, or replaces its settings. Hidden
        secrets stay.
        """
        sent = settings_of(body)
        return fast(await (links.replace(sent) if isinstance(sent, list) else links.put(sent)))

    @api.post(
        "/cluster/links_probe",
        summary="Test the settings of a cluster link",
        status_code=204,
        responses=errors("BAD_REQUEST", "TEST_FAILED") | _DONE,
    )
    async def probe_link(body: Annotated[NewLink, Body(examples=[POSTED])]) -> Response:
        """Try settings without keeping them: connect, shake hands, disconnect. 204, or 400 with the
        reason and what to do. A hidden secret means the one that the link of that name has.
        """
        await links.probe(body.root)
        return Response(status_code=204)


def _one(api: APIRouter, links: LinkService, path: str) -> None:
    suffix = _suffix(path)

    @api.get(
        path,
        summary="Get a cluster link",
        operation_id=f"get_link{suffix}",
        response_model=LinkRow,
        responses=errors("NOT_FOUND") | example(SHOWN),
    )
    async def get_link(name: Name, vocabulary: Words = "shipped") -> Response:
        """Its settings, and how it does on each node. Secrets are hidden."""
        return fast(await links.get(name, vocabulary))

    @api.put(
        path,
        summary="Change a cluster link",
        operation_id=f"update_link{suffix}",
        response_model=LinkRow,
        responses=errors(*_CHANGES, "NOT_FOUND") | example(SHOWN),
    )
    async def update_link(
        name: Name, body: Annotated[LinkUpdate, Body(examples=[SENT])]
    ) -> Response:
        """Replace its settings; what is not named gets its default. A secret that is sent back hidden
        stays.
        """
        return fast(await links.update(name, body.root))

    @api.delete(
        path,
        summary="Delete a cluster link",
        operation_id=f"delete_link{suffix}",
        status_code=204,
        responses=errors("NOT_FOUND", "CONFLICT") | _DONE,
    )
    async def delete_link(name: Name) -> Response:
        """Take it away for good. The other side goes on trying until its link is deleted as well."""
        await links.delete(name)
        return Response(status_code=204)


def _measuring(api: APIRouter, links: LinkService, path: str) -> None:
    suffix = _suffix(path)

    @api.get(
        f"{path}/metrics",
        summary="Get the metrics of a cluster link",
        operation_id=f"link_metrics{suffix}",
        response_model=LinkMetrics,
        responses=errors("NOT_FOUND") | example(_METRICS),
    )
    async def metrics(name: Name, vocabulary: Words = "shipped") -> Response:
        """Since the start or the last reset: routes as the node has most of them, messages of all
        nodes together.
        """
        return fast(await links.metrics(name, vocabulary))

    @api.put(
        f"{path}/metrics/reset",
        summary="Reset the metrics of a cluster link",
        operation_id=f"reset_link_metrics{suffix}",
        status_code=204,
        responses=errors("NOT_FOUND") | _DONE,
    )
    async def reset(name: Name) -> Response:
        """They begin at zero again, on every node."""
        await links.reset(name)
        return Response(status_code=204)
