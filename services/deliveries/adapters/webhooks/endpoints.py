"""The endpoints, in `webhook_endpoints`. Their secrets rest sealed, each for its own endpoint."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.webhooks.endpoint import Endpoint
from shared.alerts.alert import NewAlert
from shared.alerts.raising import raise_alerts
from shared.vault.seal import Sealer
from shared.vault.secret import Secret, derive

ENDPOINTS_MAX = 2_000
"""Of one installation."""

LISTENERS_FORGOTTEN_S = 600
"""A listener that has not asked for so long is gone."""

DISABLED: Final = "webhook-disabled"
"""The kind of the alert that an endpoint was disabled."""

_COLUMNS = (
    "id, url, name, description, events, secret, previous_secret, previous_until, disabled_at, reason,"
    " failing_since, created_at, seen_at"
)
_ALL = text(
    f"SELECT {_COLUMNS} FROM deliveries.webhook_endpoints WHERE deleted_at IS NULL ORDER BY created_at, id"  # noqa: S608
)
_ONE = text(
    f"SELECT {_COLUMNS} FROM deliveries.webhook_endpoints WHERE id = :id AND deleted_at IS NULL"  # noqa: S608
)
_LOCKED = text(f"{_ONE.text} FOR UPDATE")
_ADD = text("""
    INSERT INTO deliveries.webhook_endpoints (id, url, name, description, events, secret, created_at, created_by,
        seen_at)
    SELECT :id, :url, CAST(:name AS text), :description, CAST(:events AS text[]), CAST(:secret AS bytea),
        CAST(:now AS timestamptz), :actor, CAST(:seen AS timestamptz)
    WHERE NOT EXISTS (
            SELECT FROM deliveries.webhook_endpoints WHERE name = CAST(:name AS text) AND deleted_at IS NULL)
        AND (SELECT count(*) FROM deliveries.webhook_endpoints WHERE deleted_at IS NULL) < :most
    ON CONFLICT DO NOTHING RETURNING id
    """)
_CHANGE = text("""
    UPDATE deliveries.webhook_endpoints SET url = :url, name = :name, description = :description,
        events = CAST(:events AS text[]), disabled_at = :disabled_at, reason = :reason, failing_since = :failing_since
    WHERE id = :id
    """)
_SECRETS = text("""
    UPDATE deliveries.webhook_endpoints SET secret = :secret, previous_secret = :previous, previous_until = :until
    WHERE id = :id
    """)
_REMOVE = text(
    "UPDATE deliveries.webhook_endpoints SET deleted_at = :now WHERE id = :id AND deleted_at IS NULL RETURNING id"
)
_HOLD = text("""
    UPDATE deliveries.webhook_messages SET state = 'held', due_at = NULL
    WHERE endpoint_id = ANY(CAST(:ids AS text[])) AND state = 'waiting'
    """)
_FAILING = text("""
    UPDATE deliveries.webhook_endpoints SET failing_since = :now
    WHERE id = ANY(CAST(:ids AS text[])) AND failing_since IS NULL
    """)
_WORKING = text("""
    UPDATE deliveries.webhook_endpoints SET failing_since = NULL
    WHERE id = ANY(CAST(:ids AS text[])) AND failing_since IS NOT NULL
    """)
_DISABLE = text("""
    UPDATE deliveries.webhook_endpoints e SET disabled_at = :now, reason = w.reason
    FROM unnest(CAST(:ids AS text[]), CAST(:reasons AS text[])) AS w(id, reason)
    WHERE e.id = w.id AND e.disabled_at IS NULL AND e.deleted_at IS NULL
        AND (w.reason <> 'failing' OR e.failing_since <= :before)
    RETURNING e.id, e.name, e.reason, e.failing_since
    """)
_FORGET_LISTENERS = text("""
    UPDATE deliveries.webhook_endpoints SET deleted_at = :now
    WHERE url IS NULL AND deleted_at IS NULL AND seen_at < :before
    """)


class TakenNameError(Exception):
    """Another endpoint has this name."""


class TooManyEndpointsError(Exception):
    """There are `ENDPOINTS_MAX` already."""


class PostgresEndpoints:
    """Reads and writes endpoints. Raises `SecretError` when the installation's secret is no good."""

    def __init__(self, secret: Secret) -> None:
        self._sealer = Sealer(derive(secret, "webhook-secrets"))

    async def all(self, connection: AsyncConnection) -> list[Endpoint]:
        """Every endpoint that was not deleted, the oldest first."""
        return [self._endpoint(row) for row in (await connection.execute(_ALL)).mappings()]

    async def one(self, connection: AsyncConnection, id_: str) -> Endpoint | None:
        """One that was not deleted."""
        row = (await connection.execute(_ONE, {"id": id_})).mappings().one_or_none()
        return None if row is None else self._endpoint(row)

    async def locked(self, connection: AsyncConnection, id_: str) -> Endpoint | None:
        """One, its row locked until the transaction ends."""
        row = (await connection.execute(_LOCKED, {"id": id_})).mappings().one_or_none()
        return None if row is None else self._endpoint(row)

    async def add(self, connection: AsyncConnection, endpoint: Endpoint, actor: str) -> None:
        """Keep a new one. Raises `TakenNameError`, `TooManyEndpointsError`."""
        bound = self._bound(endpoint) | {
            "secret": self._seal(endpoint.id, endpoint.secret),
            "now": endpoint.created_at,
            "actor": actor,
            "seen": endpoint.seen_at,
            "most": ENDPOINTS_MAX,
        }
        wanted = {key: bound[key] for key in _ADD_KEYS}
        if (await connection.execute(_ADD, wanted)).first() is None:
            if endpoint.name is not None and await self._is_taken(connection, endpoint.name):
                raise TakenNameError
            raise TooManyEndpointsError

    async def change(self, connection: AsyncConnection, endpoint: Endpoint) -> None:
        """Write what can be changed of one that is locked. Raises `TakenNameError`."""
        if endpoint.name is not None and await self._is_taken(connection, endpoint.name, but=endpoint.id):
            raise TakenNameError
        await connection.execute(_CHANGE, self._bound(endpoint))
        if not endpoint.enabled:
            await connection.execute(_HOLD, {"ids": [endpoint.id]})

    async def rotate(
        self, connection: AsyncConnection, endpoint: Endpoint, secret: bytes, until: datetime | None
    ) -> None:
        """Sign one that is locked with a new secret, and until `until` with the one before too (None: not at all)."""
        await connection.execute(
            _SECRETS,
            {
                "id": endpoint.id,
                "secret": self._seal(endpoint.id, secret),
                "previous": None if until is None else self._seal(endpoint.id, endpoint.secret),
                "until": until,
            },
        )

    async def remove(self, connection: AsyncConnection, id_: str, now: datetime) -> bool:
        """Delete one; whether there was one. Its messages go with it, by and by."""
        return (await connection.execute(_REMOVE, {"id": id_, "now": now})).first() is not None

    async def forget_listeners(self, connection: AsyncConnection, now: datetime, before: datetime) -> None:
        """Delete the listeners that have not asked since `before`."""
        await connection.execute(_FORGET_LISTENERS, {"now": now, "before": before})

    async def note_health(
        self, connection: AsyncConnection, *, working: Sequence[str], failing: Sequence[str], now: datetime
    ) -> None:
        """Note that these endpoints work again, or have begun to fail."""
        if working:
            await connection.execute(_WORKING, {"ids": sorted(working)})
        if failing:
            await connection.execute(_FAILING, {"ids": sorted(failing), "now": now})

    async def disable(
        self, connection: AsyncConnection, reasons: Mapping[str, str], now: datetime, before: datetime
    ) -> list[str]:
        """Disable endpoints, hold what waits for them, and raise an alert for each; those that were enabled till now.
        One that is `failing` only if it has been so since `before`."""
        if not reasons:
            return []
        ids = sorted(reasons)
        bound = {"ids": ids, "reasons": [reasons[id_] for id_ in ids], "now": now, "before": before}
        rows = list((await connection.execute(_DISABLE, bound)).mappings())
        if rows:
            gone = [str(row["id"]) for row in rows]
            await connection.execute(_HOLD, {"ids": gone})
            await raise_alerts(connection, [_alert(row, now) for row in rows])
            return gone
        return []

    def seal_answer(self, answer: bytes) -> bytes:
        """An answer that shows a secret, as it may be kept for whoever asks again."""
        return self._sealer.seal(answer, b"answer")

    def unseal_answer(self, sealed: bytes) -> bytes:
        """What was answered."""
        return self._sealer.unseal(sealed, b"answer")

    async def _is_taken(self, connection: AsyncConnection, name: str, but: str = "") -> bool:
        taken = text(
            "SELECT id FROM deliveries.webhook_endpoints WHERE name = :name AND id <> :but AND deleted_at IS NULL"
        )
        return (await connection.execute(taken, {"name": name, "but": but})).first() is not None

    def _bound(self, endpoint: Endpoint) -> dict[str, Any]:
        return {
            "id": endpoint.id,
            "url": endpoint.url,
            "name": endpoint.name,
            "description": endpoint.description,
            "events": list(endpoint.events),
            "disabled_at": endpoint.disabled_at,
            "reason": endpoint.reason,
            "failing_since": endpoint.failing_since,
        }

    def _endpoint(self, row: RowMapping) -> Endpoint:
        previous = row["previous_secret"]
        return Endpoint(
            **{
                **row,
                "events": tuple(row["events"]),
                "secret": self._unseal(row["id"], row["secret"]),
                "previous_secret": None if previous is None else self._unseal(row["id"], previous),
            }
        )

    def _seal(self, id_: str, secret: bytes) -> bytes:
        return self._sealer.seal(secret, id_.encode())

    def _unseal(self, id_: str, sealed: bytes) -> bytes:
        return self._sealer.unseal(sealed, id_.encode())


_ADD_KEYS = ("id", "url", "name", "description", "events", "secret", "now", "actor", "seen", "most")


def _alert(row: RowMapping, now: datetime) -> NewAlert:
    return NewAlert(
        kind=DISABLED,
        cause=f"{row['id']}/{now.isoformat()}",
        at=now,
        subject=f"webhook:{row['id']}",
        details={"endpoint": row["id"], "name": row["name"], "reason": row["reason"]}
        | ({"failing_since": row["failing_since"].isoformat()} if row["failing_since"] else {}),
    )
