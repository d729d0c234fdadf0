"""Consent by channel and purpose."""

import pytest

from services.deliveries.domain.channels import Channel, Purpose
from services.deliveries.domain.recipients.consent import may_write
from shared.program.model.program import ConsentRule

EMAIL, SMS, PUSH = Channel
MARKETING, SERVICE = Purpose


@pytest.mark.parametrize(
    ("given", "withdrawn", "rule", "about", "may"),
    [
        # Marketing needs a consent that speaks of it: of the channel, of the purpose, or of both.
        ([], [], "required", (EMAIL, MARKETING), False),
        (["email"], [], "required", (EMAIL, MARKETING), True),
        (["marketing"], [], "required", (EMAIL, MARKETING), True),
        (["email_marketing"], [], "required", (EMAIL, MARKETING), True),
        (["Email.Marketing"], [], "required", (EMAIL, MARKETING), True),
        (["sms.marketing"], [], "required", (EMAIL, MARKETING), False),
        (["sms.marketing"], [], "required", (SMS, MARKETING), True),
        (["service"], [], "required", (EMAIL, MARKETING), False),
        (["terms", "profiling", "emailing"], [], "required", (EMAIL, MARKETING), False),
        # What was withdrawn counts more than what was given.
        (["marketing"], ["email"], "required", (EMAIL, MARKETING), False),
        (["marketing"], ["email"], "required", (SMS, MARKETING), True),
        (["email"], ["marketing"], "required", (EMAIL, MARKETING), False),
        (["email.marketing"], ["marketing"], "required", (EMAIL, MARKETING), False),
        # Without a rule that asks for it, only what was withdrawn counts.
        ([], [], "unless_withdrawn", (EMAIL, MARKETING), True),
        ([], ["sms"], "unless_withdrawn", (EMAIL, MARKETING), True),
        ([], ["sms"], "unless_withdrawn", (SMS, MARKETING), False),
        ([], ["marketing"], "unless_withdrawn", (PUSH, MARKETING), False),
        # Service needs none, and keeps away from channels, and of itself, where it is not wanted.
        ([], [], "required", (EMAIL, SERVICE), True),
        ([], ["marketing"], "required", (EMAIL, SERVICE), True),
        ([], ["email.marketing"], "required", (EMAIL, SERVICE), True),
        ([], ["email"], "required", (EMAIL, SERVICE), False),
        ([], ["email"], "required", (SMS, SERVICE), True),
        ([], ["service"], "required", (SMS, SERVICE), False),
    ],
)
def test_who_may_be_written_to(
    given: list[str], withdrawn: list[str], rule: ConsentRule, about: tuple[Channel, Purpose], may: bool
) -> None:
    channel, purpose = about
    assert may_write(given, withdrawn, channel, purpose, rule) is may
