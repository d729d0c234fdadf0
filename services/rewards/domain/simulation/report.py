"""A simulation's result in plain words, on one page."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from services.rewards.domain.simulation.result import CustomerRow, Side, Summary

ROWS = 10
"""Of each table at most."""
CUSTOMERS = 5
_FIGURES = (
    ("Points earned", "points_earned"),
    ("  taken back by refunds", "points_taken_back"),
    ("  expired unspent", "points_expired"),
    ("  spent", "points_spent"),
    ("Points owed at the end", "points_owed"),
    ("  worth", "liability"),
    ("Cost of the points", "cost"),
    ("Codes issued", "offers"),
    ("  worth, those of an amount", "offers_value"),
)


def report(summary: Summary) -> str:
    """The page."""
    return "\n".join(_lines(summary)) + "\n"


def _lines(summary: Summary) -> Iterator[str]:
    yield f"{summary.program}, against version {summary.live_version} in force"
    yield (
        f"{_count(summary.activities, 'event')} of {_count(summary.customers, 'customer')}"
        f"{_time(summary)}; amounts in {summary.currency}"
    )
    yield ""
    yield f"{'':<28}{'in force':>16}{'proposed':>16}{'difference':>16}"
    for title, name in _FIGURES:
        yield f"{title:<28}" + "".join(
            f"{_number(getattr(side, name), signed=side is summary.difference):>16}"
            for side in _sides(summary)
        )
    yield ""
    yield (
        f"{_count(summary.gain, 'customer')} {_verb(summary.gain, 'gain')} points, "
        f"{summary.lose:,} {_verb(summary.lose, 'lose')} some, {summary.same:,} would notice nothing."
    )
    yield (
        f"{_count(summary.tier_up, 'customer')} {_verb(summary.tier_up, 'end')} in a higher tier, "
        f"{summary.tier_down:,} in a lower one."
    )
    yield from _tables(summary)
    if summary.not_played:
        more = len(summary.not_played) - ROWS
        yield ""
        yield f"Not played: {', '.join(summary.not_played[:ROWS])}" + (
            f" and {more} more" if more > 0 else ""
        )
    if summary.notes:
        yield ""
        yield from (f"Note: {note}" for note in summary.notes)


def _tables(summary: Summary) -> Iterator[str]:
    rules = [
        (row.rule, row.live_points or 0, row.proposed_points or 0)
        for row in summary.rules
        if (row.live_points or 0) != (row.proposed_points or 0)
    ]
    segments = [
        (f"{row.segment} ({row.customers:,})", row.live_points, row.proposed_points)
        for row in summary.segments
        if row.live_points != row.proposed_points
    ]
    offers = [(row.offer, row.live, row.proposed) for row in summary.offers if row.live != row.proposed]
    yield from _table("Points by rule", rules)
    yield from _table("Points by segment", segments)
    yield from _table("Codes by offer", offers)
    moves = [row for row in summary.tiers if row.live != row.proposed]
    if moves:
        yield ""
        yield "Tiers at the end"
        for row in moves[:ROWS]:
            yield f"  {row.live or 'no tier'} → {row.proposed or 'no tier'}: {_count(row.customers, 'customer')}"
    yield from _people("Who gains most", summary.gain_most)
    yield from _people("Who loses most", summary.lose_most)


def _table(title: str, rows: list[tuple[str, int, int]]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield title
    for name, live, proposed in rows[:ROWS]:
        yield f"  {name:<26}{live:>16,}{proposed:>16,}{proposed - live:>+16,}"
    if len(rows) > ROWS:
        yield f"  and {len(rows) - ROWS} more"


def _people(title: str, rows: list[CustomerRow]) -> Iterator[str]:
    if not rows:
        return
    yield ""
    yield title
    for row in rows[:CUSTOMERS]:
        tier = f", {row.live_tier} → {row.proposed_tier}" if row.live_tier != row.proposed_tier else ""
        yield f"  {row.customer}  {row.gain:+,} points{tier}"


def _sides(summary: Summary) -> tuple[Side, Side, Side]:
    return summary.live, summary.proposed, summary.difference


def _number(value: Decimal | int | None, *, signed: bool) -> str:
    if value is None:
        return "-"
    return f"{value:+,}" if signed else f"{value:,}"


def _time(summary: Summary) -> str:
    first = summary.since or summary.first
    return f", {_day(first)} to {_day(summary.until)}" if first is not None else ""


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def _verb(number: int, verb: str) -> str:
    return f"{verb}s" if number == 1 else verb
