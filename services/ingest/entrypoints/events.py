"""`POST /v1/events`.

FastAPI's own reading and writing of models would cost more than everything that ingest does with an event.
"""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response

from services.ingest.adapters.metrics import count_refused, count_taken
from services.ingest.application.accepting import AcceptEvents, EventsRefusedError
from services.ingest.application.batcher import QueueFullError
from services.ingest.entrypoints.answers import busy_problem, refused_problem, taken_response
from services.ingest.entrypoints.documentation import EVENTS_OPENAPI
from services.ingest.entrypoints.reading import read_events
from shared.auth.guard import Guard
from shared.auth.scopes import Scope as Right
from shared.clock import Clock
from shared.http.direct import DirectRoute, read_body
from shared.http.openapi import problem_responses
from shared.http.problems import ProblemError, invalid_request


def events_routes(accept: AcceptEvents, guard: Guard, clock: Clock) -> APIRouter:
    """The routes by which events come in."""
    router = APIRouter(tags=["events"], route_class=DirectRoute)

    @router.post(
        "/v1/events",
        status_code=202,
        response_class=Response,
        summary="Send events: one, or an array of up to 1,000",
        responses=problem_responses(400, 401, 403, 413, 415, 422, 503),
        openapi_extra=EVENTS_OPENAPI,
    )
    async def post_events(request: Request) -> Response:
        """Returns when the events are durable. An event is known for ever by `source` and `id`: one that comes
        again, after an answer that got lost for instance, counts once."""
        headers = dict(request.scope["headers"])
        authorization = headers.get(b"authorization")
        await guard.check(
            None if authorization is None else authorization.decode("latin-1"), Right.EVENTS_WRITE
        )
        partial, historical, rewards = _options(request.scope["query_string"])
        events = read_events(headers, await read_body(request.receive))
        try:
            taken = await accept.accept(
                events.items,
                clock(),
                partial=partial,
                historical=historical,
                rewards=rewards,
                clean=events.clean,
            )
        except EventsRefusedError as error:
            count_refused(error.rejected)
            raise refused_problem(error.rejected, len(events.items), single=events.single) from None
        except QueueFullError:
            raise busy_problem() from None
        count_taken(taken)
        return taken_response(taken, partial=partial)

    return router


def _options(query: bytes) -> tuple[bool, bool, bool]:
    """`partial`, `historical` and `rewards`."""
    if not query:
        return False, False, True
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True)
    return _flag(given, "partial"), _flag(given, "historical"), _flag(given, "rewards", "true")


def _flag(given: dict[str, list[str]], name: str, default: str = "false") -> bool:
    match given.get(name, [default])[-1].lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
        case _:
            raise invalid_request(ProblemError("", "wrong_format", "must be true or false", parameter=name))
