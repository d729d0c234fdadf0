"""How a message goes on: in which order those of one customer are looked at, and its state after each decision and each
answer of a provider."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from services.deliveries.domain.channels import Purpose
from services.deliveries.domain.messages.deciding import Decision, Hold, Send, is_late
from services.deliveries.domain.messages.message import Held, Message, Reason, State
from services.deliveries.domain.providers.answers import Receipt, Refused, Sent

LEASE: Final = timedelta(minutes=5)
"""How long a sender has a message before somebody else may have it: much longer than any provider takes."""

HOLDS_MAX: Final = 20
"""Times of waiting that are remembered of a message."""

NOT_RENDERED: Final = "not_rendered"
"""The code with which a sender refuses a message whose words cannot be made."""


def turn(message: Message, now: datetime) -> tuple[bool, float]:
    """The sort key by which a customer's due messages are looked at: service before marketing.

    Of each the late ones come first, the newest of them before the others since it is the least stale; then those in
    time, by when their causes happened.
    """
    assert message.due_at is not None
    moment = message.caused_at.timestamp()
    return (message.purpose is not Purpose.SERVICE, -moment if is_late(message, now) else moment)


def overtaken(due: Sequence[Message], now: datetime) -> set[str]:
    """Late messages that say what a newer one says too."""
    newest: dict[tuple[str, str], Message] = {}
    for message in due:
        key = message.campaign, message.template
        if key not in newest or (message.caused_at, message.id) > (newest[key].caused_at, newest[key].id):
            newest[key] = message
    return {
        message.id
        for message in due
        if is_late(message, now)
        and message.attempts == 0
        and newest[message.campaign, message.template].id != message.id
    }


def after(message: Message, decision: Decision | None, now: datetime) -> Message:
    """The message as a decision leaves it. `decision` None: it is skipped, because a newer one says the same."""
    if isinstance(decision, Send):
        return replace(
            message,
            state=State.SENDING,
            reason=None,
            due_at=now + LEASE,
            channel=decision.contact.channel,
            attempts=message.attempts + 1,
        )
    if isinstance(decision, Hold) and message.begun_at is not None:
        return replace(message, due_at=decision.until)  # it is with a provider, perhaps, and stays so
    if isinstance(decision, Hold):
        holds = _held(message, decision, now)
        return replace(message, state=State.HELD, reason=decision.reason, due_at=decision.until, holds=holds)
    reason = Reason.NEWER_MESSAGE if decision is None else decision.reason
    if reason is Reason.NO_CONTACT and message.attempts:
        return replace(message, state=State.FAILED, reason=Reason.REFUSED, due_at=None)
    state = State.FAILED if reason is Reason.GAVE_UP else State.SKIPPED
    return replace(message, state=state, reason=reason, due_at=None, begun_at=None)


def _held(message: Message, hold: Hold, now: datetime) -> tuple[Held, ...]:
    last = message.holds[-1] if message.holds else None
    if last is not None and last.reason is hold.reason and message.state is State.HELD:
        return (*message.holds[:-1], replace(last, until=hold.until))
    return (*message.holds, Held(hold.reason, now, hold.until))[-HOLDS_MAX:]


def became(message: Message, receipt: Receipt, retry_at: datetime | None, now: datetime) -> Message:
    """The message as its provider's answer leaves it. After `Again` it is tried at `retry_at`; None: given up."""
    if isinstance(receipt, Sent):
        return replace(message, state=State.SENT, reason=None, due_at=None, sent_at=now)
    if isinstance(receipt, Refused):
        if receipt.suppress:  # perhaps it can go by another channel
            return replace(message, state=State.WAITING, reason=Reason.RETRY, due_at=now)
        reason = Reason.NOT_RENDERED if receipt.code == NOT_RENDERED else Reason.REFUSED
        return replace(message, state=State.FAILED, reason=reason, due_at=None)
    if retry_at is None:
        return replace(message, state=State.FAILED, reason=Reason.GAVE_UP, due_at=None)
    if message.begun_at is not None:
        # Handed over twice, and only the second time was answered: it goes again as it was.
        return replace(message, due_at=retry_at, attempts=message.attempts - receipt.down)
    hold = Hold(Reason.PROVIDER_DOWN if receipt.down else Reason.RETRY, retry_at)
    return replace(
        message,
        state=State.HELD,
        reason=hold.reason,
        due_at=retry_at,
        attempts=message.attempts - receipt.down,
        holds=_held(message, hold, now),
    )
