"""The queue in PostgreSQL."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import json
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.message import FINAL, Held, Message, Reason, State

COLUMNS: Final = (
    "id, customer_id, part, campaign, run, template, arm, purpose, cause, caused_at, created_at, expires_at,"
    " program_version, context, state, reason, due_at, channel, attempts, sent_at, withdrawn, holds, begun_at"
)
REMEMBERED: Final = timedelta(days=30)
"""How long it is known that a run was withdrawn: longer than any message of it waits to be asked for."""

_CAUSES = text("""
    SELECT customer_id, cause, id FROM deliveries.messages
    WHERE cause = ANY(CAST(:causes AS text[])) AND state <> 'skipped'
    """)
_ADD = text("""
    INSERT INTO deliveries.messages (id, customer_id, part, campaign, run, template, arm, purpose, cause, caused_at,
        created_at, expires_at, program_version, context, state, reason, due_at, attempts, settled_at)
    SELECT id, customer, part, campaign, run, template, arm, purpose, cause, caused_at, :now, expires_at, version,
        context, state, reason, due_at, 0, CASE WHEN due_at IS NULL THEN CAST(:now AS timestamptz) END
    FROM unnest(CAST(:ids AS text[]), CAST(:customers AS text[]), CAST(:parts AS text[]),
        CAST(:campaigns AS text[]), CAST(:runs AS text[]), CAST(:templates AS text[]), CAST(:arms AS text[]),
        CAST(:purposes AS text[]), CAST(:causes AS text[]), CAST(:caused AS timestamptz[]),
        CAST(:expires AS timestamptz[]), CAST(:versions AS int[]), CAST(:contexts AS text[]),
        CAST(:states AS text[]), CAST(:reasons AS text[]), CAST(:due AS timestamptz[]))
        AS w(id, customer, part, campaign, run, template, arm, purpose, cause, caused_at, expires_at, version, context,
            state, reason, due_at)
    ON CONFLICT (id) DO NOTHING
    """)
# What a sender has at the moment is told when it is looked at again. Rows of messages are locked in the order of their
# ids, here as everywhere.
_WITHDRAW = text("""
    WITH theirs AS (
        SELECT id FROM deliveries.messages
        WHERE run = ANY(CAST(:runs AS text[])) AND run <> '' AND due_at IS NOT NULL ORDER BY id FOR UPDATE
    )
    UPDATE deliveries.messages m
    SET withdrawn = true, due_at = CASE WHEN state = 'sending' THEN due_at ELSE least(due_at, :now) END
    FROM theirs t WHERE m.id = t.id
    """)
# Customers' partitions are not read in step: after a merge a run may be withdrawn before its message is asked for.
_REMEMBER = text("""
    INSERT INTO deliveries.withdrawn_runs (run, at)
    SELECT run, :now FROM unnest(CAST(:runs AS text[])) AS w(run) WHERE run <> '' ORDER BY run
    ON CONFLICT (run) DO NOTHING
    """)
_FORGET = text("""
    DELETE FROM deliveries.withdrawn_runs WHERE run IN (
        SELECT run FROM deliveries.withdrawn_runs WHERE at < :before ORDER BY at LIMIT 1000 FOR UPDATE SKIP LOCKED)
    """)
# In the order of the index of what waits; what is held again meanwhile comes up once more at most.
_WAKE = text(f"""
    WITH theirs AS (
        SELECT id, due_at FROM deliveries.messages
        WHERE due_at >= :at AND (due_at, id) > (CAST(:at AS timestamptz), CAST(:id AS text)) AND state = 'held'
            AND reason IN ('{Reason.ANGRY_TICKET}', '{Reason.QUIET_HOURS}', '{Reason.TOO_OFTEN}')
        ORDER BY due_at, id LIMIT :limit FOR UPDATE SKIP LOCKED
    ), woken AS (
        UPDATE deliveries.messages m SET due_at = :now FROM theirs t WHERE m.id = t.id
    )
    SELECT due_at, id FROM theirs ORDER BY due_at DESC, id DESC LIMIT 1
    """)  # noqa: S608  # names of our own
_context = json.Decoder(dict[str, Any])
_holds = json.Decoder(list[Held])


class PostgresMessages:
    """Implements what `application.queueing` asks for."""

    async def causes(
        self, connection: AsyncConnection, causes: Collection[str]
    ) -> dict[tuple[str, str], str]:
        """See `Messages.causes`."""
        rows = await connection.execute(_CAUSES, {"causes": list(causes)})
        return {(customer_id, cause): id_ for customer_id, cause, id_ in rows}

    async def add(self, connection: AsyncConnection, messages: Sequence[Message]) -> None:
        """See `Messages.add`."""
        if not messages:
            return
        bound = {
            "ids": [message.id for message in messages],
            "customers": [message.customer_id for message in messages],
            "parts": [message.part for message in messages],
            "campaigns": [message.campaign for message in messages],
            "runs": [message.run for message in messages],
            "templates": [message.template for message in messages],
            "arms": [message.arm for message in messages],
            "purposes": [message.purpose.value for message in messages],
            "causes": [message.cause for message in messages],
            "caused": [message.caused_at for message in messages],
            "expires": [message.expires_at for message in messages],
            "versions": [message.program_version for message in messages],
            "contexts": [
                "{}" if message.state in FINAL else _encoded(message.context) for message in messages
            ],
            "now": messages[0].created_at,
        }
        await connection.execute(_ADD, bound | states(messages))

    async def withdraw(self, connection: AsyncConnection, runs: Collection[str], now: datetime) -> None:
        """See `Messages.withdraw`."""
        await connection.execute(_WITHDRAW, {"runs": list(runs), "now": now})
        await connection.execute(_REMEMBER, {"runs": list(runs), "now": now})
        await connection.execute(_FORGET, {"before": now - REMEMBERED})

    async def wake(
        self, connection: AsyncConnection, after: tuple[datetime, str], limit: int, now: datetime
    ) -> tuple[datetime, str] | None:
        """Let messages that limits hold beyond `after` (when they are due, and their id) be looked at now, so many;
        answers the last one, None when there was none."""
        bound = {"at": after[0], "id": after[1], "limit": limit, "now": now}
        row = (await connection.execute(_WAKE, bound)).first()
        return None if row is None else (row.due_at, row.id)


def _encoded(context: dict[str, Any]) -> str:
    return json.encode(context).decode()


def message_of(row: Any) -> Message:
    """A message from a row of `COLUMNS`."""
    *head, context, state, reason, due_at, channel, attempts, sent_at, withdrawn, holds, begun_at = row
    id_, customer_id, part, campaign, run, template, arm, purpose, cause, *moments, version = head
    caused_at, created_at, expires_at = moments
    return Message(
        id=id_,
        customer_id=customer_id,
        part=part,
        campaign=campaign,
        run=run,
        template=template,
        arm=arm,
        purpose=Purpose(purpose),
        cause=cause,
        caused_at=caused_at,
        created_at=created_at,
        expires_at=expires_at,
        program_version=version,
        context=_context.decode(context),
        state=State(state),
        reason=Reason(reason) if reason is not None else None,
        due_at=due_at,
        channel=Channel(channel) if channel is not None else None,
        attempts=attempts,
        sent_at=sent_at,
        withdrawn=withdrawn,
        holds=tuple(_holds.decode(holds)),
        begun_at=begun_at,
    )


def states(messages: Sequence[Message]) -> dict[str, Any]:
    """Their states, as columns."""
    assert all((message.due_at is None) == (message.state in FINAL) for message in messages)
    return {
        "states": [message.state.value for message in messages],
        "reasons": [message.reason.value if message.reason else None for message in messages],
        "due": [message.due_at for message in messages],
    }
