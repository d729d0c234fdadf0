"""The import itself: rounds of pieces, each posted in several requests at a time, then noted as done."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from zlib import crc32

import httpx
import msgspec
from msgspec import Struct

from deploy import posting
from deploy.errors import LocalError
from deploy.importing.checkpoint import Checkpoint, Place, Tally
from deploy.importing.reading.faults import Refusal
from deploy.importing.reading.pieces import Piece, Source
from deploy.importing.rejects import Rejects
from shared.clock import Clock

LANES = 4
"""Requests in flight. A customer stays in a lane, so that their events arrive in the order of the file."""

BATCH_EVENTS = 500
ROUND_PIECES = LANES * BATCH_EVENTS
"""Pieces between two checkpoints: what is sent again, at most, after a kill."""

FIRST_PIECES = 1_000
"""If none of so many at the beginning can be taken, the file is read wrongly, and it is no use to go on."""

REMEDY = "Mend it in the file of rejects and import that"

_REMEDIES = {
    "customer_unidentified": "Fill in the customer's id, e-mail address or telephone number",
    "customer_erased": "Leave the order out: nothing is kept about somebody who asked to be forgotten",
    "time_in_future": "Look at the year, the order of day and month, and the time zone",
    "time_too_early": "Look at the year",
    "unknown_value": "Use one of the values named",
}

Told = Callable[[Tally], None]


class _Parcel(Struct):
    """An encoded event on its way, with the piece that it belongs to."""

    piece: Piece
    body: bytes


class Import:
    """One import of one file. `told` hears after each round how far it has come."""

    def __init__(
        self,
        source: Source,
        place: Place,
        checkpoint: Checkpoint,
        *,
        client: httpx.AsyncClient,
        token: str,
        points: bool,
        clock: Clock,
        told: Told,
    ) -> None:
        self._source = source
        self._place = place
        self._checkpoint = checkpoint
        self._client = client
        self._token = token
        self._parameters = {"partial": "true", "historical": "true"} | (
            {} if points else {"rewards": "false"}
        )
        self._clock = clock
        self._told = told

    async def run(self) -> list[Refusal]:
        """Go on from the checkpoint to the end of the file; answers the first refusals of this run.

        Raises:
            LocalError: Ingest stays away or refuses us, the file cannot be read, or nothing of it can be taken.
        """
        kept = self._checkpoint
        pieces = self._source.pieces()
        with Rejects(
            self._place, self._source, rejects_bytes=kept.rejects_bytes, report_bytes=kept.report_bytes
        ) as rejects:
            await asyncio.to_thread(_pass_over, pieces, kept.tally.pieces)
            batch = await asyncio.to_thread(_take, pieces)
            _check_beginning(batch, kept.tally)
            while batch:
                # While ingest works on a round, the next one is read.
                reading = asyncio.create_task(asyncio.to_thread(_take, pieces))
                try:
                    refused = await self._post(batch)
                finally:
                    following = await reading
                self._note(batch, refused, rejects, done_at=None if following else self._clock())
                batch = following
            if kept.done_at is None:
                self._note([], {}, rejects, done_at=self._clock())
            return rejects.first

    async def _post(self, batch: list[Piece]) -> dict[int, Refusal]:
        """Post the events of these pieces; answers the refusals by the line of their piece."""
        lanes: list[list[_Parcel]] = [[] for _ in range(LANES)]
        for piece in batch:
            for event in piece.events:
                lane = lanes[crc32(piece.lane.encode()) % LANES]
                lane.append(_Parcel(piece, msgspec.json.encode(event)))
        refused: dict[int, Refusal] = {}
        try:
            async with asyncio.TaskGroup() as group:
                for lane in lanes:
                    group.create_task(self._post_lane(lane, refused))
        except* LocalError as errors:
            raise errors.exceptions[0] from None
        return refused

    async def _post_lane(self, lane: list[_Parcel], refused: dict[int, Refusal]) -> None:
        for parcels in _batches(lane):
            answer = await posting.post(
                self._client, self._token, [each.body for each in parcels], self._parameters
            )
            for rejection in answer.get("rejected", ()):
                piece, error = parcels[rejection["index"]].piece, rejection["errors"][0]
                why = refusal_of(self._source, piece, error["pointer"], error["code"], error["detail"])
                refused.setdefault(piece.line, why)

    def _note(
        self, batch: list[Piece], posted: dict[int, Refusal], rejects: Rejects, *, done_at: datetime | None
    ) -> None:
        """The round is done: rejects first, then the checkpoint that counts on them."""
        kept, tally = self._checkpoint, self._checkpoint.tally
        refused: list[tuple[Piece, Refusal]] = []
        for piece in batch:
            why = piece.refusal or posted.get(piece.line)
            if why is not None:
                refused.append((piece, why))
            elif piece.skipped is not None:
                tally.skip(piece.skipped)
            else:
                tally.events += len(piece.events)
                tally.note(piece.notes)
        tally.pieces += len(batch)
        tally.refused += len(refused)
        kept.rejects_bytes, kept.report_bytes = rejects.add(refused)
        kept.done_at = done_at
        self._place.save(kept)
        self._told(tally)


def refusal_of(source: Source, piece: Piece, pointer: str, code: str, detail: str) -> Refusal:
    """What ingest says about an event of a piece, in words for whoever mends the file."""
    return Refusal(piece.line, source.column_of(pointer), detail, _REMEDIES.get(code, REMEDY))


def _take(pieces: Iterator[Piece]) -> list[Piece]:
    return list(islice(pieces, ROUND_PIECES))


def _pass_over(pieces: Iterator[Piece], count: int) -> None:
    for _ in islice(pieces, count):
        pass


def _check_beginning(batch: list[Piece], tally: Tally) -> None:
    begin = batch[:FIRST_PIECES]
    if tally.pieces or not begin or any(piece.refusal is None for piece in begin):
        return
    raise LocalError(
        f"Nothing of the first {len(begin):,} can be taken, so nothing was sent. The first: {begin[0].refusal}"
    )


def _batches(lane: list[_Parcel]) -> Iterator[list[_Parcel]]:
    batch: list[_Parcel] = []
    size = 0
    for parcel in lane:
        if batch and (len(batch) == BATCH_EVENTS or size + len(parcel.body) > posting.BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(parcel)
        size += len(parcel.body) + 1
    if batch:
        yield batch
