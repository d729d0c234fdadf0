"""The program that ships: what it says, and that it loads at once."""

import subprocess
import sys
from datetime import time, timedelta
from decimal import Decimal
from time import process_time

import pytest

from shared.program import default_program_text
from shared.program.model.limit import Limit
from shared.program.model.program import Program, Redeem
from shared.program.parse import load_program
from shared.program.values.period import Period


@pytest.fixture(scope="module")
def program() -> Program:
    return load_program(default_program_text(), version=7)


def test_has_its_head_and_version(program: Program) -> None:
    assert program.name == "Regulars default program"
    assert program.currency == "USD"
    assert str(program.time_zone) == "America/New_York"
    assert program.version == 7


def test_earns(program: Program) -> None:
    rules = {rule.id: rule for rule in program.points.earn}
    assert list(rules) == ["welcome", "purchase", "vip-double", "review", "follow", "referral"]
    assert (rules["welcome"].on, rules["welcome"].points) == ("customer.registered", 100)
    assert rules["purchase"].points_per_unit == Decimal(1)
    assert rules["vip-double"].multiply == Decimal(2)
    assert rules["vip-double"].when is not None
    assert rules["review"].limit == Limit(2, Period(months=1))
    assert rules["follow"].limit == Limit(1, "network")


def test_says_when_points_expire_and_what_they_are_worth(program: Program) -> None:
    points = program.points
    assert points.expire_after == Period(months=12)
    assert points.notice_before == Period(rest=timedelta(days=30))
    assert points.pending_for == Period()
    assert points.redeem == Redeem(100, Decimal("1.00"), 500, Period(rest=timedelta(minutes=30)))


def test_reads_the_gold_threshold_to_the_cent(program: Program) -> None:
    assert program.tiers is not None
    assert [(level.id, level.at) for level in program.tiers.levels] == [
        ("member", Decimal(0)),
        ("gold", Decimal("200.01")),
        ("platinum", Decimal(2000)),
    ]
    gold = program.tiers.levels[1]
    assert gold.keep_for == Period(months=12)
    assert (gold.benefits[0].offer, gold.benefits[0].every) == ("gold-15", Period(months=1))
    assert gold.benefits[1].perk == "free-shipping"


def test_has_offers_milestones_and_segments(program: Program) -> None:
    assert program.offers["gold-15"].percent == Decimal(15)
    assert program.offers["birthday"].amount == Decimal(10)
    assert program.offers["fifth"].gift == "tote-bag"
    assert [(milestone.id, milestone.points, milestone.offer) for milestone in program.milestones] == [
        ("fifth-purchase", None, "fifth"),
        ("tenth-order", 500, None),
        ("anniversary", 250, None),
        ("birthday", None, "birthday"),
    ]
    assert [name for name in program.segments if not name.startswith("rfm-")] == [
        "vip",
        "big-spenders",
        "high-value",
        "one-time",
        "devoted",
        "active",
        "inactive",
        "lapsed",
    ]
    assert len(program.segments) == 17


def test_has_campaigns_and_limits_on_messages(program: Program) -> None:
    miss_you = program.campaigns[0]
    assert miss_you.holdout == Decimal(10)
    assert [(action.offer, action.message) for action in miss_you.do] == [
        ("miss-you", None),
        (None, "we-miss-you"),
    ]
    assert miss_you.success is not None
    assert miss_you.success.on == "order.completed"
    assert program.messages.quiet_from == time(21)
    assert program.messages.quiet_until == time(8)
    assert program.messages.channels == ("email", "sms")
    assert program.messages.sms_after_unopened == 5


def test_has_a_campaign_for_each_word_at_the_right_moment(program: Program) -> None:
    """Given the program; when its campaigns are read; then there is one for each of the mission's R8, and each message
    has its template, each with a text."""
    campaigns = {campaign.id: campaign.on for campaign in program.campaigns}
    assert campaigns.items() >= {
        ("we-miss-you", "stage.changed"),
        ("how-can-we-help", "login.missing"),
        ("hold-your-spot", "subscription.paused"),
        ("thanks-for-coming-back", "segment.left"),
        ("renewal-check-in", "renewal.due"),
        ("preview-sale", "segment.entered"),
        ("sorry-to-hear", "survey.answered"),
        ("glad-to-hear", "survey.answered"),
    }
    sent = {action.message for one in program.campaigns for action in one.actions() if action.message}
    assert sent == program.templates.keys()
    assert all(template.subject and template.text for template in program.templates.values())


def test_raises_alerts_for_what_somebody_should_look_at(program: Program) -> None:
    """Given the program; when its alerts are read; then all that S3 names are there, or watched by the system."""
    kinds = {action.alert for one in program.campaigns for action in one.actions() if action.alert}
    assert kinds == {
        "loyal-at-risk",
        "valuable-ticket",
        "stopped-opening",
        "renewal-ahead",
        "unhappy-feedback",
    }
    assert program.alerts.unusual_redemptions
    assert program.alerts.falling_opens


def test_nothing_of_it_looks_at_ordinary_orders(program: Program) -> None:
    """Given the program; when an order comes; then no campaign begins on it: most of what happens is orders."""
    assert all(campaign.on != "order.completed" for campaign in program.campaigns)


def test_loads_in_less_than_50_ms() -> None:
    best = min(_seconds_to_load() for _ in range(10))
    assert best < 0.05


def _seconds_to_load() -> float:
    begin = process_time()
    load_program(default_program_text())
    return process_time() - begin


def test_reading_programs_does_not_drag_in_a_shell() -> None:
    code = "import sys, shared.program.parse; sys.exit('prompt_toolkit' in sys.modules or 'cel.cli' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
