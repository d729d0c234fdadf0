"""The use case of ingest: events in, durable records out.

Each event is checked and taken apart, its customer's identifiers become pseudonyms, what is personal is sealed under
the key of the subject, and the records of all are published together.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct
from structlog.contextvars import bound_contextvars

from services.ingest.application.recording import EventTooLargeError, Seal, outgoing
from services.ingest.domain.checking import Checked, check
from services.ingest.domain.faults import Fault
from services.ingest.domain.limits import RECORD_BYTES_MAX
from shared.bus.records import Outgoing
from shared.contracts.events import event_key
from shared.vault.subject_keys import SubjectErasedError

EVENTS_PER_SLICE = 200
"""Events worked on before other requests get a turn: a few milliseconds."""

KEYS_LOGGED_MAX = 20

log = logging.getLogger(__name__)


class Pseudonyms(Protocol):
    """Turns identifiers into what may travel in plain sight."""

    def of(self, kind: str, value: str) -> str:
        """The pseudonym of an identifier of this kind."""


class Keyring(Protocol):
    """The keys under which personal data is sealed."""

    async def sealers(self, subjects: Collection[str]) -> Mapping[str, Seal]:
        """A seal for each subject. Raises `SubjectErasedError` naming those that were erased."""


Submit = Callable[[Sequence[Outgoing]], Awaitable[None]]
"""Returns when the records are durable; raises `BusUnavailableError` or `QueueFullError`."""


class Rejection(Struct, frozen=True):
    """An event that was not taken: its place in the request, its id if it has one, and what is wrong."""

    index: int
    id: str | None
    faults: list[Fault]


class Taken(Struct, frozen=True):
    """What became of a request: `accepted` counts events by type, `unknown` keys by (type, name)."""

    accepted: dict[str, int]
    unknown: dict[tuple[str, str], int]
    rejected: list[Rejection]


class EventsRefusedError(Exception):
    """Some events are not right, and so none was taken."""

    def __init__(self, rejected: list[Rejection]) -> None:
        super().__init__(f"{len(rejected)} event(s) refused")
        self.rejected = rejected


class _Candidate(Struct):
    """An event that is right so far; `identifiers` are pseudonyms."""

    index: int
    event: Checked
    identifiers: dict[str, str]
    subject: str


class AcceptEvents:
    """Takes requests; holds nothing of them afterwards."""

    def __init__(self, pseudonyms: Pseudonyms, keyring: Keyring, submit: Submit) -> None:
        self._pseudonym = pseudonyms.of
        self._keyring = keyring
        self._submit = submit

    async def accept(
        self,
        events: Sequence[Any],
        now: datetime,
        *,
        partial: bool = False,
        historical: bool = False,
        rewards: bool = True,
        clean: bool = False,
    ) -> Taken:
        """Take the events and return when they are durable.

        All or none of them, unless `partial`, which takes those that are right. `historical` marks history about
        which nobody is written to; without `rewards` it earns nothing. `clean` says that the JSON held no NUL. Raises
        `EventsRefusedError` and what submitting raises.
        """
        candidates, rejected = await self._check(events, now, clean)
        _refuse(rejected, partial)
        sealers, candidates = await self._sealers(candidates, rejected)
        _refuse(rejected, partial)
        records: list[Outgoing] = []
        taken = Taken({}, {}, rejected)
        for number, each in enumerate(candidates, start=1):
            event = each.event
            try:
                record = outgoing(
                    event,
                    each.identifiers,
                    sealers[each.subject],
                    received=now,
                    historical=historical,
                    rewards=rewards,
                )
                records.append(record)
            except EventTooLargeError:
                fault = Fault("", "event_too_large", f"an event has at most {RECORD_BYTES_MAX} bytes")
                rejected.append(Rejection(each.index, event.id, [fault]))
                continue
            taken.accepted[event.type] = taken.accepted.get(event.type, 0) + 1
            for name in event.unknown:
                taken.unknown[event.type, name] = taken.unknown.get((event.type, name), 0) + 1
            if number % EVENTS_PER_SLICE == 0:
                await asyncio.sleep(0)
        _refuse(rejected, partial)
        if records:
            await self._submit(records)
            if log.isEnabledFor(logging.DEBUG):
                _log_accepted(candidates, rejected)
        rejected.sort(key=lambda rejection: rejection.index)
        return taken

    async def _check(
        self, events: Sequence[Any], now: datetime, clean: bool
    ) -> tuple[list[_Candidate], list[Rejection]]:
        candidates: list[_Candidate] = []
        rejected: list[Rejection] = []
        pseudonym = self._pseudonym
        for index, event in enumerate(events):
            checked = check(event, now, clean=clean)
            if isinstance(checked, list):
                rejected.append(Rejection(index, _id_of(event), checked))
            else:
                identifiers = {kind: pseudonym(kind, value) for kind, value in checked.identifiers.items()}
                subject = next(iter(identifiers.values()))
                candidates.append(_Candidate(index, checked, identifiers, subject))
            if (index + 1) % EVENTS_PER_SLICE == 0:
                await asyncio.sleep(0)
        return candidates, rejected

    async def _sealers(
        self, candidates: list[_Candidate], rejected: list[Rejection]
    ) -> tuple[Mapping[str, Seal], list[_Candidate]]:
        """The seals of all subjects, and the candidates that are left; events of erased customers are rejected."""
        while True:
            try:
                return await self._keyring.sealers({each.subject for each in candidates}), candidates
            except SubjectErasedError as error:
                erased = error.subjects
            detail = "this customer was erased, and nothing is kept about them any more"
            fault = Fault("/data/customer", "customer_erased", detail)
            rejected += [
                Rejection(each.index, each.event.id, [fault]) for each in candidates if each.subject in erased
            ]
            candidates = [each for each in candidates if each.subject not in erased]


def _refuse(rejected: list[Rejection], partial: bool) -> None:
    if rejected and not partial:
        raise EventsRefusedError(sorted(rejected, key=lambda rejection: rejection.index))


def _log_accepted(candidates: list[_Candidate], rejected: list[Rejection]) -> None:
    """One line for a request, with the keys of its first events: an id is the sender's and may hold an address."""
    refused = {each.index for each in rejected}
    events = [each.event for each in candidates if each.index not in refused]
    keys = [event_key(event.source, event.id).hex() for event in events[:KEYS_LOGGED_MAX]]
    with bound_contextvars(accepted=len(events), event_keys=keys):
        log.debug("events accepted")


def _id_of(event: Any) -> str | None:
    """The id as far as there is one, to tell the sender which event is meant."""
    given = event.get("id") if isinstance(event, dict) else None
    return given[:200] if isinstance(given, str) else None
