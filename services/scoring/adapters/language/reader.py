"""Reads the texts of events as they are taken in: unseals them, reads them, and lets go of them."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from prometheus_client import Counter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.adapters.events.personal import PersonalData
from services.scoring.adapters.language.engines import EngineError, is_sentiment
from services.scoring.domain.event import Event
from services.scoring.domain.language.read import SentimentEngine, read
from services.scoring.domain.language.reading import Reading
from services.scoring.domain.texts import may_speak, texts_of, to_read_again

READ = Counter("regulars_texts_read_total", "Events whose texts were read.")
FAILURES = Counter("regulars_sentiment_failures_total", "Texts that the sentiment engine failed on.")

_NOTE = text("""
    INSERT INTO scoring.text_engine (id, engine, noted_at) VALUES (1, :engine, :now)
    ON CONFLICT (id) DO UPDATE SET engine = excluded.engine, noted_at = excluded.noted_at
    """)
_NOTED = text("SELECT engine FROM scoring.text_engine WHERE id = 1")

log = structlog.get_logger()


class TextReader:
    """`Reader` on the vault and a sentiment engine."""

    def __init__(self, personal: PersonalData, engine: SentimentEngine) -> None:
        self._personal = personal
        self._engine = _Careful(engine)

    @property
    def engine(self) -> str:
        """The name of the engine, with its version."""
        return self._engine.name

    async def note_engine(self, connection: AsyncConnection, now: datetime) -> None:
        """A worker that starts reads by this engine from now on, and so will those beside it: one setting for all."""
        await connection.execute(_NOTE, {"engine": self.engine, "now": now})

    async def need_same_engine(self, connection: AsyncConnection) -> None:
        """Raise `EngineError` where the workers read by another engine: what they read meanwhile, and from then on,
        would be measured by another ruler than what a rebuild reads again."""
        theirs = await connection.scalar(_NOTED)
        if theirs is not None and theirs != self.engine:
            raise EngineError(
                f"The workers of scoring read texts by the engine {theirs!r}, this rebuild would by {self.engine!r}."
                " Set REGULARS_SENTIMENT here as it is for them; or, to change it, start them with the new one first."
            )

    def outdated(self, events: Iterable[Event]) -> list[Event]:
        """Those that another engine, or an earlier edition of our rules, has read; and those that nobody could."""
        return [event for event in events if to_read_again(event, self._engine.name)]

    async def read(self, connection: AsyncConnection, events: Sequence[Event]) -> dict[str, Reading | None]:
        """By event key, what the texts say; None where they say nothing that could be read. Left out: events that
        cannot have any, and of erased subjects."""
        speaking = [event for event in events if may_speak(event)]
        if not speaking:
            return {}
        opened = await self._personal.of(connection, speaking)
        texts = {event.key: texts_of(event, opened[event.key]) for event in speaking if event.key in opened}
        return await asyncio.to_thread(
            self._readings, texts
        )  # the event loop has heartbeats to send meanwhile

    def _readings(self, texts: dict[str, dict[str, str]]) -> dict[str, Reading | None]:
        readings = {key: read(fields, self._engine) if fields else None for key, fields in texts.items()}
        READ.inc(sum(reading is not None for reading in readings.values()))
        return readings


class _Careful:
    """An engine that somebody else wrote, and that must not hold up the stream."""

    def __init__(self, engine: SentimentEngine) -> None:
        self._engine = engine
        self.name = engine.name

    def sentiment(self, text: str) -> int | None:
        """What it says; None when it fails or says what it may not."""
        try:
            said = self._engine.sentiment(text)
        except Exception as error:  # noqa: BLE001  # whatever it raises: the event counts all the same
            FAILURES.inc()
            log.warning("sentiment_engine_failed", engine=self.name, reason=type(error).__name__)
            return None
        if said is not None and not is_sentiment(said):
            FAILURES.inc()
            log.warning("sentiment_engine_failed", engine=self.name, reason="not a sentiment")
            return None
        return said
