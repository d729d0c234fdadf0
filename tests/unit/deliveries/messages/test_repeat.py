"""What becomes of a message that a provider may have already, and how channels with little room are shared out."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.messages.deciding import (
    Decision,
    Hold,
    Rules,
    Send,
    Skip,
    Unavailable,
    repeat,
    take_room,
)
from services.deliveries.domain.messages.message import Message, Reason
from tests.unit.deliveries.messages.test_deciding import (
    ANA,
    EMAIL,
    HOUR,
    MESSAGE,
    NOON,
    RULES,
    SERVICE,
    SMS,
    ruled,
)

MAIL = ANA.contacts[EMAIL]
NIGHT = ruled(quiet_from=time(11), quiet_until=time(13))
TOKYO = ZoneInfo("Asia/Tokyo")


def without(until: datetime | None) -> Rules:
    """No e-mail can be sent, until then or at all."""
    return replace(RULES, unavailable={EMAIL: Unavailable(until)})


@pytest.mark.parametrize(
    ("message", "rules", "zone", "now", "found"),
    [
        (MESSAGE, RULES, None, NOON, Send(MAIL)),
        (replace(MESSAGE, withdrawn=True), RULES, None, NOON, Send(MAIL)),
        (MESSAGE, RULES, None, MESSAGE.expires_at + HOUR, Send(MAIL)),
        (MESSAGE, NIGHT, None, NOON, Hold(Reason.QUIET_HOURS, NOON + HOUR)),
        (MESSAGE, NIGHT, None, NOON + HOUR, Send(MAIL)),
        (MESSAGE, NIGHT, TOKYO, NOON, Send(MAIL)),
        (MESSAGE, replace(NIGHT, zone=TOKYO), None, NOON, Send(MAIL)),
        (
            MESSAGE,
            replace(NIGHT, zone=TOKYO),
            ZoneInfo("UTC"),
            NOON,
            Hold(Reason.QUIET_HOURS, NOON + HOUR),
        ),
        (SERVICE, NIGHT, None, NOON, Send(MAIL)),
        (MESSAGE, without(NOON + HOUR), None, NOON, Hold(Reason.PROVIDER_DOWN, NOON + HOUR)),
        (MESSAGE, without(None), None, NOON, Hold(Reason.NO_PROVIDER, NOON + HOUR / 4)),
        (MESSAGE, without(None), None, MESSAGE.expires_at, Skip(Reason.GAVE_UP)),
        (
            MESSAGE,
            without(None),
            None,
            MESSAGE.expires_at - timedelta(seconds=1),
            Hold(Reason.NO_PROVIDER, MESSAGE.expires_at),
        ),
    ],
)
def test_it_goes_again_as_it_was(
    message: Message, rules: Rules, zone: ZoneInfo | None, now: datetime, found: Decision
) -> None:
    """Given a message that a provider may have; then it goes to the same contact again, whatever has changed; only
    quiet hours, where the reader lives, and the provider are waited for; after its end it is given up instead."""
    assert repeat(message, MAIL, zone, rules, now) == found


def test_service_by_sms_waits_for_the_morning_and_nobody_writes_to_who_is_erased() -> None:
    held = repeat(replace(MESSAGE, purpose=Purpose.SERVICE), ANA.contacts[SMS], None, NIGHT, NOON)

    assert held == Hold(Reason.QUIET_HOURS, NOON + HOUR)
    assert repeat(MESSAGE, None, None, NIGHT, NOON) == Skip(Reason.ERASED)


def test_a_provider_with_room_is_given_so_many_and_then_waited_for() -> None:
    """Given an e-mail provider that takes two more now, and one for SMS without a limit; when three messages go by
    each; then the third e-mail waits, and no SMS does."""
    rooms: dict[Channel, Unavailable] = {EMAIL: Unavailable(NOON + HOUR, room=2)}
    rules = replace(RULES, unavailable=rooms)
    found = []
    for _ in range(3):
        found.append(repeat(MESSAGE, MAIL, None, rules, NOON))
        take_room(rooms, EMAIL)
        take_room(rooms, SMS)

    assert found == [Send(MAIL), Send(MAIL), Hold(Reason.PROVIDER_DOWN, NOON + HOUR)]
    assert rooms == {EMAIL: Unavailable(NOON + HOUR, room=0)}
