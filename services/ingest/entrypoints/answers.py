"""What ingest answers: what was taken, what was not and why."""

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from services.ingest.application.accepting import Rejection, Taken
from services.ingest.domain.faults import below
from shared.http.problems import Problem, ProblemError

UNKNOWN_NAMED_MAX = 50
"""Unknown keys named in one answer."""


def taken_response(taken: Taken, *, partial: bool) -> Response:
    """202: how many events were taken; with `partial` also which were not; and keys that nobody knows, if any."""
    accepted = sum(taken.accepted.values())
    if not partial and not taken.unknown:
        return Response(b'{"accepted":%d}' % accepted, 202, media_type="application/json")
    body: dict[str, Any] = {"accepted": accepted}
    if partial:
        body["rejected"] = [_rejected(each) for each in taken.rejected]
    if taken.unknown:
        unknown: dict[str, list[str]] = {}
        for type_, name in sorted(taken.unknown)[:UNKNOWN_NAMED_MAX]:
            unknown.setdefault(type_, []).append(name)
        body["unknown_fields"] = unknown
    return Response(msgspec.json.encode(body), 202, media_type="application/json")


def refused_problem(rejected: Sequence[Rejection], total: int, *, single: bool) -> Problem:
    """422: each bad event by its place, and that nothing was taken."""
    errors = [
        ProblemError(fault.pointer, fault.code, fault.detail)
        for each in rejected
        for fault in (each.faults if single else below(f"/{each.index}", each.faults))
    ]
    codes = {error.code for error in errors}
    detail = "The event is not valid, and was not taken."
    if not single:
        detail = f"{len(rejected)} of {total} events are not valid; none of them was taken."
        if len(rejected) < total:
            detail += " With ?partial=true the valid ones are."
    if codes == {"customer_erased"}:
        return Problem(422, "customer_erased", "Customer erased", detail, errors)
    return Problem(422, "invalid_events", "Invalid events", detail, errors)


def busy_problem() -> Problem:
    """503: more events wait than may."""
    return Problem(
        503,
        "too_busy",
        "Too busy",
        "More events arrive than can be stored at the moment. Nothing was taken; try again soon.",
        headers={"Retry-After": "1"},
    )


def _rejected(each: Rejection) -> dict[str, Any]:
    errors = [{"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in each.faults]
    return {"index": each.index, "id": each.id, "errors": errors}
