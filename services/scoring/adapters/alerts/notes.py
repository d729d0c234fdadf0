"""Notes on alerts: sealed under the key of whom they are about."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.alerts.closing import Alert
from shared.vault.seal import Sealer, UnsealError
from shared.vault.secret import Secret
from shared.vault.subject_keys import SubjectKeys


class SealedNotes:
    """Implements `Notes`. Notes are few: keys are asked for each time, in the caller's transaction."""

    def __init__(self, secret: Secret) -> None:
        self._keys = SubjectKeys(secret)

    async def seal(
        self, connection: AsyncConnection, subject: str, alert_id: str, note: str, now: datetime
    ) -> bytes:
        """See `Notes.seal`."""
        keys = await self._keys.get_or_create(connection, [subject], now)
        return Sealer(keys[subject]).seal(note.encode(), alert_id.encode())

    async def read(self, connection: AsyncConnection, alerts: list[Alert]) -> dict[str, str]:
        """See `Notes.read`."""
        subjects = {alert.note_subject for alert in alerts if alert.note_subject}
        keys = await self._keys.get(connection, subjects)
        opened = {}
        for alert in alerts:
            key = keys.get(alert.note_subject or "")
            if key is None or alert.note is None:
                continue
            try:
                opened[alert.id] = Sealer(key).unseal(alert.note, alert.id.encode()).decode()
            except UnsealError:  # destroyed and altered look the same: it cannot be read any more
                continue
        return opened
