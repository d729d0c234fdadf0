"""The keys of subjects that this process uses again and again, ready to seal with."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.postgres.direct import autocommit
from shared.postgres.faults import is_database_away
from shared.vault.seal import Sealer
from shared.vault.secret import Secret
from shared.vault.subject_keys import SubjectErasedError, SubjectKeys

CAPACITY = 100_000
"""Subjects kept in memory."""

TRUSTED_S = 60.0
"""How long a key is used without asking whether it still exists: an erasure is known everywhere within a minute."""

STATEMENT_MAX = 2_000
"""Subjects asked for in one statement."""


@dataclass
class _Round:
    """One visit to the database on behalf of everybody who waits for it."""

    subjects: set[str] = field(default_factory=set)
    found: dict[str, Sealer] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    error: Exception | None = None


class SubjectKeyring:
    """A bounded cache (least recently used goes first) of `Sealer`s over `SubjectKeys`.

    Requests that ask at the same time share one visit to the database. While the database is away, keys already known
    are used on: what is sealed under a key destroyed meanwhile cannot be read by anybody.
    """

    def __init__(
        self, engine: AsyncEngine, secret: Secret, *, capacity: int = CAPACITY, trusted_s: float = TRUSTED_S
    ) -> None:
        self._engine = autocommit(engine)
        self._keys = SubjectKeys(secret)
        self._capacity = capacity
        self._trusted_s = trusted_s
        self._sealers: OrderedDict[str, tuple[Sealer, float]] = OrderedDict()
        self._one_at_a_time = asyncio.Lock()
        self._next: tuple[_Round, asyncio.Task[None]] | None = None

    async def sealers(self, subjects: Collection[str]) -> dict[str, Sealer]:
        """A sealer for every subject; keys that do not exist yet are made and committed.

        Raises `SubjectErasedError` naming those that were erased: seal nothing for them and ask again without.
        Raises what the database raises when it is away and a key is not known.
        """
        found, missing = self._cached(subjects)
        if missing:
            visit = await self._visit(missing)
            erased = visit.erased.intersection(missing)
            if erased:
                raise SubjectErasedError(erased)
            for subject in missing:
                if subject not in visit.found:
                    assert visit.error is not None
                    raise visit.error
                found[subject] = visit.found[subject]
        return found

    async def unsealers(self, connection: AsyncConnection, subjects: Collection[str]) -> dict[str, Sealer]:
        """Sealers of the subjects that have a key, within the caller's transaction; the others are unreadable."""
        found, missing = self._cached(subjects)
        if missing:
            for subject, key in (await self._keys.get(connection, missing)).items():
                found[subject] = self._remember(subject, key)
        return found

    def forget(self, subjects: Collection[str]) -> None:
        """Drop these keys from memory at once, after their destruction was committed."""
        for subject in subjects:
            self._sealers.pop(subject, None)

    def _cached(self, subjects: Collection[str]) -> tuple[dict[str, Sealer], list[str]]:
        found: dict[str, Sealer] = {}
        missing: list[str] = []
        now = monotonic()
        for subject in subjects:
            entry = self._sealers.get(subject)
            if entry is not None and now < entry[1]:
                found[subject] = entry[0]
                self._sealers.move_to_end(subject)
            else:
                missing.append(subject)
        return found, missing

    async def _visit(self, subjects: list[str]) -> _Round:
        """Join the next visit to the database: while one is under way, those who come gather for the one after it."""
        if self._next is None:
            visit = _Round()
            self._next = visit, asyncio.create_task(self._make_visit(visit))
        visit, task = self._next
        visit.subjects.update(subjects)
        await asyncio.shield(task)
        return visit

    async def _make_visit(self, visit: _Round) -> None:
        async with self._one_at_a_time:
            self._next = None  # from here on, others wait for the next one
            try:
                await self._fetch(visit)
            except Exception as error:  # noqa: BLE001  # handed to everybody who waits
                visit.error = error
                if is_database_away(error):
                    visit.found.update(self._known(visit.subjects))

    def _known(self, subjects: Collection[str]) -> Iterator[tuple[str, Sealer]]:
        for subject in subjects:
            entry = self._sealers.get(subject)
            if entry is not None:
                yield subject, entry[0]

    async def _fetch(self, visit: _Round) -> None:
        for batch in _batches(sorted(visit.subjects)):
            erased: frozenset[str] = frozenset()
            async with self._engine.connect() as connection:
                while True:
                    alive = [subject for subject in batch if subject not in erased]
                    try:
                        keys = await self._keys.get_or_create(connection, alive)
                        break
                    except SubjectErasedError as error:
                        erased |= error.subjects
            for subject, key in keys.items():
                visit.found[subject] = self._remember(subject, key)
            visit.erased |= erased
            self.forget(erased)

    def _remember(self, subject: str, key: bytes) -> Sealer:
        sealer = Sealer(key)
        self._sealers[subject] = (sealer, monotonic() + self._trusted_s)
        self._sealers.move_to_end(subject)
        if len(self._sealers) > self._capacity:
            self._sealers.popitem(last=False)
        return sealer


def _batches(subjects: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(subjects), STATEMENT_MAX):
        yield subjects[start : start + STATEMENT_MAX]
