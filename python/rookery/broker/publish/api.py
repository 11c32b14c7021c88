"""``/publish``: messages by HTTP, with EMQX's answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.responses import Response

from rookery.broker.management.context import NodeContext
from rookery.broker.publish.hooked import Refused, publish_hooked
from rookery.broker.publish.models import PublishError, PublishMessage, PublishOk
from rookery.broker.publish.topics import DELAYED, TOPIC_NAME_INVALID, objection
from rookery.broker.rest.parameters import message_id
from rookery.errors import BadRequestError, BusyError, UnavailableError
from rookery.native.models import PublishOutcome
from rookery.native.node import Publication
from rookery.web.models import ErrorBody
from rookery.web.rest import BODY_BYTES_MAX, example, fast

BULK_MAX = 10_000
BODY_MAX = 32 << 20
NO_MATCHING_SUBSCRIBERS = 16
IMPLEMENTATION_SPECIFIC_ERROR = 131
SERVER_BUSY = 137
QUOTA_EXCEEDED = 151
_OK = {"id": "0006497B0AF1C3E80000000000000001"}
_NOBODY = {"reason_code": NO_MATCHING_SUBSCRIBERS, "message": "no_matching_subscribers"}
_INVALID = {"reason_code": TOPIC_NAME_INVALID, "message": "topic_name_invalid"}
_TOO_LARGE = {"reason_code": QUOTA_EXCEEDED, "message": "packet_too_large"}
_FULL = {"reason_code": QUOTA_EXCEEDED, "message": "too_many_delayed_messages"}
_BUSY = {"reason_code": SERVER_BUSY, "message": "server_busy"}
_NOT_SENT = {"reason_code": IMPLEMENTATION_SPECIFIC_ERROR, "message": "failed_to_dispatch"}


class RefusedError(Exception):
    """A message that cannot be published; carries the answer."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body["message"])
        self.body = body


def router(node: NodeContext) -> APIRouter:
    """The operations."""
    api = APIRouter(tags=["Publish"])

    async def send(publications: Sequence[Publication]) -> list[PublishOutcome | Refused | None]:
        try:
            return await publish_hooked(node, publications)
        except BadRequestError:
            raise RefusedError(_INVALID) from None

    def take(messages: Sequence[PublishMessage]) -> list[Publication]:
        config = node.services.settings.config
        bytes_max, is_delayed_on = config["mqtt.max_packet_size"], config["delayed.enable"]
        now_ms = node.clock.now_ms()
        for message in messages:
            if found := objection(message.topic, now_ms, is_delayed_on=is_delayed_on):
                raise RefusedError(found._asdict())
        return [_publication(message, bytes_max) for message in messages]

    @api.post(
        "/publish",
        summary="Publish a message",
        response_model=PublishOk,
        responses=_responses(_OK, _NOBODY, _INVALID, _NOT_SENT),
        openapi_extra={BODY_BYTES_MAX: BODY_MAX},
    )
    async def publish(body: PublishMessage) -> Response:
        """200: at least one subscriber gets it (or it is delayed). 202: nobody subscribed, or a
        plugin took or refused it, or did not answer in time and is set to refuse then (`plugin` says
        which). 400: it cannot be published. 503: the node is stopping, holds as
        many delayed messages as it may, or is so busy that it cannot say whether it was sent (`server_busy`).
        """
        try:
            (outcome,) = await send(take([body]))
        except RefusedError as refused:
            return fast(refused.body, 400)
        except UnavailableError as error:
            return _unavailable(error)
        status, shown = _answer(body, outcome)
        return fast(shown, status)

    @api.post(
        "/publish/bulk",
        summary="Publish messages",
        response_model=list[PublishOk],
        responses=_responses([_OK], [_OK, _NOBODY], _INVALID, [_NOT_SENT]),
        openapi_extra={BODY_BYTES_MAX: BODY_MAX},
    )
    async def publish_all(
        body: Annotated[list[PublishMessage], Body(max_length=BULK_MAX)],
    ) -> Response:
        """One answer for each message, in their order. 200: all reached somebody. 202: some did
        not. 400: one cannot be published; then none was. 503: the node is stopping, or so busy that it
        cannot say which were sent (`server_busy`).
        """
        try:
            outcomes = await send(take(body))
        except RefusedError as refused:
            return fast(refused.body, 400)
        except UnavailableError as error:
            return _unavailable(error, len(body))
        answers = [_answer(*pair) for pair in zip(body, outcomes, strict=True)]
        status = max((status for status, _ in answers), default=200)
        return fast([shown for _, shown in answers], status)

    return api


def _answer(
    published: PublishMessage, outcome: PublishOutcome | Refused | None
) -> tuple[int, dict[str, Any]]:
    if isinstance(outcome, Refused):
        message = "refused_by_plugin" if outcome.is_answered else "plugin_did_not_answer"
        shown = {"reason_code": outcome.reason_code, "message": message}
        return 202, {**shown, "plugin": outcome.plugin}
    if outcome is None:
        return 202, _NOBODY
    # A delayed message that is kept counts as one that matched: EMQX calls it delivered.
    if outcome.matched:
        return 200, {"id": message_id(outcome.id)}
    return (503, _FULL) if published.topic.startswith(DELAYED) else (202, _NOBODY)


def _publication(message: PublishMessage, bytes_max: int) -> Publication:
    try:
        publication = message.publication()
    except ValueError as error:
        raise RefusedError(
            {"reason_code": IMPLEMENTATION_SPECIFIC_ERROR, "message": str(error)}
        ) from None
    except BadRequestError as error:
        raise RefusedError(
            {"reason_code": IMPLEMENTATION_SPECIFIC_ERROR, "message": error.message}
        ) from None
    topic_bytes = len(publication.topic.encode("utf-8", "surrogatepass"))
    if topic_bytes + len(publication.payload) + len(publication.properties) > bytes_max:
        raise RefusedError(_TOO_LARGE)
    return publication


def _unavailable(error: UnavailableError, count: int | None = None) -> Response:
    """For one message, or for each of ``count``."""
    body, headers = _NOT_SENT, {}
    if isinstance(error, BusyError):
        body, headers = _BUSY, {"retry-after": str(error.retry_after_s)}
    return fast(body if count is None else [body] * count, 503, headers)


def _responses(ok: Any, nobody: Any, invalid: Any, not_sent: Any) -> dict[int | str, Any]:
    is_list = isinstance(ok, list)
    some = list[PublishOk | PublishError] if is_list else PublishError
    failed = list[PublishError] if is_list else PublishError

    def one(model: Any, status: int, shown: Any, description: str) -> dict[int | str, Any]:
        content = example(shown, status=status, description=description)[status]
        return {status: {**content, "model": model}}

    return (
        one(list[PublishOk] if is_list else PublishOk, 200, ok, "Somebody gets it.")
        | one(some, 202, nobody, "Nobody subscribed.")
        | one(PublishError | ErrorBody, 400, invalid, "It cannot be published.")
        | one(failed, 503, not_sent, "The node is stopping, or too busy to say.")
    )
