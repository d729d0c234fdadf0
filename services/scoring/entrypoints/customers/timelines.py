"""`/v1/customers/{customer}/timeline`: every interaction, newest first, filtered and searched."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.customers.profiles import Profiles
from services.scoring.adapters.events.interactions import Interactions, TimelineFilter
from services.scoring.adapters.events.personal import PersonalData
from services.scoring.domain.event import Event
from services.scoring.entrypoints.customers import people
from services.scoring.entrypoints.customers.lookup import find_or_404
from services.scoring.entrypoints.customers.schemas import TimelineItem
from shared.auth.guard import Principal, require
from shared.auth.scopes import Scope
from shared.http.openapi import problem_responses
from shared.http.paging import (
    PAGE_DEFAULT,
    PAGE_MAX,
    Page,
    PageCursor,
    PageLimit,
    decode_cursor,
    encode_cursor,
)
from shared.http.problems import Problem, ProblemError, invalid_request
from shared.http.types import CustomerRef, Instant, ShortText

SEARCHED_MAX = 2_000
"""Events that one call looks through for words: some 100 ms. A page may then hold fewer items than asked, and go on."""

TYPES_MAX = 50
Place = tuple[datetime, str]
_LAST_KEY = "ff" * 16
_END: Place = (datetime.max.replace(tzinfo=UTC), _LAST_KEY)

Reader = Annotated[Principal, Depends(require(Scope.PROFILES_READ))]


def timeline_routes(profiles: Profiles, personal: PersonalData) -> APIRouter:
    """The route by which timelines are read."""
    router = APIRouter(tags=["customers"], responses=problem_responses(401, 403, 422, 503))
    views = _Views(personal)

    @router.get(
        "/v1/customers/{customer}/timeline",
        summary="Every interaction, newest first, filtered and searched",
        responses=problem_responses(404),
    )
    async def timeline(  # noqa: PLR0917  # by name: they are those of the query
        principal: Reader,
        customer: CustomerRef,
        type: Annotated[  # noqa: A002
            list[ShortText] | None,
            Query(max_length=TYPES_MAX, description="Only these event types; repeat it for several."),
        ] = None,
        since: Annotated[
            Instant | None, Query(alias="from", description="Only what happened then or later.")
        ] = None,
        until: Annotated[Instant | None, Query(alias="to", description="Only what happened before.")] = None,
        order_id: Annotated[ShortText | None, Query(description="Only what is about this order.")] = None,
        channel: Annotated[ShortText | None, Query(description="Only what came by this channel.")] = None,
        q: Annotated[
            ShortText | None,
            Query(
                description="Only events whose data contain these words, in any case; in personal texts for keys "
                "with personal:read. A page may then hold few items, or none, and have a next one."
            ),
        ] = None,
        at: Annotated[
            Instant | None,
            Query(description="Show it as it stood at this moment: nothing that happened later."),
        ] = None,
        limit: PageLimit = PAGE_DEFAULT,
        cursor: PageCursor = None,
    ) -> Page[TimelineItem]:
        """Events as they were accepted. Personal fields need the scope personal:read."""
        if since is not None and until is not None and since >= until:
            error = ProblemError("", "out_of_range", "must be before `to`", parameter="from")
            raise invalid_request(error)
        asked = TimelineFilter(types=type, since=since, until=until, order_id=order_id, channel=channel)
        before = _END if cursor is None else _place(cursor)
        if at is not None:
            before = min(before, (at, _LAST_KEY))
        async with profiles.engine.connect() as connection:
            known = await find_or_404(profiles, connection, customer)
            if q is not None:
                return await views.searched(connection, principal, known.id, asked, (q, before, limit))
            return await views.page(connection, principal, known.id, asked, (before, limit))

    return router


class _Views:
    """The pages."""

    def __init__(self, personal: PersonalData) -> None:
        self._personal = personal
        self._interactions = Interactions()

    async def page(
        self,
        connection: AsyncConnection,
        principal: Principal,
        customer_id: str,
        asked: TimelineFilter,
        at: tuple[Place, int],
    ) -> Page[TimelineItem]:
        """A page of what passes the filter."""
        before, limit = at
        events = await self._interactions.page(connection, customer_id, asked, before=before, limit=limit + 1)
        shown = events[:limit]
        items = await people.timeline(connection, self._personal, principal, customer_id, shown)
        return Page(items=items, next=_cursor(shown[-1]) if len(events) > limit else None)

    async def searched(
        self,
        connection: AsyncConnection,
        principal: Principal,
        customer_id: str,
        asked: TimelineFilter,
        wanted: tuple[str, Place, int],
    ) -> Page[TimelineItem]:
        """A page of what passes the filter and contains the words: events are opened and looked through."""
        words, before, limit = wanted
        found: list[TimelineItem] = []
        looked_at = 0
        while looked_at < SEARCHED_MAX:
            events = await self._interactions.page(
                connection, customer_id, asked, before=before, limit=PAGE_MAX
            )
            looked_at += PAGE_MAX
            items = await people.timeline(connection, self._personal, principal, customer_id, events)
            for event, item in zip(events, items, strict=True):
                before = event.at, event.key
                if _contains(item.data, words.casefold()):
                    found.append(item)
                    if len(found) == limit:
                        return Page(items=found, next=encode_cursor(before))
            if len(events) < PAGE_MAX:
                return Page(items=found)
        return Page(items=found, next=encode_cursor(before))


def _contains(data: Mapping[str, Any], words: str) -> bool:
    return any(words in text.casefold() for text in _texts(data))


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, but not the names of its keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _cursor(event: Event) -> str:
    return encode_cursor((event.at, event.key))


def _place(cursor: str) -> Place:
    at, key = decode_cursor(cursor, tuple[datetime, str])
    try:
        bytes.fromhex(key)
    except ValueError:
        raise _invalid_cursor() from None
    return at, key


def _invalid_cursor() -> Problem:
    return invalid_request(
        ProblemError("", "invalid_cursor", "is not a cursor of this list", parameter="cursor")
    )
