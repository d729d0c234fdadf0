"""Segments: the program's conditions, asked about the facts of each moment."""

from datetime import timedelta

from services.scoring.domain.assess import assess
from services.scoring.domain.fold.evolve import fold
from services.scoring.domain.settings import ScoreSettings
from shared.program import default_program_text
from shared.program.parse import load_program
from tests.support.life import moment, order

SHIPPED = ScoreSettings.of(load_program(default_program_text()))


def segments(events, at):
    """The segments of a customer with these events."""
    return assess(fold(events, SHIPPED).state, at, SHIPPED).facts.segments


def test_five_hundred_dollars_within_thirty_days_are_vip():
    orders = [order(moment(0), "1", "250.00"), order(moment(29), "2", "250.00")]

    assert segments(orders, moment(29)) == ["vip", "active"]
    assert segments(orders, moment(30)) == ["active"]


def test_a_silent_one_time_buyer_is_lapsed_as_well():
    orders = [order(moment(0), "1")]

    assert segments(orders, moment(1)) == ["one-time", "active"]
    assert segments(orders, moment(60) + timedelta(hours=2)) == ["one-time", "inactive", "lapsed"]


def test_each_assessment_has_a_list_of_its_own():
    first = assess(fold([order(moment(0), "1")], SHIPPED).state, moment(1), SHIPPED).facts
    second = assess(fold([order(moment(0), "1")], SHIPPED).state, moment(1), SHIPPED).facts

    assert first.segments == second.segments == ["one-time", "active"]
