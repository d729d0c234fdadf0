"""What endpoints got, over HTTP: messages and their attempts, replays, tests; and what listeners fetch."""

from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from services.deliveries.adapters.webhooks import listing
from services.deliveries.adapters.webhooks.listing import Place
from services.deliveries.adapters.webhooks.messages import WebhookQueue
from services.deliveries.domain.webhooks.endpoint import Endpoint
from services.deliveries.domain.webhooks.payload import Addressed, make_event
from services.deliveries.domain.webhooks.retrying import State
from services.deliveries.entrypoints.webhooks.base import MayRead, MayWrite, Webhooks, unknown_endpoint
from services.deliveries.entrypoints.webhooks.schemas import (
    Accepted,
    AttemptView,
    EndpointId,
    FetchedView,
    MessageId,
    MessageView,
    MessageWithAttempts,
    Replayed,
    ReplayRequest,
    Taken,
)
from shared.http.openapi import problem_responses
from shared.http.paging import PAGE_DEFAULT, Page, PageCursor, PageLimit, decode_cursor, encode_cursor
from shared.http.problems import Problem, ProblemError, invalid_request, not_found
from shared.http.types import IdempotencyKey as Key
from shared.http.types import Instant, ShortText

TAKE_MAX = 100

States = Annotated[
    list[State] | None, Query(alias="state", description="Only in this state; may be repeated.")
]
Since = Annotated[Instant | None, Query(alias="from", description="Put in the queue at this time or later.")]
Until = Annotated[Instant | None, Query(alias="to", description="Put in the queue before this time.")]


def add_message_routes(router: APIRouter, webhooks: Webhooks) -> None:
    """Add the routes below `/v1/webhooks/{webhook}/`."""
    _reading(router, webhooks)
    _replaying(router, webhooks)
    _testing(router, webhooks)


