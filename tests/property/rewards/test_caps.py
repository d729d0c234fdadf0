"""Properties of caps: never exceeded, and what is given in all does not depend on what is told first."""

from collections import defaultdict
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.rewards.building import NOW, Life, order, refund
from tests.unit.rewards.earning.earn_rules import rules

DAY, MONTH, EVER, ONE = 50, 90, 200, 40
CAP = f"{{order: {ONE}, day: {DAY}, month: {MONTH}, customer: {EVER}}}"
BOOK = rules(f"{{id: p, on: order.completed, points_per_unit: 1, cap: {CAP}}}")
ZONE = BOOK.program.time_zone
placed = st.lists(st.tuples(st.integers(1, 80), st.integers(0, 24 * 100)), max_size=14)


def local(moment: datetime) -> datetime:
    """The moment on the program's calendar."""
    return moment.astimezone(ZONE)


@settings(max_examples=120)
@given(placed, st.data())
def test_caps_hold_and_the_sum_is_that_of_the_days(told: list[tuple[int, int]], data: st.DataObject) -> None:
    """Given orders over a hundred days; when they are told in any order, some twice, some refunded; then each
    day, each month and the whole have at most their caps, and all together what the caps leave of the sums."""
    events = [
        order(str(n), str(total), at=NOW + timedelta(hours=hours)) for n, (total, hours) in enumerate(told)
    ]
    mixed = data.draw(st.permutations(events))
    life = Life(BOOK)
    for event in mixed:
        life.happen(event)
        if data.draw(st.booleans()):
            life.happen(refund(str(event.data["order_id"]), f"r{event.id}", "1000"), event)

    days: dict[object, int] = defaultdict(int)
    months: dict[object, int] = defaultdict(int)
    for entry in life.changes.entries:
        if entry.kind == "earn":
            assert entry.points <= ONE
            days[local(entry.at).date()] += entry.points
            months[local(entry.at).year, local(entry.at).month] += entry.points
    assert all(points <= DAY for points in days.values())
    assert all(points <= MONTH for points in months.values())

    due: dict[object, dict[object, int]] = defaultdict(lambda: defaultdict(int))
    for (total, _), event in zip(told, events, strict=True):
        at = local(event.time)
        due[at.year, at.month][at.date()] += min(total, ONE)
    expected = sum(min(MONTH, sum(min(DAY, points) for points in month.values())) for month in due.values())
    assert sum(days.values()) == min(EVER, expected)
