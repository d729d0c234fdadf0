"""What activities tell of messages: of each thing the first time, in whatever order."""

from datetime import timedelta
from itertools import permutations

from services.rewards.domain.state.messages import Noted, earliest, noted
from tests.unit.rewards.building import NOW, activity

LATER = NOW + timedelta(hours=1)


def test_of_each_thing_the_first_time_counts() -> None:
    """Given notes of two messages in any order; when they are written together; then there is one of each message, with
    the first time of each thing."""
    notes = [Noted("b", sent=NOW), Noted("a", opened=LATER), Noted("a", opened=NOW), Noted("a", sent=LATER)]

    for order in permutations(notes):
        assert earliest(order) == [Noted("a", sent=LATER, opened=NOW), Noted("b", sent=NOW)]


def test_only_what_names_a_message_is_noted() -> None:
    """Given activities; then those about messages are noted, whatever the channel, and nothing else is."""
    push = activity("push.opened", "p", message_id="msg_1")

    assert noted(push) == Noted("msg_1", opened=NOW)
    assert noted(activity("email.sent", "e")) is None, "of another tool"
    assert noted(activity("order.completed", "o", message_id="msg_1")) is None
