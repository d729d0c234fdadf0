"""Plain sentences for rules: what a customer, or whoever asks why, can read without the file at hand."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from shared.program.model.campaigns import Action, Campaign
from shared.program.model.earn import Cap, EarnRule, Products, Referral
from shared.program.model.ids import OFFER, REWARD, RULE, SEGMENT
from shared.program.model.limit import Limit
from shared.program.model.offers import Gift, OfferTemplate, Reward, Terms
from shared.program.model.program import Count, Milestone, Program, Redeem
from shared.program.model.tiers import Basis, Benefit, Measure, TierLevel
from shared.program.values.period import Period
from shared.program.values.words import in_digits, in_money, in_points, in_times, in_words
from shared.program.vocabulary.occasions import AHEAD


def describe(program: Program) -> Mapping[str, str]:
    """A sentence for everything in the program that has an id, by `kind:id` (as in `ids_of`)."""
    said: dict[str, str] = {}
    for earn in program.points.earn:
        said[f"{RULE}:{earn.id}"] = describe_earn_rule(earn, program)
    referral = program.points.referral
    if referral is not None:
        said[f"{RULE}:{referral.id}"] = describe_referral(referral, program.currency)
    for level in program.tiers.levels if program.tiers else ():
        said[f"{RULE}:{level.id}"] = describe_tier(level, program)
    for milestone in program.milestones:
        said[f"{RULE}:{milestone.id}"] = describe_milestone(milestone)
    for campaign in program.campaigns:
        said[f"{RULE}:{campaign.id}"] = describe_campaign(campaign)
    for offer in program.offers.values():
        said[f"{OFFER}:{offer.id}"] = describe_offer(offer, program.currency)
    for reward in program.rewards.values():
        said[f"{REWARD}:{reward.id}"] = describe_reward(reward, program.currency)
    for name, condition in program.segments.items():
        said[f"{SEGMENT}:{name}"] = f"customers for whom {condition.source}"
    return said


def describe_rule(program: Program, rule_id: str) -> str | None:
    """The sentence of the rule (earn rule, milestone, campaign, tier) with that id; None when there is none."""
    return describe(program).get(f"{RULE}:{rule_id}")


def describe_earn_rule(rule: EarnRule, program: Program) -> str:
    """Such as `1 point per USD of what was paid, on order.completed`."""
    paid = f"what was paid{_products(rule)}"
    if rule.points_per_unit is not None:
        gives = f"{in_points(rule.points_per_unit)} per {program.currency} of {paid}"
    elif rule.multiply is not None:
        gives = f"{in_digits(rule.multiply)} times the points for {paid}"
    else:
        gives = in_points(rule.points or 0) + _products(rule)
    least = f" of {in_money(rule.minimum_order, program.currency)} or more" if rule.minimum_order else ""
    when = f", when {rule.when.source}" if rule.when else ""
    members = f", for {' and '.join(sorted(rule.tiers))}" if rule.tiers else ""
    dates = _dates(rule, program.time_zone)
    return f"{gives}, on {rule.on}{least}{when}{members}{dates}{_limit(rule.limit)}{_cap(rule.cap)}"


def describe_referral(referral: Referral, currency: str) -> str:
    """Such as `300 points for who brings a friend, 100 points for the friend, once ...`."""
    sides = ((referral.points, "who brings a friend"), (referral.friend, "the friend"))
    gives = ", ".join(f"{in_points(many)} for {whom}" for many, whom in sides if many is not None)
    least = f" of {in_money(referral.minimum_order, currency)} or more" if referral.minimum_order else ""
    kept = f"once the friend's first order{least} has been kept for {in_words(referral.kept_for)}"
    return f"{gives}, {kept}{_limit(referral.limit)}"


def describe_milestone(milestone: Milestone) -> str:
    """Such as `offer fifth, when customer.orders == 5`."""
    gives = [in_points(milestone.points)] if milestone.points is not None else []
    gives += [f"offer {milestone.offer}"] if milestone.offer else []
    on = f", on {milestone.on}" if milestone.on else ""
    when = f", when {milestone.when.source}" if milestone.when else ""
    return " and ".join(gives) + on + when + (_count(milestone.count) if milestone.count else "")


def _count(count: Count) -> str:
    """Such as `, at 5 orders`, `, every 1000 spend`."""
    return f", {describe_count(count)}"


def describe_count(count: Count) -> str:
    """Such as `at 5 orders`, `every 1000 spend`."""
    return f"{'every' if count.each else 'at'} {in_digits(count.of)} {count.fact.replace('_', ' ')}"


def describe_tier(level: TierLevel, program: Program) -> str:
    """Such as `Gold: from 200.01 USD spent within 12 months, kept for 12 months; brings free-shipping`."""
    assert program.tiers is not None
    how = (
        f"from {describe_reached(level.at, program.tiers.basis, program.currency)}"
        if level.at
        else "from the start"
    )
    kept = f", kept for {in_words(level.keep_for)}" if level.keep_for else ""
    brings = ", ".join(_benefit(benefit) for benefit in level.benefits)
    return f"{level.name}: {how}{kept}" + (f"; brings {brings}" if brings else "")


def describe_offer(offer: OfferTemplate, currency: str) -> str:
    """Such as `15 % off, valid for 1 month, once`."""
    if offer.code is not None:
        how = f", with the code {offer.code}"
    else:
        assert offer.valid_for is not None
        how = f", valid for {in_words(offer.valid_for)}, {in_times(offer.uses)}"
    together = ", together with others" if offer.combinable else ""
    return describe_gift(offer, currency) + how + _terms(offer.terms, currency) + together


def describe_reward(reward: Reward, currency: str) -> str:
    """Such as `a gift: mug, for 800 points, once per year`."""
    return (
        f"{describe_gift(reward, currency)}, for {in_points(reward.points)}{_terms(reward.terms, currency)}"
    )


def describe_campaign(campaign: Campaign) -> str:
    """Such as `on stage.changed, when event.to == 'lapsed': offer miss-you`."""
    when = f", when {campaign.when.source}" if campaign.when else ""
    after = _waits(campaign)
    if campaign.variants:
        does = "; ".join(
            f"{one.id} ({in_digits(one.share)} %): {_actions(one.do)}" for one in campaign.variants
        )
    else:
        does = _actions(campaign.do)
    held = f"; {in_digits(campaign.holdout)} % held out" if campaign.holdout else ""
    return f"on {campaign.on}{after}{when}: {does}{_limit(campaign.limit)}{held}"


def _waits(campaign: Campaign) -> str:
    if campaign.after is None:
        return ""
    if campaign.on == AHEAD:
        return f", {in_words(campaign.after)} before"
    whatever = "" if campaign.recheck else ", whatever has become of it"
    return f", after {in_words(campaign.after)}{whatever}"


def _actions(actions: Sequence[Action]) -> str:
    return ", ".join(describe_action(action) for action in actions)


def describe_action(action: Action) -> str:
    """Such as `50 points`, `offer miss-you`, `message we-miss-you`."""
    if action.points is not None:
        return in_points(action.points)
    named = {name: getattr(action, name) for name in ("offer", "message", "tag", "alert", "webhook")}
    return next((f"{name} {value}" for name, value in named.items() if value is not None), "nothing")


def describe_redeem(redeem: Redeem, currency: str) -> str:
    """Such as `100 points are worth 1.00 USD; at least 500 points at once`."""
    are = "is" if redeem.points == 1 else "are"
    least = f"; at least {in_points(redeem.minimum)} at once"
    return f"{in_points(redeem.points)} {are} worth {in_money(redeem.value, currency)}{least}"


def describe_gift(gift: Gift, currency: str) -> str:
    """Such as `15 % off, at most 20 USD`, `10 USD off`, `free shipping`, `a gift: tote-bag`."""
    if gift.percent is not None:
        bound = f", at most {in_money(gift.at_most, currency)}" if gift.at_most is not None else ""
        return f"{in_digits(gift.percent)} % off{bound}"
    if gift.amount is not None:
        return f"{in_money(gift.amount, currency)} off"
    return "free shipping" if gift.free_shipping else f"a gift: {gift.gift}"


def _terms(terms: Terms, currency: str) -> str:
    said = []
    if terms.products or terms.categories:
        said.append("on " + ", ".join([*sorted(terms.products), *sorted(terms.categories)]))
    if terms.minimum_order is not None:
        said.append(f"on orders of {in_money(terms.minimum_order, currency)} or more")
    if terms.tiers:
        said.append(f"for {' and '.join(sorted(terms.tiers))}")
    if terms.begins is not None:
        said.append(f"from {terms.begins:%Y-%m-%d %H:%M} UTC")
    if terms.ends is not None:
        said.append(f"until {terms.ends:%Y-%m-%d %H:%M} UTC")
    if terms.stock is not None:
        said.append(f"{terms.stock} in all")
    return "".join(f", {each}" for each in said) + _limit(terms.limit)


def describe_reached(at: Decimal, basis: Basis, currency: str) -> str:
    """Such as `200.01 USD spent within 12 months`, `5 orders within a calendar year`."""
    if basis.measure is Measure.SPEND:
        what = f"{in_money(at, currency)} spent"
    elif basis.measure is Measure.POINTS:
        what = f"{in_points(at)} earned"
    else:
        what = f"{in_digits(at)} order" + ("" if at == 1 else "s")
    if basis.over is not None:
        return f"{what} within {in_words(basis.over)}"
    return f"{what} within {'a calendar year' if basis.year == 'calendar_year' else 'a year of membership'}"


def _benefit(benefit: Benefit) -> str:
    if benefit.every is None:
        return benefit.perk or f"offer {benefit.offer}"
    return f"offer {benefit.offer} every {in_words(benefit.every).removeprefix('1 ')}"


def _limit(limit: Limit | None) -> str:
    return "" if limit is None else f", at most {describe_limit(limit)}"


def describe_limit(limit: Limit) -> str:
    """Such as `once`, `2 times per month`, `once per network`."""
    if limit.per is None:
        return in_times(limit.times)
    per = in_words(limit.per).removeprefix("1 ") if isinstance(limit.per, Period) else limit.per
    return f"{in_times(limit.times)} per {per}"


def _cap(cap: Cap | None) -> str:
    if cap is None:
        return ""
    each = (("an order", cap.order), ("a day", cap.day), ("a month", cap.month))
    parts = [f"{in_points(many)} {per}" for per, many in each if many is not None]
    parts += [f"{in_points(cap.customer)} in all"] if cap.customer is not None else []
    parts += [f"{in_points(cap.program)} for all customers together"] if cap.program is not None else []
    return f", at most {', '.join(parts)}"


def _products(rule: EarnRule) -> str:
    only = f" for {describe_products(rule.only)}" if rule.only else ""
    return only + (f" without {describe_products(rule.without)}" if rule.without else "")


def describe_products(products: Products) -> str:
    """Such as `Toys, mug-1`: categories, then products."""
    return ", ".join((*sorted(products.categories), *sorted(products.products)))


def _dates(rule: EarnRule, zone: ZoneInfo) -> str:
    starts = f" from {_moment(rule.begins, zone)}" if rule.begins else ""
    ends = f" until {_moment(rule.ends, zone)}" if rule.ends else ""
    return f",{starts}{ends}" if starts or ends else ""


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
