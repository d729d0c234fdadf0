"""The section `alerts`."""

from decimal import Decimal

import pytest

from shared.program.model.program import Alerts
from shared.program.parse import load_program
from tests.unit.program.texts import HEAD, only_fault


def test_a_program_that_says_nothing_watches_all() -> None:
    assert load_program(HEAD).alerts == Alerts(Decimal(3), Decimal(30))


def test_each_watch_is_set_or_turned_off_by_itself() -> None:
    """Given one key; when it is read; then the other keeps its value."""
    assert load_program(HEAD + "alerts: {unusual_redemptions: off}\n").alerts == Alerts(None, Decimal(30))
    assert load_program(HEAD + "alerts: {falling_opens: 12.5%}\n").alerts == Alerts(
        Decimal(3), Decimal("12.5")
    )


@pytest.mark.parametrize(
    ("alerts", "path"),
    [
        ("{unusual_redemptions: 1}", "alerts.unusual_redemptions"),
        ("{unusual_redemptions: 1000}", "alerts.unusual_redemptions"),
        ("{unusual_redemptions: false}", "alerts.unusual_redemptions"),
        ("{unusual_redemptions: -3}", "alerts.unusual_redemptions"),
        ("{falling_opens: 30}", "alerts.falling_opens"),
        ("{falling_opens: 2%}", "alerts.falling_opens"),
        ("{falling_opens: 100%}", "alerts.falling_opens"),
        ("{falling_opens: [30%]}", "alerts.falling_opens"),
        ("{unusual_redemption: 3}", "alerts.unusual_redemption"),
        ("[3]", "alerts"),
    ],
)
def test_what_nobody_can_mean_is_refused_with_its_place(alerts: str, path: str) -> None:
    assert only_fault(f"alerts: {alerts}").path == path
