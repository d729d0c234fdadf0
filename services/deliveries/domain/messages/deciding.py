"""What becomes of a message that is due: it goes out by a channel, waits until a moment, or is skipped."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.frequency import LATE, Written, spaced, within_limit
from services.deliveries.domain.messages.message import Message, Reason
from services.deliveries.domain.messages.quiet import QuietHours
from services.deliveries.domain.recipients.consent import may_write
from services.deliveries.domain.recipients.recipient import Contact, Recipient
from shared.program.model.program import Messages, Program

AWAITED = timedelta(hours=1)
"""For how long a message waits for an address that may be on its way in another partition."""

LOOK_AGAIN = timedelta(minutes=15)
"""How soon a message is looked at again that waits for a provider to be set up."""


OURS = frozenset({Reason.NO_PROVIDER, Reason.PROVIDER_DOWN, Reason.RETRY})
"""Reasons to wait that are no limits of the customer's."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A channel that takes `room` more messages now, and then nothing until `until`. `until` None: no provider is
    set up for it."""

    until: datetime | None = None
    room: int = 0


def take_room(rooms: dict[Channel, Unavailable], channel: Channel) -> None:
    """One more message goes by this channel."""
    if channel in rooms:
        rooms[channel] = replace(rooms[channel], room=max(rooms[channel].room - 1, 0))


@dataclass(frozen=True, slots=True)
class Send:
    """It goes out now, to this contact."""

    contact: Contact


@dataclass(frozen=True, slots=True)
class Hold:
    """It waits, and is looked at again then."""

    reason: Reason
    until: datetime


@dataclass(frozen=True, slots=True)
class Skip:
    """It will not go out."""

    reason: Reason


Decision = Send | Hold | Skip


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of the program in force, and which channels take nothing now."""

    messages: Messages
    zone: ZoneInfo
    unavailable: Mapping[Channel, Unavailable]

    @classmethod
    def of(cls, program: Program, unavailable: Mapping[Channel, Unavailable]) -> "Rules":
        """Those of a program."""
        return cls(program.messages, program.time_zone, unavailable)

    def quiet_for(self, purpose: Purpose, channel: Channel) -> QuietHours | None:
        """The quiet hours of such messages, if they have any: an e-mail of service wakes nobody."""
        begin, end, at_night = (
            self.messages.quiet_from,
            self.messages.quiet_until,
            self.messages.service_at_night,
        )
        if purpose is Purpose.SERVICE and at_night in {"always", channel.value}:
            return None
        return QuietHours(begin, end) if begin is not None and end is not None else None


def decide(
    message: Message,
    recipient: Recipient,
    rules: Rules,
    *,
    words: Collection[Channel],
    written: Sequence[Written],
    now: datetime,
) -> Decision:
    """Decide about a message that is due. `words` are the channels that its template has words for; `written` is what
    else went to the recipient lately."""
    contacts = _destinations(message, recipient, rules, words, now)
    if not isinstance(contacts, list):
        return contacts
    quiet = rules.quiet_for(message.purpose, _first(contacts, rules))
    hold = _hold(message, recipient, rules, written, quiet=quiet, now=now)
    return hold if hold is not None else _route(message, contacts, rules, now)


def refused(
    message: Message, recipient: Recipient, rules: Rules, words: Collection[Channel], now: datetime
) -> Skip | None:
    """Why `decide` skips the message, whatever its limits and the providers say; None: it does not."""
    found = _destinations(message, recipient, rules, words, now)
    return found if isinstance(found, Skip) else None


def repeat(
    message: Message, contact: Contact | None, zone: ZoneInfo | None, rules: Rules, now: datetime
) -> Decision:
    """Decide about a message that a provider may have, of which nobody noted what it said: it goes again as it was, by
    the same channel and to the same contact, whatever has changed since. Anything else might be said of a message that
    was read already. Only quiet hours are waited for, by the clock of `zone`. `contact` None: whoever it went to was
    erased."""
    if contact is None:
        return Skip(Reason.ERASED)
    quiet = rules.quiet_for(message.purpose, contact.channel)
    if quiet is not None and (until := quiet.over(now, zone or rules.zone)) > now:
        return Hold(Reason.QUIET_HOURS, until)
    route = _route(message, [contact], rules, now)
    return Skip(Reason.GAVE_UP) if isinstance(route, Hold) and now >= message.expires_at else route


