"""A verdict in one sentence: what a rule gave for an event, or what kept it from giving."""

from collections.abc import Callable, Mapping

from services.rewards.domain.explaining.verdicts import Verdict
from services.rewards.domain.skips import Why
from shared.contracts.activity import Activity
from shared.program.conditions.trace import in_words
from shared.program.model.campaigns import Campaign
from shared.program.model.earn import EarnRule, Referral
from shared.program.model.program import Program
from shared.program.values.words import in_points

Phrase = Callable[[Verdict, Activity, Program], str]

SHOWN_MAX = 5
"""Earlier times that a sentence names."""


def event_words(activity: Activity) -> str:
    """Such as `order.completed order-1001 from shop of 01 June 2026`."""
    named = f" {activity.event_id} from {activity.source}" if activity.event_id else ""
    return f"{activity.type}{named} of {activity.time:%d %B %Y}"


def verdict_sentence(verdict: Verdict, activity: Activity, program: Program) -> str:
    """One sentence about what the rule made of the event."""
    is_campaign = isinstance(verdict.rule, Campaign)
    kind, did = ("Campaign", "did") if is_campaign else ("Rule", "gave")
    event, rule = event_words(activity), f"{kind} {verdict.id} of program version {program.version}"
    if verdict.why is None:
        return f"{rule} {'brought' if is_campaign else 'gave'} {_gift(verdict)} for {event}."
    if verdict.why is Why.NOT_IN_PROGRAM:
        return f"Program version {program.version}, which counted for {event}, has no rule {verdict.id}."
    if verdict.why is Why.SAME_CAUSE:
        did = "wrote"
    return f"{rule} {did} nothing for {event}: {_REASONS[verdict.why](verdict, activity, program)}."


def event_sentence(verdicts: list[Verdict], activity: Activity) -> str:
    """One sentence about what the event brought: the rules that gave, and how many did not."""
    gave = [f"{_gift(one)} by {one.id}" for one in verdicts if one.why is None]
    others = sum(one.why is not None for one in verdicts)
    rest = (
        f"{others} other rule{'' if others == 1 else 's'}"
        if gave
        else f"{others} rule{'' if others == 1 else 's'}"
    )
    waiting = f"; {rest} that wait{'s' if others == 1 else ''} for such events gave nothing" if others else ""
    return f"{event_words(activity)} brought {' and '.join(gave) or 'nothing'}{waiting}."


def _gift(verdict: Verdict) -> str:
    given, did = verdict.given, verdict.figures.get("did")
    if isinstance(did, list):
        return " and ".join(did) or "nothing"
    gifts = [in_points(given.points)] if given.points else []
    gifts += [f"offer {offer}" for offer in given.offers]
    return " and ".join(gifts) or "nothing"


def _condition(verdict: Verdict, activity: Activity, program: Program) -> str:
    assert verdict.condition is not None
    return f"its condition was not met: {in_words(verdict.condition)}"


def _other_event(verdict: Verdict, activity: Activity, program: Program) -> str:
    if isinstance(verdict.rule, Referral):
        return "it gives once a friend's first order has been kept"
    waits = verdict.rule.on if verdict.rule is not None else None
    return f"it waits for {waits}"


def _not_due(verdict: Verdict, activity: Activity, program: Program) -> str:
    due, zone = verdict.figures.get("due_at"), program.time_zone
    return "it waits" + (
        f" until {due.astimezone(zone):%d %B %Y %H:%M} ({zone.key})" if due is not None else ""
    )


def _goal_reached(verdict: Verdict, activity: Activity, program: Program) -> str:
    at = verdict.figures.get("goal_reached_at")
    on = f" on {at.astimezone(program.time_zone):%d %B %Y}" if at is not None else ""
    return f"its goal was reached{on}, before it was due"


def _limit(verdict: Verdict, activity: Activity, program: Program) -> str:
    if isinstance(verdict.rule, Campaign):
        return f"it had begun as often as it may{_before(verdict.figures)}"
    return f"it had given as often as it may{_before(verdict.figures)}"


def _reached(verdict: Verdict, activity: Activity, program: Program) -> str:
    return f"it had been reached already{_before(verdict.figures)}"


def _count(verdict: Verdict, activity: Activity, program: Program) -> str:
    figures = verdict.figures
    if "fact" not in figures:
        return "what it counts had not come so far"
    return f"{figures['fact']} had come to {figures['is']}, and it is reached at {figures['of']}"


