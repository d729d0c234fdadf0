"""The keys of subjects that this process uses again and again, ready to seal with."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from time import monotonic

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.postgres.faults import is_database_away
from shared.vault.seal import Sealer
from shared.vault.secret import Secret
from shared.vault.subject_keys import SubjectErasedError, SubjectKeys

CAPACITY = 100_000
"""Subjects kept: about 40 MB at the most."""

TRUSTED_S = 60.0
"""How long a key is used without asking whether it still exists: an erasure is known everywhere within a minute."""

LOOKUP_MAX = 2_000


class SubjectKeyring:
    """A bounded cache (least recently used goes first) of `Sealer`s over `SubjectKeys`.

    Requests that ask at the same time share one round trip. While the database is away, keys already known are used
    on: what is sealed under a key destroyed meanwhile cannot be read by anybody.
    """

    def __init__(
        self, engine: AsyncEngine, secret: Secret, *, capacity: int = CAPACITY, trusted_s: float = TRUSTED_S
    ) -> None:
        self._engine = engine
        self._keys = SubjectKeys(secret)
        self._capacity = capacity
        self._trusted_s = trusted_s
        self._sealers: OrderedDict[str, tuple[Sealer, float]] = OrderedDict()
        self._erased: OrderedDict[str, None] = OrderedDict()
        self._wanted: dict[str, None] = {}
        self._round: asyncio.Task[None] | None = None

    async def sealers(self, subjects: Collection[str]) -> dict[str, Sealer]:
        """A sealer for every subject; keys that do not exist yet are made and committed.

        Raises `SubjectErasedError` naming those that were erased: seal nothing for them and ask again without.
        """
        found, missing = self._cached(subjects)
        while missing:
            self._refuse_erased(missing)
            await self._look_up(missing)
            again, missing = self._cached(missing, trust_all=True)
            found |= again
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

    def _cached(
        self, subjects: Collection[str], *, trust_all: bool = False
    ) -> tuple[dict[str, Sealer], list[str]]:
        found: dict[str, Sealer] = {}
        missing: list[str] = []
        now = monotonic()
        for subject in subjects:
            entry = self._sealers.get(subject)
            if entry is not None and (trust_all or now < entry[1]):
                found[subject] = entry[0]
                self._sealers.move_to_end(subject)
            else:
                missing.append(subject)
        return found, missing

    async def _look_up(self, subjects: list[str]) -> None:
        """Have the keys of these subjects in the cache or among the erased when this returns."""
        self._wanted.update(dict.fromkeys(subjects))
        while any(subject in self._wanted for subject in subjects):
            if self._round is None or self._round.done():
                self._round = asyncio.create_task(self._run_round())
            await asyncio.shield(self._round)

    async def _run_round(self) -> None:
        batch = sorted(self._wanted)[:LOOKUP_MAX]
        try:
            keys, erased = await self._fetch(batch)
        except Exception as error:
            if not is_database_away(error) or not all(subject in self._sealers for subject in batch):
                raise
            return  # known from before: used on until the database is back
        finally:
            for subject in batch:
                self._wanted.pop(subject, None)
        for subject, key in keys.items():
            self._remember(subject, key)
        for subject in erased:
            self._sealers.pop(subject, None)
            self._erased[subject] = None
            if len(self._erased) > self._capacity:
                self._erased.popitem(last=False)

    async def _fetch(self, batch: list[str]) -> tuple[dict[str, bytes], frozenset[str]]:
        erased: frozenset[str] = frozenset()
        async with self._engine.begin() as connection:
            while True:
                try:
                    alive = [subject for subject in batch if subject not in erased]
                    return await self._keys.get_or_create(connection, alive), erased
                except SubjectErasedError as error:
                    erased |= error.subjects

    def _remember(self, subject: str, key: bytes) -> Sealer:
        sealer = Sealer(key)
        self._sealers[subject] = (sealer, monotonic() + self._trusted_s)
        self._sealers.move_to_end(subject)
        if len(self._sealers) > self._capacity:
            self._sealers.popitem(last=False)
        return sealer

    def _refuse_erased(self, subjects: Collection[str]) -> None:
        erased = [subject for subject in subjects if subject in self._erased]
        if erased:
            raise SubjectErasedError(erased)