def _destinations(
    message: Message, recipient: Recipient, rules: Rules, words: Collection[Channel], now: datetime
) -> list[Contact] | Skip | Hold:
    """Where it may go, the preferred one first; or that it will not go, or waits for an address."""
    gone = _gone(message, recipient, words, now)
    if gone is not None:
        return gone
    contacts = _contacts(message, recipient, rules, words)
    if isinstance(contacts, list):
        return contacts
    until = min(message.created_at + AWAITED, message.expires_at)
    awaited = contacts.reason is Reason.NO_CONTACT and recipient.awaited and now < until
    return Hold(Reason.CONTACT_AWAITED, until) if awaited else contacts


def _gone(message: Message, recipient: Recipient, words: Collection[Channel], now: datetime) -> Skip | None:
    if message.withdrawn:
        return Skip(Reason.GOAL_REACHED)
    if now >= message.expires_at:
        return Skip(Reason.EXPIRED)
    if recipient.erased:
        return Skip(Reason.ERASED)
    return None if words else Skip(Reason.NO_TEMPLATE)


def _contacts(
    message: Message, recipient: Recipient, rules: Rules, words: Collection[Channel]
) -> list[Contact] | Skip:
    """Where it may go, the preferred one first."""
    reached = [
        contact
        for channel in preferred_order(recipient, rules.messages)
        if channel in words and (contact := recipient.contacts.get(channel)) and not contact.suppressed
    ]
    if not reached:
        return Skip(Reason.NO_CONTACT)
    agreed = [
        contact
        for contact in reached
        if may_write(
            recipient.consents,
            recipient.withdrawn,
            contact.channel,
            message.purpose,
            rules.messages.consent,
        )
    ]
    return agreed or Skip(Reason.NO_CONSENT)


def preferred_order(recipient: Recipient, messages: Messages) -> list[Channel]:
    """The program's channels: first those that the customer prefers, in their order; else SMS before e-mail for who
    leaves e-mails unopened; else the program's order."""
    channels = [Channel(name) for name in messages.channels]
    preferred = [channel for channel in recipient.preferred if channel in channels]
    if preferred:
        return preferred + [channel for channel in channels if channel not in preferred]
    limit = messages.sms_after_unopened
    if limit is not None and recipient.emails_unopened >= limit and Channel.SMS in channels:
        channels.remove(Channel.SMS)
        place = channels.index(Channel.EMAIL) if Channel.EMAIL in channels else 0
        channels.insert(place, Channel.SMS)
    return channels


def _first(contacts: Sequence[Contact], rules: Rules) -> Channel:
    """By which of these it would go now: the first that has a provider."""
    nobody = Unavailable()
    reached = (each.channel for each in contacts if rules.unavailable.get(each.channel) != nobody)
    return next(reached, contacts[0].channel)


def _hold(
    message: Message,
    recipient: Recipient,
    rules: Rules,
    written: Sequence[Written],
    *,
    quiet: QuietHours | None,
    now: datetime,
) -> Hold | None:
    zone = recipient.zone or rules.zone
    marketing = message.purpose is Purpose.MARKETING
    if marketing and recipient.tickets_angry and rules.messages.hold_for_angry_tickets:
        return Hold(Reason.ANGRY_TICKET, message.expires_at)
    reason, until = Reason.QUIET_HOURS, now
    if marketing:
        free = within_limit(rules.messages.at_most, written, now, zone)
        if free is None:
            return Hold(Reason.TOO_OFTEN, message.expires_at)
        if free > until:
            reason, until = Reason.TOO_OFTEN, free
    if is_late(message, now) and (apart := spaced(written, now)) > until:
        reason, until = Reason.CATCHING_UP, apart
    if quiet is not None:
        until = quiet.over(until, zone)
    return Hold(reason, min(until, message.expires_at)) if until > now else None


def is_late(message: Message, now: datetime) -> bool:
    """Whether it waited for us (a worker, a provider), not for its limits."""
    if message.reason is Reason.CATCHING_UP:
        return True
    since = message.due_at
    if message.reason in OURS:
        for held in reversed(message.holds):
            if held.reason not in OURS:
                break
            since = held.since
    return since is not None and now - since >= LATE


def _route(message: Message, contacts: Sequence[Contact], rules: Rules, now: datetime) -> Send | Hold:
    """By the first channel that has a provider. One that is down is waited for: it was chosen for a reason."""
    for contact in contacts:
        trouble = rules.unavailable.get(contact.channel)
        if trouble is None or trouble.room > 0:
            return Send(contact)
        if trouble.until is not None:
            return Hold(Reason.PROVIDER_DOWN, min(max(trouble.until, now), message.expires_at))
    return Hold(Reason.NO_PROVIDER, min(now + LOOK_AGAIN, message.expires_at))
