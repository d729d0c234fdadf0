"""Every state and reason has its sentence."""

from dataclasses import replace

from services.deliveries.domain.channels import Channel
from services.deliveries.domain.messages.message import Reason, State
from services.deliveries.domain.messages.words import FAILED, HELD, SKIPPED, sentence
from tests.unit.deliveries.messages.test_deciding import MESSAGE, NOON


def test_every_reason_is_said_once() -> None:
    said = [*HELD, *SKIPPED, *FAILED]
    assert sorted(said) == sorted(Reason)


def test_sentences() -> None:
    held = replace(MESSAGE, state=State.HELD, reason=Reason.QUIET_HOURS)
    assert sentence(MESSAGE) == "It waits for its turn."
    assert sentence(replace(MESSAGE, state=State.SENDING)) == "A sender has it at the moment."
    begun = replace(MESSAGE, state=State.SENDING, begun_at=NOON)
    assert (
        sentence(begun)
        == "A provider may have it; unless it says so, it gets it again at 2026-06-01 12:00 UTC."
    )
    sent = replace(MESSAGE, state=State.SENT, channel=Channel.SMS, sent_at=NOON, due_at=None)
    assert sentence(sent) == "Sent by sms at 2026-06-01 12:00 UTC."
    assert sentence(held) == f"{HELD[Reason.QUIET_HOURS]} To be looked at again at 2026-06-01 12:00 UTC."
    failed = replace(MESSAGE, state=State.FAILED, reason=Reason.REFUSED)
    assert sentence(failed) == "The provider refused it."
    skipped = replace(MESSAGE, state=State.SKIPPED, reason=Reason.EXPIRED)
    assert sentence(skipped) == SKIPPED[Reason.EXPIRED]
    # A message that a bad address sends round again.
    assert sentence(replace(MESSAGE, reason=Reason.RETRY)) == "It waits for its turn."