def _reading(router: APIRouter, webhooks: Webhooks) -> None:
    service = webhooks.service

    @router.get(
        "/v1/webhooks/{webhook}/messages",
        summary="What an endpoint was sent",
        responses=problem_responses(404),
    )
    async def get_messages(  # noqa: PLR0917  # one for each parameter
        webhook: EndpointId,
        _: MayRead,
        state: States = None,
        event_type: Annotated[ShortText | None, Query(alias="type")] = None,
        since: Since = None,
        until: Until = None,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[MessageView]:
        """The endpoint's messages of the last 30 days, the newest first."""
        before = None if cursor is None else Place(*decode_cursor(cursor, tuple[datetime, str]))
        async with service.reading.connect() as connection:
            if await webhooks.endpoints.one(connection, webhook) is None:
                raise unknown_endpoint()
            found = await listing.read_page(
                connection,
                webhook,
                states=state,
                type_=event_type,
                since=since,
                until=until,
                before=before,
                limit=limit + 1,
            )
        last = found[limit - 1] if len(found) > limit else None
        return Page(
            items=[MessageView.of(each) for each in found[:limit]],
            next=None if last is None else encode_cursor((last.made_at, last.event_id)),
        )

    @router.get(
        "/v1/webhooks/{webhook}/messages/{message}",
        summary="One message, with every attempt",
        responses=problem_responses(404),
    )
    async def get_message(webhook: EndpointId, message: MessageId, _: MayRead) -> MessageWithAttempts:
        """What is sent, and how every try ended."""
        async with service.reading.connect() as connection:
            found = await listing.read_message(connection, webhook, message)
        if found is None:
            raise _unknown_message()
        shown, body, attempts = found
        return MessageWithAttempts.of(
            shown, body=msgspec.json.decode(body), tries=[AttemptView.of(each) for each in attempts]
        )


def _replaying(router: APIRouter, webhooks: Webhooks) -> None:
    service, keys = webhooks.service, webhooks.service.keys

    @router.post(
        "/v1/webhooks/{webhook}/messages/{message}/replay",
        summary="Send one message again",
        status_code=202,
        response_class=Response,
        responses={202: {"model": Accepted}, **problem_responses(404, 409)},
    )
    async def replay_one(
        webhook: EndpointId, message: MessageId, principal: MayWrite, idempotency_key: Key
    ) -> Response:
        """Put one message in the queue again, whatever became of it: the same id, the same body, signed anew, with
        all its tries before it."""
        now, where = (
            service.clock(),
            f"{principal.key_id} POST /v1/webhooks/{webhook}/messages/{message}/replay",
        )
        body_hash, answer = keys.hash_body(b""), msgspec.json.encode({"id": message})
        async with service.engine.begin() as connection:
            before = await keys.begin(connection, idempotency_key, where, body_hash)
            if before is None:
                _must_be_sent_to(await webhooks.locked(connection, webhook))
                if not await listing.replay(connection, webhook, message, now):
                    raise _unknown_message()
                await keys.finish(
                    connection, idempotency_key, where, body_hash, status=202, body=answer, now=now
                )
        return Response(answer, 202, media_type="application/json")

    @router.post(
        "/v1/webhooks/{webhook}/replay",
        summary="Send the messages of a time again",
        status_code=202,
        response_class=Response,
        responses={202: {"model": Replayed}, **problem_responses(404, 409)},
    )
    async def replay_range(
        webhook: EndpointId, body: ReplayRequest, principal: MayWrite, idempotency_key: Key
    ) -> Response:
        """Put the messages in the queue again that were made in a time and have failed, or were held: after a failure
        of the receiver, say. At most 5,000 in one call; `next` says where to go on."""
        if body.since >= body.until:
            raise invalid_request(ProblemError("/to", "empty_period", "must be later than from"))
        after = None if body.cursor is None else Place(*decode_cursor(body.cursor, tuple[datetime, str]))
        now, where = service.clock(), f"{principal.key_id} POST /v1/webhooks/{webhook}/replay"
        body_hash = keys.hash_body(body.model_dump_json().encode())
        async with service.engine.begin() as connection:
            before = await keys.begin(connection, idempotency_key, where, body_hash)
            if before is not None:
                return Response(before.body, before.status, media_type="application/json")
            _must_be_sent_to(await webhooks.locked(connection, webhook))
            done, place = await listing.replay_range(
                connection,
                webhook,
                since=body.since,
                until=body.until,
                states=body.states,
                after=after,
                now=now,
            )
            view = Replayed(replayed=done, next=None if place is None else encode_cursor(place))
            answer = view.model_dump_json().encode()
            await keys.finish(connection, idempotency_key, where, body_hash, status=202, body=answer, now=now)
        return Response(answer, 202, media_type="application/json")


def _testing(router: APIRouter, webhooks: Webhooks) -> None:
    service, messages = webhooks.service, WebhookQueue()

    @router.post(
        "/v1/webhooks/{webhook}/test",
        summary="Send a test",
        status_code=202,
        responses=problem_responses(404, 409),
    )
    async def send_test(webhook: EndpointId, _: MayWrite, idempotency_key: Key) -> Accepted:
        """Send the endpoint a `webhook.test`, whatever it subscribes to. The same key sends one."""
        now = service.clock()
        event = make_event(f"{webhook}/{idempotency_key}", "webhook.test", now, None, {"webhook": webhook})
        async with service.engine.begin() as connection:
            endpoint = await webhooks.locked(connection, webhook)
            if not endpoint.enabled:
                raise _disabled()
            await messages.add(connection, [event], [Addressed(webhook, event.id)], now)
        return Accepted(id=event.id)

    @router.post(
        "/v1/webhooks/{webhook}/take",
        summary="Fetch what a listener gets",
        responses=problem_responses(404, 409),
    )
    async def take(
        webhook: EndpointId, _: MayWrite, limit: Annotated[int, Query(ge=1, le=TAKE_MAX)] = TAKE_MAX
    ) -> Taken:
        """For listeners, as `regulars listen` makes one: what has happened since the last call. It is given once."""
        async with service.engine.begin() as connection:
            if (await webhooks.locked(connection, webhook)).url is not None:
                raise _pushes()
            found = await listing.take(connection, webhook, limit, service.clock())
        return Taken(items=[FetchedView.of(each) for each in found])


def _must_be_sent_to(endpoint: Endpoint) -> None:
    """Raises the 409 problem for one that nothing is sent to: a replay would wait for ever."""
    if endpoint.url is None:
        raise Problem(
            409, "webhook_listens", "A listener", "A listener fetches what there is; nothing is sent to it."
        )
    if not endpoint.enabled:
        raise _disabled()


def _disabled() -> Problem:
    detail = 'The endpoint is disabled. Enable it first: PATCH /v1/webhooks/{id} with {"enabled": true}.'
    return Problem(409, "webhook_disabled", "Endpoint disabled", detail)


def _pushes() -> Problem:
    detail = "This endpoint has an address and is sent its events; only a listener fetches them."
    return Problem(409, "webhook_pushes", "Not a listener", detail)


def _unknown_message() -> Problem:
    return not_found("This endpoint has no such message; they are kept for 30 days.")
