"""What becomes of a message that is due."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.deciding import (
    Hold,
    Rules,
    Send,
    Skip,
    Unavailable,
    decide,
    preferred_order,
    refused,
)
from services.deliveries.domain.messages.frequency import Written, within_limit
from services.deliveries.domain.messages.message import Held, Message, Reason, State
from services.deliveries.domain.recipients.recipient import Contact, Recipient
from shared.program.model.limit import Limit
from shared.program.model.program import AtNight, Messages
from shared.program.values.period import Period

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UTC_ZONE = ZoneInfo("UTC")
EMAIL, SMS, PUSH = Channel
ALL = frozenset(Channel)
TWICE_A_WEEK = Limit(2, Period(rest=timedelta(days=7)))

MESSAGE = Message(
    id="msg_1",
    customer_id="cus_1",
    part="cus_1",
    campaign="hello",
    run="r",
    template="hello",
    arm="a",
    purpose=Purpose.MARKETING,
    cause="c",
    caused_at=NOON,
    created_at=NOON,
    expires_at=NOON + 7 * DAY,
    program_version=1,
    due_at=NOON,
)
SERVICE = replace(MESSAGE, purpose=Purpose.SERVICE)
ANA = Recipient(
    "cus_1",
    contacts={
        channel: Contact(channel, value, "cus_1", "s", {"id": "s"})
        for channel, value in ((EMAIL, "ana@example.com"), (SMS, "+12125550100"), (PUSH, "ana"))
    },
)
RULES = Rules(Messages(consent="unless_withdrawn", channels=("email", "sms", "push")), UTC_ZONE, {})


def ruled(**changes: object) -> Rules:
    return replace(RULES, messages=replace(RULES.messages, **changes))  # type: ignore[arg-type]


def decided(
    message: Message = MESSAGE,
    recipient: Recipient = ANA,
    rules: Rules = RULES,
    *,
    words: frozenset[Channel] = ALL,
    written: list[Written] | None = None,
    now: datetime = NOON,
) -> object:
    found = decide(message, recipient, rules, words=words, written=written or [], now=now)
    return found.contact.channel if isinstance(found, Send) else found


def marketing(*ago: timedelta) -> list[Written]:
    return [Written(NOON - each, Purpose.MARKETING) for each in ago]


class TestSkips:
    @pytest.mark.parametrize(
        ("message", "recipient", "reason"),
        [
            (replace(MESSAGE, withdrawn=True), ANA, Reason.GOAL_REACHED),
            (replace(MESSAGE, expires_at=NOON), ANA, Reason.EXPIRED),
            (MESSAGE, replace(ANA, contacts={}, erased=True), Reason.ERASED),
            (MESSAGE, replace(ANA, contacts={}), Reason.NO_CONTACT),
            (MESSAGE, replace(ANA, withdrawn=frozenset({"marketing"})), Reason.NO_CONSENT),
        ],
    )
    def test_what_is_not_to_be_sent(self, message: Message, recipient: Recipient, reason: Reason) -> None:
        assert decided(message, recipient) == Skip(reason)

    def test_a_template_that_is_gone(self) -> None:
        assert decided(words=frozenset()) == Skip(Reason.NO_TEMPLATE)

    def test_words_for_other_channels_only(self) -> None:
        assert decided(words=frozenset({PUSH}), rules=ruled(channels=("email",))) == Skip(Reason.NO_CONTACT)

    def test_consent_is_asked_for_by_default(self) -> None:
        strict = replace(RULES, messages=Messages())
        assert decided(rules=strict) == Skip(Reason.NO_CONSENT)
        assert decided(SERVICE, rules=strict) is EMAIL
        assert decided(recipient=replace(ANA, consents=frozenset({"email"})), rules=strict) is EMAIL

    def test_an_address_that_may_be_on_its_way_is_awaited(self) -> None:
        """For an hour, no longer than the message lasts; consent that is not there is nothing to wait for."""
        nowhere = replace(ANA, contacts={}, awaited=True)
        until, barely = NOON + HOUR, NOON + HOUR - timedelta(seconds=1)
        assert decided(recipient=nowhere) == Hold(Reason.CONTACT_AWAITED, until)
        assert decided(recipient=nowhere, now=barely) == Hold(Reason.CONTACT_AWAITED, until)
        assert decided(recipient=nowhere, now=until) == Skip(Reason.NO_CONTACT)
        short = replace(MESSAGE, expires_at=NOON + HOUR / 2)
        assert decided(short, nowhere) == Hold(Reason.CONTACT_AWAITED, short.expires_at)
        refuses = replace(ANA, awaited=True, withdrawn=frozenset({"marketing"}))
        assert decided(recipient=refuses) == Skip(Reason.NO_CONSENT)


class TestChannels:
    @pytest.mark.parametrize(
        ("recipient", "order"),
        [
            (ANA, [EMAIL, SMS, PUSH]),
            (replace(ANA, emails_unopened=4), [EMAIL, SMS, PUSH]),
            (replace(ANA, emails_unopened=5), [SMS, EMAIL, PUSH]),
            (replace(ANA, preferred=(PUSH,)), [PUSH, EMAIL, SMS]),
            (replace(ANA, preferred=(PUSH, SMS), emails_unopened=9), [PUSH, SMS, EMAIL]),
            (replace(ANA, preferred=(EMAIL,), emails_unopened=9), [EMAIL, SMS, PUSH]),
        ],
    )
    def test_the_order(self, recipient: Recipient, order: list[Channel]) -> None:
        messages = replace(RULES.messages, sms_after_unopened=5)
        assert preferred_order(recipient, messages) == order

    def test_a_channel_that_the_program_does_not_use_is_not_used(self) -> None:
        assert preferred_order(replace(ANA, preferred=(PUSH,)), Messages(channels=("email",))) == [EMAIL]
        assert preferred_order(ANA, Messages(channels=("sms", "email"))) == [SMS, EMAIL]

    @pytest.mark.parametrize(
        ("channels", "order"),
        [
            (("push", "email", "sms"), [PUSH, SMS, EMAIL]),
            (("push", "sms"), [SMS, PUSH]),
            (("email", "push"), [EMAIL, PUSH]),
        ],
    )
    def test_sms_moves_before_the_emails_that_stay_unopened(
        self, channels: tuple[str, ...], order: list[Channel]
    ) -> None:
        messages = Messages(channels=channels, sms_after_unopened=5)
        assert preferred_order(replace(ANA, emails_unopened=5), messages) == order

    def test_the_next_one_where_the_first_is_of_no_use(self) -> None:
        """No words, no address, a bad one, no consent, no provider: each leads to the next channel."""
        without = {channel: each for channel, each in ANA.contacts.items() if channel is not EMAIL}
        bad = ANA.contacts | {EMAIL: replace(ANA.contacts[EMAIL], suppressed=True)}
        assert decided(words=frozenset({SMS, PUSH})) is SMS
        assert decided(recipient=replace(ANA, contacts=without)) is SMS
        assert decided(recipient=replace(ANA, contacts=bad)) is SMS
        assert decided(recipient=replace(ANA, withdrawn=frozenset({"email"}))) is SMS
        assert decided(rules=replace(RULES, unavailable={EMAIL: Unavailable()})) is SMS

    def test_a_provider_that_is_down_is_waited_for(self) -> None:
        down = replace(RULES, unavailable={EMAIL: Unavailable(NOON + HOUR)})
        assert decided(rules=down) == Hold(Reason.PROVIDER_DOWN, NOON + HOUR)

    def test_no_provider_at_all(self) -> None:
        none = replace(RULES, unavailable={channel: Unavailable() for channel in Channel})
        assert decided(rules=none) == Hold(Reason.NO_PROVIDER, NOON + timedelta(minutes=15))


class TestHolds:
    def test_quiet_hours_where_the_customer_lives(self) -> None:
        night = ruled(quiet_from=time(21), quiet_until=time(8))
        tokyo = replace(ANA, zone=ZoneInfo("Asia/Tokyo"))  # where it is 21:00
        morning = Hold(Reason.QUIET_HOURS, NOON + 11 * HOUR)
        assert decided(rules=night) is EMAIL
        assert decided(recipient=tokyo, rules=night) == morning
        assert decided(replace(MESSAGE, purpose=Purpose.MARKETING), tokyo, night) == morning
        assert decided(rules=replace(night, zone=ZoneInfo("Asia/Tokyo"))) == morning
        assert (
            decided(rules=replace(night, zone=ZoneInfo("Asia/Tokyo")), recipient=replace(ANA, zone=UTC_ZONE))
            is EMAIL
        )

    @pytest.mark.parametrize(
        ("at_night", "by_email", "by_sms"),
        [("email", True, False), ("always", True, True), ("never", False, False)],
    )
    def test_service_goes_out_in_quiet_hours_as_the_program_says(
        self, at_night: AtNight, by_email: bool, by_sms: bool
    ) -> None:
        """Given somebody who sleeps; then an e-mail of service goes out and an SMS waits, unless the program says
        otherwise; a channel without a provider is none by which it would go."""
        night = ruled(quiet_from=time(11), quiet_until=time(13), service_at_night=at_night)
        morning = Hold(Reason.QUIET_HOURS, NOON + HOUR)
        sms = replace(ANA, preferred=(SMS,))
        no_mail = replace(night, unavailable={EMAIL: Unavailable()})
        assert decided(SERVICE, ANA, night) == (EMAIL if by_email else morning)
        assert decided(SERVICE, sms, night) == (SMS if by_sms else morning)
        assert decided(SERVICE, ANA, no_mail) == (SMS if by_sms else morning)
        assert decided(MESSAGE, ANA, night) == morning

    def test_marketing_so_often_and_service_whenever_it_must(self) -> None:
        often = ruled(at_most=TWICE_A_WEEK)
        lately = marketing(3 * DAY, 2 * DAY)
        assert decided(rules=often, written=lately[:1]) is EMAIL
        assert decided(rules=often, written=lately) == Hold(Reason.TOO_OFTEN, NOON + 4 * DAY)
        assert decided(SERVICE, rules=often, written=lately) is EMAIL
        assert (
            decided(rules=often, written=[replace(each, purpose=Purpose.SERVICE) for each in lately]) is EMAIL
        )

    def test_a_limit_counts_by_the_clock_where_the_customer_lives(self) -> None:
        monthly = ruled(at_most=Limit(1, Period.parse("P1M")))
        written = [Written(datetime(2026, 3, 1, 12, tzinfo=UTC), Purpose.MARKETING)]
        now = datetime(
            2026, 4, 1, 11, tzinfo=UTC
        )  # a month later in New York, where the clocks were set forward
        ana = replace(ANA, zone=ZoneInfo("America/New_York"))
        assert decided(recipient=ana, rules=monthly, written=written, now=now) is EMAIL
        assert decided(rules=monthly, written=written, now=now) == Hold(Reason.TOO_OFTEN, now + HOUR)

    def test_without_any_provider_the_night_is_that_of_the_first_channel(self) -> None:
        night = ruled(quiet_from=time(11), quiet_until=time(13), service_at_night="email")
        nobody = replace(night, unavailable={channel: Unavailable() for channel in Channel})
        sms = replace(ANA, preferred=(SMS,))
        assert decided(SERVICE, ANA, nobody) == Hold(Reason.NO_PROVIDER, NOON + timedelta(minutes=15))
        assert decided(SERVICE, sms, nobody) == Hold(Reason.QUIET_HOURS, NOON + HOUR)

    def test_a_limit_without_a_period_is_for_ever(self) -> None:
        once = ruled(at_most=Limit(1))
        assert decided(rules=once, written=marketing(500 * DAY)) == Hold(Reason.TOO_OFTEN, MESSAGE.expires_at)

    def test_what_is_free_at_night_waits_for_the_morning(self) -> None:
        rules = ruled(at_most=TWICE_A_WEEK, quiet_from=time(11), quiet_until=time(13))
        wait = decided(rules=rules, written=marketing(3 * DAY, 2 * DAY))
        assert wait == Hold(Reason.TOO_OFTEN, NOON + 4 * DAY + HOUR)

    def test_an_angry_customer_hears_of_the_ticket_and_of_nothing_else(self) -> None:
        angry = replace(ANA, tickets_angry=True)
        assert decided(recipient=angry) == Hold(Reason.ANGRY_TICKET, MESSAGE.expires_at)
        assert decided(SERVICE, angry) is EMAIL
        assert decided(recipient=angry, rules=ruled(hold_for_angry_tickets=False)) is EMAIL

    def test_nothing_is_held_beyond_its_end(self) -> None:
        night = ruled(quiet_from=time(11), quiet_until=time(23))
        short = replace(MESSAGE, expires_at=NOON + HOUR)
        assert decided(short, rules=night) == Hold(Reason.QUIET_HOURS, NOON + HOUR)

    def test_what_comes_late_keeps_a_day_between(self) -> None:
        late = replace(MESSAGE, due_at=NOON - 6 * HOUR)
        barely = replace(MESSAGE, due_at=NOON - 6 * HOUR + timedelta(seconds=1))
        caught = replace(MESSAGE, reason=Reason.CATCHING_UP)
        before = [Written(NOON - 20 * HOUR, Purpose.SERVICE)]
        for message in (late, caught, replace(late, purpose=Purpose.SERVICE)):
            assert decided(message, written=before) == Hold(Reason.CATCHING_UP, NOON + 4 * HOUR)
            assert decided(message) is EMAIL
        assert decided(barely, written=before) is EMAIL


def test_waiting_for_a_provider_is_being_late_too() -> None:
    """However often it was looked at meanwhile; waiting for limits before that does not count."""
    before = [Written(NOON - 20 * HOUR, Purpose.SERVICE)]
    quiet = Held(Reason.QUIET_HOURS, NOON - 9 * HOUR, NOON - 7 * HOUR)
    down = Held(Reason.PROVIDER_DOWN, NOON - 7 * HOUR, NOON - 6 * HOUR)
    none = Held(Reason.NO_PROVIDER, NOON - 6 * HOUR + timedelta(seconds=1), NOON)
    waited = replace(MESSAGE, state=State.HELD, reason=Reason.NO_PROVIDER)
    late = replace(waited, holds=(quiet, down, none))
    assert decided(late, written=before) == Hold(Reason.CATCHING_UP, NOON + 4 * HOUR)
    assert decided(replace(waited, holds=(quiet, none)), written=before) is EMAIL
    assert decided(replace(late, reason=Reason.QUIET_HOURS), written=before) is EMAIL


@given(
    moments=st.lists(st.integers(0, 60 * 24 * 20), max_size=30, unique=True),
    times=st.integers(1, 4),
    days=st.integers(1, 9),
)
def test_no_window_ever_has_more_than_the_limit(moments: list[int], times: int, days: int) -> None:
    """However messages come, sent one after the other when the limit lets them: in no period are there more."""
    limit, length = Limit(times, Period(rest=timedelta(days=days))), timedelta(days=days)
    sent: list[datetime] = []
    for moment in sorted(moments):
        now = max([NOON + timedelta(minutes=moment), *sent[-1:]])
        free = within_limit(limit, [Written(at, Purpose.MARKETING) for at in sent], now, UTC_ZONE)
        assert free is not None
        assert free >= now
        if free > now:  # not a moment too late either
            assert sum(free - length < at <= free for at in sent) == times - 1
        sent.append(free)
    for at in sent:
        assert sum(at <= each < at + length for each in sent) <= times


@given(
    withdrawn=st.booleans(),
    expired=st.booleans(),
    erased=st.booleans(),
    awaited=st.booleans(),
    contacts=st.sets(st.sampled_from(list(Channel))),
    suppressed=st.sets(st.sampled_from(list(Channel))),
    words=st.frozensets(st.sampled_from(list(Channel))),
    refuses=st.sets(st.sampled_from(["marketing", "email", "sms", "push"])),
    angry=st.booleans(),
    service=st.booleans(),
    hour=st.integers(0, 23),
)
def test_a_message_is_refused_just_when_it_would_be_skipped_and_for_the_same_reason(
    *,
    withdrawn: bool,
    expired: bool,
    erased: bool,
    awaited: bool,
    contacts: set[Channel],
    suppressed: set[Channel],
    words: frozenset[Channel],
    refuses: set[str],
    angry: bool,
    service: bool,
    hour: int,
) -> None:
    """Given any message and recipient, at any hour; then it is refused when it is asked for if, and only if, a sender
    would skip it at that moment, whatever went out before and whichever provider is there."""
    now = NOON.replace(hour=hour)
    message = replace(
        SERVICE if service else MESSAGE,
        withdrawn=withdrawn,
        created_at=now,
        due_at=now,
        expires_at=now if expired else now + DAY,
    )
    recipient = replace(
        ANA,
        contacts={
            channel: replace(ANA.contacts[channel], suppressed=channel in suppressed) for channel in contacts
        },
        withdrawn=frozenset(refuses),
        erased=erased,
        awaited=awaited,
        tickets_angry=angry,
    )
    rules = ruled(quiet_from=time(21), quiet_until=time(8), at_most=TWICE_A_WEEK)
    found = refused(message, recipient, rules, words, now)
    for written in ([], marketing(HOUR, 2 * HOUR)):
        for nobody in ({}, dict.fromkeys(Channel, Unavailable())):
            looked = decide(
                message,
                recipient,
                replace(rules, unavailable=nobody),
                words=words,
                written=written,
                now=now,
            )
            assert (looked if isinstance(looked, Skip) else None) == found
