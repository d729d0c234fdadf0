"""Why a message is where it is, in one sentence."""

from datetime import datetime
from typing import Final

from services.deliveries.domain.messages.message import Message, Reason, State

HELD: Final = {
    Reason.QUIET_HOURS: "Where the customer lives it is a quiet hour.",
    Reason.TOO_OFTEN: "The customer has had as many messages lately as the program allows.",
    Reason.CATCHING_UP: "It comes late, and another late message went out less than a day before.",
    Reason.ANGRY_TICKET: "The customer has an open ticket and is angry; marketing waits until it is resolved.",
    Reason.CONTACT_AWAITED: "Customers have become one, and an address of the one may still be on its way.",
    Reason.NO_PROVIDER: "No provider is set up for a channel by which it could go.",
    Reason.PROVIDER_DOWN: "The provider takes nothing at the moment.",
    Reason.RETRY: "The provider could not take it; it is tried again.",
}
SKIPPED: Final = {
    Reason.EXPIRED: "It could not go out in time, and is not worth sending any more.",
    Reason.GOAL_REACHED: "The goal of its campaign was reached before it went out.",
    Reason.SAME_CAUSE: "Another message was sent for the same cause.",
    Reason.NEWER_MESSAGE: "It came late, and a newer message of the same campaign went out in its place.",
    Reason.NO_CONSENT: "The customer did not agree to such messages by any channel, or does not any more.",
    Reason.NO_CONTACT: "No address is known by which the program's channels reach the customer.",
    Reason.ERASED: "The customer was erased.",
    Reason.NO_TEMPLATE: "The program has no template of this name any more.",
}
FAILED: Final = {
    Reason.REFUSED: "The provider refused it.",
    Reason.GAVE_UP: "The provider could not take it in time.",
    Reason.NOT_RENDERED: "Its template could not be filled in.",
}


def sentence(message: Message) -> str:
    """The sentence."""
    if message.state is State.SENT:
        return f"Sent by {message.channel}{_when('at', message.sent_at)}."
    if message.state is State.SENDING and message.begun_at is not None:
        return f"A provider may have it; unless it says so, it gets it again{_when('at', message.due_at)}."
    if message.state is State.SENDING:
        return "A sender has it at the moment."
    if message.state is State.WAITING or message.reason is None:
        return "It waits for its turn."
    if message.state is State.HELD:
        return f"{HELD[message.reason]} To be looked at again{_when('at', message.due_at)}."
    return (FAILED if message.state is State.FAILED else SKIPPED)[message.reason]


def _when(word: str, moment: datetime | None) -> str:
    return f" {word} {moment:%Y-%m-%d %H:%M} UTC" if moment is not None else ""