def _before(figures: Mapping[str, object]) -> str:
    before = figures.get("given_before")
    if not isinstance(before, list) or not before:
        return ""
    days = [f"{use['at']:%d %B %Y}" for use in before[-SHOWN_MAX:]]
    return f", on {' and '.join(days)}"


def _told_before(verdict: Verdict, activity: Activity, program: Program) -> str:
    order = activity.data.get("order_id")
    return f"order {order} was known already, and an order earns once, however often it is told"


def _other_currency(verdict: Verdict, activity: Activity, program: Program) -> str:
    return f"the order is in {activity.data.get('currency')}, and points are given for {program.currency}"


def _no_whole_point(verdict: Verdict, activity: Activity, program: Program) -> str:
    total, currency = activity.data.get("total"), activity.data.get("currency")
    return f"what counts of {total} {currency} comes to less than one whole point"


def _other_date(verdict: Verdict, activity: Activity, program: Program) -> str:
    rule, zone = verdict.rule, program.time_zone
    assert isinstance(rule, EarnRule)
    begins = f" from {rule.begins.astimezone(zone):%d %B %Y %H:%M}" if rule.begins is not None else ""
    ends = f" until {rule.ends.astimezone(zone):%d %B %Y %H:%M}" if rule.ends is not None else ""
    return f"it counts{begins}{ends} ({zone.key})"


def _other_tier(verdict: Verdict, activity: Activity, program: Program) -> str:
    assert isinstance(verdict.rule, EarnRule)
    return f"it is for tier {' or '.join(sorted(verdict.rule.tiers))}, which the customer did not have then"


def _minimum_order(verdict: Verdict, activity: Activity, program: Program) -> str:
    assert isinstance(verdict.rule, EarnRule)
    return f"{activity.data.get('total')} {program.currency} were paid, and it asks for {verdict.rule.minimum_order}"


def _not_kept_yet(verdict: Verdict, activity: Activity, program: Program) -> str:
    at = verdict.figures.get("decided_at")
    when = f", which is looked at on {at:%d %B %Y}" if at is not None else ""
    return f"the friend's first order has yet to be kept for long enough{when}"


def _fixed(text: str) -> Phrase:
    return lambda verdict, activity, program: text


_REASONS: dict[Why, Phrase] = {
    Why.OTHER_EVENT: _other_event,
    Why.CONDITION: _condition,
    Why.UNREWARDED: _fixed("the event was imported as history that earns nothing"),
    Why.LIMIT: _limit,
    Why.REACHED_BEFORE: _reached,
    Why.COUNT: _count,
    Why.TOLD_BEFORE: _told_before,
    Why.OTHER_CURRENCY: _other_currency,
    Why.NO_WHOLE_POINT: _no_whole_point,
    Why.NOTHING_TO_MULTIPLY: _fixed("no rule gave points for what was paid, which it would have multiplied"),
    Why.OTHER_DATE: _other_date,
    Why.OTHER_TIER: _other_tier,
    Why.MINIMUM_ORDER: _minimum_order,
    Why.NO_PRODUCT: _fixed("none of the order's products is one that it is for"),
    Why.CAP: _fixed("it had given as many points as it may"),
    Why.NO_FRIEND: _fixed("nobody has come by this referral"),
    Why.NO_ORDER_KEPT: _fixed("the friend has no order that counts and was kept"),
    Why.NOT_KEPT_YET: _not_kept_yet,
    Why.FRIEND_KNOWN: _fixed("the friend was a customer before"),
    Why.SELF_REFERRED: _fixed("who brought and who came are one customer"),
    Why.HISTORICAL: _fixed("the event was imported as history, on which no campaign begins"),
    Why.HELD_OUT: _fixed(
        "the customer is in its hold-out, which is left alone so that its effect can be measured"
    ),
    Why.SAME_CAUSE: _fixed("an earlier campaign of the file writes about the same; all else was done"),
    Why.GOAL_REACHED: _goal_reached,
    Why.NOT_DUE: _not_due,
    Why.UNMET: _fixed("what it began on held no more when it was due"),
    Why.GONE: _fixed("the program that was in force when it was due had it no longer"),
    Why.STATE_CHANGED: _fixed(
        "by what is known now it would have given, but what was known then can no longer be told"
    ),
}
