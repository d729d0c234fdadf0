"""Unknown codes that a customer tries: after so many within a while no code of theirs is looked at.

A code that is tried again and again is one attempt: a cart that is shown again guesses nothing. Attempts that come at
the same moment may all be looked at; there are no more of them than the service has connections.
"""

from datetime import datetime, timedelta
from hashlib import blake2b
from math import ceil

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

FAILURES_MAX = 10
WINDOW = timedelta(minutes=15)
FORGET_MAX = 10
"""Old rows that go whenever one is written: more than come, so none stay."""

_SINCE = text(
    "SELECT since FROM rewards.code_attempts WHERE subject = :subject AND since > :open AND failures >= :most"
)
_FAILED = text("""
    INSERT INTO rewards.code_attempts (subject, since, failures, last) VALUES (:subject, :now, 1, :code)
    ON CONFLICT (subject) DO UPDATE SET
        since = CASE WHEN code_attempts.since <= :open THEN excluded.since ELSE code_attempts.since END,
        failures = CASE WHEN code_attempts.since <= :open THEN 1
            ELSE code_attempts.failures + (code_attempts.last <> excluded.last)::int END,
        last = excluded.last
    """)
_FORGET = text("""
    DELETE FROM rewards.code_attempts WHERE subject IN (SELECT subject FROM rewards.code_attempts
        WHERE since <= :open ORDER BY since LIMIT :many FOR UPDATE SKIP LOCKED)
    """)


async def wait_s(connection: AsyncConnection, subject: str, now: datetime) -> int | None:
    """For how many seconds no code of this customer is looked at; None if they may try."""
    bound = {"subject": subject, "open": now - WINDOW, "most": FAILURES_MAX}
    since = await connection.scalar(_SINCE, bound)
    return ceil((since + WINDOW - now).total_seconds()) if since is not None else None


async def failed(connection: AsyncConnection, subject: str, code: str, now: datetime) -> None:
    """The customer tried a code that there is not."""
    digest = blake2b(code.encode(), digest_size=8, person=b"regulars.try").digest()
    bound = {"subject": subject, "now": now, "open": now - WINDOW}
    await connection.execute(_FORGET, {"open": now - WINDOW, "many": FORGET_MAX})
    await connection.execute(_FAILED, {**bound, "code": digest})
