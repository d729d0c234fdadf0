"""How a message goes on: what is looked at first, what a newer one says too, and states that end for good."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.channels import Purpose
from services.deliveries.domain.messages.deciding import Decision, Hold, Send, Skip
from services.deliveries.domain.messages.message import FINAL, Held, Message, Reason, State
from services.deliveries.domain.messages.progress import HOLDS_MAX, LEASE, after, became, overtaken, turn
from services.deliveries.domain.providers.answers import Again, Receipt, Refused, Sent
from tests.unit.deliveries.messages.test_deciding import ANA, MESSAGE, NOON, SMS

RECEIPTS: list[Receipt] = [
    Sent(),
    Refused("policy"),
    Refused("dead", suppress=True),
    Refused("not_rendered"),
    Again("busy"),
    Again("away", down=True),
]


HOUR = timedelta(hours=1)
NIGHT = Hold(Reason.QUIET_HOURS, NOON + HOUR)
TRIED = replace(MESSAGE, attempts=2)
BEGUN = replace(TRIED, state=State.SENDING, due_at=NOON - HOUR, begun_at=NOON - HOUR)


@pytest.mark.parametrize(
    ("message", "decision", "then"),
    [
        (
            replace(TRIED, state=State.HELD, reason=Reason.RETRY),
            Send(ANA.contacts[SMS]),
            {"state": State.SENDING, "reason": None, "due_at": NOON + LEASE, "channel": SMS, "attempts": 3},
        ),
        (BEGUN, NIGHT, {"due_at": NOON + HOUR}),
        (
            TRIED,
            NIGHT,
            {
                "state": State.HELD,
                "reason": Reason.QUIET_HOURS,
                "due_at": NOON + HOUR,
                "holds": (Held(Reason.QUIET_HOURS, NOON, NOON + HOUR),),
            },
        ),
        (TRIED, None, {"state": State.SKIPPED, "reason": Reason.NEWER_MESSAGE, "due_at": None}),
        (
            BEGUN,
            Skip(Reason.ERASED),
            {"state": State.SKIPPED, "reason": Reason.ERASED, "due_at": None, "begun_at": None},
        ),
        (
            BEGUN,
            Skip(Reason.GAVE_UP),
            {"state": State.FAILED, "reason": Reason.GAVE_UP, "due_at": None, "begun_at": None},
        ),
        (
            MESSAGE,
            Skip(Reason.NO_CONTACT),
            {"state": State.SKIPPED, "reason": Reason.NO_CONTACT, "due_at": None},
        ),
        # Its address was there when it was tried: that it is gone is what the provider said of it.
        (
            TRIED,
            Skip(Reason.NO_CONTACT),
            {"state": State.FAILED, "reason": Reason.REFUSED, "due_at": None},
        ),
    ],
)
def test_a_decision_changes_this_and_nothing_else(
    message: Message, decision: Decision | None, then: dict[str, Any]
) -> None:
    assert after(message, decision, NOON) == replace(message, **then)


SENDING = replace(TRIED, state=State.SENDING, due_at=NOON + LEASE)


@pytest.mark.parametrize(
    ("message", "receipt", "retry_at", "then"),
    [
        (
            replace(SENDING, reason=Reason.RETRY),
            Sent(),
            None,
            {"state": State.SENT, "reason": None, "due_at": None, "sent_at": NOON},
        ),
        (
            SENDING,
            Refused("dead", suppress=True),
            None,
            {"state": State.WAITING, "reason": Reason.RETRY, "due_at": NOON},
        ),
        (
            SENDING,
            Refused("policy"),
            None,
            {"state": State.FAILED, "reason": Reason.REFUSED, "due_at": None},
        ),
        (
            SENDING,
            Refused("not_rendered"),
            None,
            {"state": State.FAILED, "reason": Reason.NOT_RENDERED, "due_at": None},
        ),
        (SENDING, Again("busy"), None, {"state": State.FAILED, "reason": Reason.GAVE_UP, "due_at": None}),
        (
            SENDING,
            Again("busy"),
            NOON + HOUR,
            {
                "state": State.HELD,
                "reason": Reason.RETRY,
                "due_at": NOON + HOUR,
                "holds": (Held(Reason.RETRY, NOON, NOON + HOUR),),
            },
        ),
        (
            SENDING,
            Again("away", down=True),
            NOON + HOUR,
            {
                "state": State.HELD,
                "reason": Reason.PROVIDER_DOWN,
                "due_at": NOON + HOUR,
                "attempts": 1,
                "holds": (Held(Reason.PROVIDER_DOWN, NOON, NOON + HOUR),),
            },
        ),
        (BEGUN, Again("busy"), NOON + HOUR, {"due_at": NOON + HOUR}),
        (BEGUN, Again("away", down=True), NOON + HOUR, {"due_at": NOON + HOUR, "attempts": 1}),
    ],
)
def test_an_answer_changes_this_and_nothing_else(
    message: Message, receipt: Receipt, retry_at: datetime | None, then: dict[str, Any]
) -> None:
    assert became(message, receipt, retry_at, NOON) == replace(message, **then)


def test_a_time_of_waiting_goes_on_only_for_the_same_reason_and_while_it_is_held() -> None:
    """Given a message that waits; when it is held again, for the same reason, another one, or after it was tried; then
    the time of waiting goes on, or another one begins."""
    first, later = NOON + HOUR, NOON + 2 * HOUR
    held = after(MESSAGE, NIGHT, NOON)

    again = after(held, Hold(Reason.QUIET_HOURS, later), first)
    other = after(held, Hold(Reason.TOO_OFTEN, later), first)
    tried = after(replace(held, state=State.SENDING), Hold(Reason.QUIET_HOURS, later), first)

    night = Held(Reason.QUIET_HOURS, NOON, first)
    assert again.holds == (Held(Reason.QUIET_HOURS, NOON, later),)
    assert other.holds == (night, Held(Reason.TOO_OFTEN, first, later))
    assert tried.holds == (night, Held(Reason.QUIET_HOURS, first, later))


@given(receipt=st.sampled_from(RECEIPTS), retry=st.booleans(), attempts=st.integers(1, 16))
def test_what_is_final_is_due_no_more_and_all_else_comes_up_again(
    receipt: Receipt, retry: bool, attempts: int
) -> None:
    """Given any answer of a provider; when it is noted; then the message is final, or has a moment at which it is
    looked at; an outage of the provider costs none of its attempts."""
    sending = replace(MESSAGE, state=State.SENDING, attempts=attempts)
    then = became(sending, receipt, NOON if retry else None, NOON)

    assert (then.due_at is None) == (then.state in FINAL)
    if isinstance(receipt, Again) and retry:
        assert then.attempts == attempts - receipt.down


def test_of_what_is_held_again_and_again_the_last_times_are_remembered() -> None:
    """Given a message that other limits hold in turn; when that is often; then the last of them are remembered; the
    same limit again only moves its end."""
    held = MESSAGE
    for number in range(HOLDS_MAX + 5):
        reason = Reason.QUIET_HOURS if number % 2 else Reason.TOO_OFTEN
        held = after(held, Hold(reason, NOON + timedelta(hours=number)), NOON)
        held = after(held, Hold(reason, NOON + timedelta(hours=number + 1)), NOON)

    assert len(held.holds) == HOLDS_MAX
    assert held.holds[-1].until == held.due_at == NOON + timedelta(hours=HOLDS_MAX + 5)


def test_after_a_downtime_service_goes_first_and_of_the_same_words_only_the_newest() -> None:
    """Given messages that were due a day ago; when they are looked at; then service comes first, and what a newer one
    of the campaign and template says too is overtaken, unless it was tried already."""

    def late(name: str, hours: int, **more: Any) -> Message:
        at = NOON - timedelta(hours=hours)
        return replace(MESSAGE, id=name, due_at=at, caused_at=at, created_at=at, **more)

    old, new, tried = late("old", 30), late("new", 24), late("tried", 40, attempts=1)
    service = late("service", 26, purpose=Purpose.SERVICE, template="ticket")
    due = [old, new, tried, service]

    assert overtaken(due, NOON) == {"old"}
    assert [each.id for each in sorted(due, key=lambda each: turn(each, NOON))][:2] == ["service", "new"]
