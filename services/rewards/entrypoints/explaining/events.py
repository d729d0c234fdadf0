"""Why, and why not, by event: what each rule that waits for such events made of it."""

from datetime import datetime

from services.rewards.adapters import explaining
from services.rewards.adapters.campaigns import runs as campaign_runs
from services.rewards.adapters.explaining import Effects
from services.rewards.adapters.history import activities
from services.rewards.domain.campaigns.verdicts import campaign_verdicts
from services.rewards.domain.explaining.referral_verdicts import referral_verdict
from services.rewards.domain.explaining.verdict_words import event_sentence, verdict_sentence
from services.rewards.domain.explaining.verdicts import Given, Verdict, as_before, verdicts
from services.rewards.domain.matching import match
from services.rewards.domain.members.parting import is_parting
from services.rewards.domain.needs import Needs
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.accounts import Kind
from services.rewards.entrypoints.explaining.base import Teller
from services.rewards.entrypoints.explaining.entries import LOTS_SHOWN, lots_view
from services.rewards.entrypoints.explaining.schemas import Explanation, rule_view
from shared.contracts.activity import Activity
from shared.contracts.events import event_key
from shared.http.problems import ProblemError, invalid_request, not_found
from shared.program.versions.reading import read_version_at

GIVING = frozenset(Kind) - {Kind.SETTLE}
"""What an event itself moves; a debt that is paid from its points comes of another one."""
SEARCHED_MAX = 2_000
"""Of the customer's newest events so many are looked through for one that is named without its source."""


async def explain_event(teller: Teller, event: str, source: str | None, rule: str | None) -> Explanation:
    """What the event brought, by every rule or by one. `event` is the id that its sender gave it, with `source` or
    without, or the `cause` of a ledger entry. Raises the 404 and 422 problems."""
    activity = await _find(teller, event, source)
    customers = [*await explaining.family(teller.connection, teller.customer), activity.customer_id]
    effects = await explaining.effects(teller.connection, customers, activity.id)
    taken = await explaining.taken(teller.connection, activity.id)
    assert taken is not None, "the record was found by it"
    rulebook = await _rulebook(teller, effects, taken[0])
    found = await _verdicts(teller, activity, rulebook, effects, taken, rule)
    program = rulebook.program
    answer = await teller.base(rule, program.version, activity.id, activity)
    sentence = (
        event_sentence(found, activity) if rule is None else verdict_sentence(found[0], activity, program)
    )
    lots = await explaining.lots(
        teller.connection, customers, customers, activity.id, GIVING, most=LOTS_SHOWN
    )
    rules = [
        rule_view(one, activity, program, await teller.rule_words(one.id, program.version)) for one in found
    ]
    return answer.model_copy(update={"sentence": sentence, "rules": rules, **lots_view(lots)})


async def _verdicts(  # noqa: PLR0917
    teller: Teller,
    activity: Activity,
    rulebook: Rulebook,
    effects: Effects,
    taken: tuple[datetime, int],
    rule: str | None,
) -> list[Verdict]:
    connection, (decided_at, number) = teller.connection, taken
    member = await teller.service.reader.member(connection, teller.customer, None)
    needs = Needs(decided_at)
    needs.add(member.customer_id, activity, match(activity, rulebook))
    await teller.service.members.load(connection, {member.customer_id: member}, needs, None)
    part = activity.part or activity.customer_id
    member.part = None if part == member.customer_id else part
    used = [*(use for uses in member.uses.values() for use in uses), *member.milestones.values()]
    later = await explaining.later(connection, [use.cause for use in used], number)
    tier = await explaining.tier_before(connection, activity.customer_id, activity.id, decided_at, number)
    before = as_before(member, activity, tier, later)
    found = verdicts(activity, before, rulebook, effects.given, now=decided_at, rule=rule)
    found = await _with_referral(teller, activity, rulebook, effects, rule, found)
    return await _with_campaigns(teller, activity, number, rulebook, effects, rule, found)


async def _with_campaigns(  # noqa: PLR0917
    teller: Teller,
    activity: Activity,
    number: int,
    rulebook: Rulebook,
    effects: Effects,
    rule: str | None,
    found: list[Verdict],
) -> list[Verdict]:
    """The same, with what the campaigns made of it."""
    customers = [*await explaining.family(teller.connection, teller.customer), activity.customer_id]
    campaigns = rulebook.program.campaigns
    limited = {one.id: one.limit.times for one in campaigns if one.limit is not None}
    began, before = await campaign_runs.beside_event(
        teller.connection, customers, activity.id, number, limited
    )
    own = campaign_verdicts(activity, rulebook, began, before, effects.given, rule)
    told = {one.id for one in own}
    return [*(one for one in found if one.id not in told), *own]


async def _with_referral(  # noqa: PLR0917
    teller: Teller,
    activity: Activity,
    rulebook: Rulebook,
    effects: Effects,
    rule: str | None,
    found: list[Verdict],
) -> list[Verdict]:
    """The same, with what became of a referral that the event tells of, or that was asked about."""
    referral = rulebook.program.points.referral
    named = activity.data.get("referral_id")
    if referral is None or (rule != referral.id if rule is not None else not named):
        return found
    customers = await explaining.family(teller.connection, teller.customer)
    bringer = activity.type == "referral.made"
    friend = None
    if named:
        friend = await explaining.friend(teller.connection, customers, str(named), bringer=bringer)
    own = referral_verdict(referral, activity, friend, effects.given.get(referral.id, Given()))
    return [*(one for one in found if one.id != referral.id), own]


async def _rulebook(teller: Teller, effects: Effects, decided_at: datetime) -> Rulebook:
    """The version with which it was decided: what it led to names it; else it is the one in force at that moment."""
    version = effects.version
    if version is None:
        version = await read_version_at(teller.connection, decided_at)
    return await teller.service.programs.version(teller.connection, version)


async def _find(teller: Teller, event: str, source: str | None) -> Activity:
    if source is not None:
        found = await activities.find(teller.connection, event_key(source, event).hex())
    else:
        found = await activities.find(teller.connection, event) or await _search(teller, event)
    if found is None or is_parting(found) or not await _belongs(teller, found):
        raise not_found(
            "This customer has no such event, or its record is no longer kept."
            + ("" if source is not None else " Events far back are found by their source: give it too.")
        )
    return found


async def _belongs(teller: Teller, activity: Activity) -> bool:
    """Whether the part of the activity is this customer's now."""
    part = activity.part or activity.customer_id
    owner, _ = (await teller.service.members.parts(teller.connection, [part])).get(
        part, (activity.customer_id, 0)
    )
    return owner in await explaining.family(teller.connection, teller.customer)


async def _search(teller: Teller, event: str) -> Activity | None:
    """The event of that id among the customer's newest ones, whoever sent it."""
    customers = await explaining.family(teller.connection, teller.customer)
    recent = await activities.of_customers(teller.connection, customers, SEARCHED_MAX)
    found = {each.source: each for _, each in recent if each.event_id == event}
    if len(found) > 1:
        named = ", ".join(sorted(found))
        error = ProblemError("", "ambiguous", f"several sources sent such an event: {named}", "source")
        raise invalid_request(error)
    return next(iter(found.values()), None)
