"""How a message goes on: what is looked at first, what a newer one says too, and states that end for good."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.channels import Purpose
from services.deliveries.domain.deciding import Hold
from services.deliveries.domain.message import FINAL, Message, Reason, State
from services.deliveries.domain.progress import HOLDS_MAX, after, became, overtaken, turn
from services.deliveries.domain.providers.answers import Again, Receipt, Refused, Sent
from tests.unit.deliveries.test_deciding import MESSAGE, NOON

RECEIPTS: list[Receipt] = [
    Sent(),
    Refused("policy"),
    Refused("dead", suppress=True),
    Refused("not_rendered"),
    Again("busy"),
    Again("away", down=True),
]


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
