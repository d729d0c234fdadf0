"""People work on alerts: somebody takes one on, and closes it with a note. The customer can hear of it."""

from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.application.events.announce import of_closed_alert
from services.scoring.application.ports import Customers, Identities, Known, Rules
from services.scoring.domain.assess import assess
from services.scoring.domain.identity.identifiers import standing_for
from shared.bus.interface import Outbox


class Alert(Struct, frozen=True, kw_only=True):
    """An alert as it is stored (see `shared.alerts`). `customer_id` is empty where it is about the shop; `note` is
    sealed under the key of `note_subject`."""

    id: str
    kind: str
    customer_id: str
    part: str | None
    subject: str
    rule: str | None
    cause: str
    program_version: int | None
    raised_at: datetime
    last_at: datetime
    times: int
    details: dict[str, Any]
    assigned_to: str | None
    assigned_at: datetime | None
    assigned_by: str | None
    closed_at: datetime | None
    closed_by: str | None
    note: bytes | None
    note_subject: str | None
    tell: bool | None


class Alerts(Protocol):
    """Alerts as they are stored."""

    async def get(self, connection: AsyncConnection, id_: str, *, lock: bool = False) -> Alert | None:
        """An alert by its id, locked if asked for."""

    async def assign(
        self, connection: AsyncConnection, id_: str, to: str | None, actor: str, now: datetime
    ) -> None:
        """Write who works on it; None: nobody."""

    async def close(
        self,
        connection: AsyncConnection,
        id_: str,
        *,
        note: bytes,
        subject: str,
        tell: bool,
        actor: str,
        now: datetime,
    ) -> None:
        """Write that it is closed."""


class Notes(Protocol):
    """Notes on alerts, which may speak of a person."""

    async def seal(
        self, connection: AsyncConnection, subject: str, alert_id: str, note: str, now: datetime
    ) -> bytes:
        """Seal a note under a subject's key. Raises `SubjectErasedError`."""

    async def read(self, connection: AsyncConnection, alerts: list[Alert]) -> dict[str, str]:
        """The notes by the alerts' ids; those that cannot be read any more are missing."""


class Find(Protocol):
    """Finds customers by our ids, wherever merges have led them."""

    async def find(self, connection: AsyncConnection, ref: str) -> Known | None:
        """The customer; None if nobody goes by it."""


class AlertClosedError(Exception):
    """Somebody closed it before, with other words."""


class NobodyToTellError(Exception):
    """The alert is about nobody who could be told."""


class Closing:
    """The use cases, each in the caller's transaction."""

    def __init__(
        self,
        *,
        alerts: Alerts,
        notes: Notes,
        profiles: Find,
        identities: Identities,
        customers: Customers,
        rules: Rules,
        outbox: Outbox,
    ) -> None:
        self._alerts = alerts
        self._notes = notes
        self._profiles = profiles
        self._identities = identities
        self._customers = customers
        self._rules = rules
        self._outbox = outbox

    async def assign(
        self, connection: AsyncConnection, id_: str, to: str | None, *, actor: str, now: datetime
    ) -> Alert | None:
        """Let `to` work on an alert (None: nobody); None if there is no such alert. Whoever works on it already goes on
        doing so. Raises `AlertClosedError`."""
        alert = await self._alerts.get(connection, id_, lock=True)
        if alert is None or alert.assigned_to == to:
            return alert
        if alert.closed_at is not None:
            raise AlertClosedError
        await self._alerts.assign(connection, id_, to, actor, now)
        return await self._alerts.get(connection, id_)

    async def close(
        self, connection: AsyncConnection, id_: str, note: str, *, tell: bool, actor: str, now: datetime
    ) -> Alert | None:
        """Close an alert; None if there is no such. With `tell`, the activity stream says so, upon which a campaign can
        write to the customer. The same again changes nothing.

        Raises:
            AlertClosedError: It was closed before, with another note, or the customer was to be told otherwise.
            NobodyToTellError: `tell`, and the customer is not known.
            SubjectErasedError: The customer was erased.
        """
        alert = await self._alerts.get(connection, id_, lock=True)
        if alert is None:
            return None
        if alert.closed_at is not None:
            before = (await self._notes.read(connection, [alert])).get(id_)
            if (before, alert.tell) != (note, tell):
                raise AlertClosedError
            return alert
        if tell:
            await self._rules.hold(connection)  # nobody is merged by people, nor rules changed, meanwhile
        known = await self._profiles.find(connection, alert.customer_id) if alert.customer_id else None
        if tell and known is None:
            raise NobodyToTellError
        subject = await self._subject(connection, alert, known)
        sealed = await self._notes.seal(connection, subject, id_, note, now)
        await self._alerts.close(
            connection, id_, note=sealed, subject=subject, tell=tell, actor=actor, now=now
        )
        if tell and known is not None:
            await self._tell(connection, alert, known, now)
        return await self._alerts.get(connection, id_)

    async def _subject(self, connection: AsyncConnection, alert: Alert, known: Known | None) -> str:
        """Under whose key the note rests: erasing the customer erases it. What is about nobody has a key of its own."""
        if known is None:
            return alert.id
        members = await self._identities.members(connection, [known.id])
        return standing_for(alert.part or alert.customer_id, members) if members else alert.id

    async def _tell(self, connection: AsyncConnection, alert: Alert, known: Known, now: datetime) -> None:
        settings = await self._rules.current(connection)
        stored = (await self._customers.lock(connection, [known.id])).get(known.id)
        state = known.state if stored is None else stored.state  # gone since: rewards knows where to
        facts = assess(state, now, settings).facts
        data = {
            "kind": alert.kind,
            "alert_id": alert.id,
            "campaign": alert.rule,
            "days": (now - alert.raised_at).days,
        }
        part = alert.part or alert.customer_id
        await self._outbox.append(connection, [of_closed_alert(known.id, part, data, facts, now)])
