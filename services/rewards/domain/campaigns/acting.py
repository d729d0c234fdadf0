"""A campaign acts: it gives points and offers, asks for messages, tags and webhooks, and raises alerts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from services.rewards.domain.campaigns.occasions import Occasion
from services.rewards.domain.changes import Changes, IssuedOffer
from services.rewards.domain.experiments.arms import HOLDOUT
from services.rewards.domain.issuing import issue_offer
from services.rewards.domain.points import ledger
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.state.lots import lot_number
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.messages import AskedMessage
from services.rewards.domain.state.runs import Run, State
from services.rewards.domain.tiering import tiers
from shared.alerts.alert import NewAlert
from shared.contracts.facts import Facts
from shared.contracts.outcomes import MessageDue, message_id
from shared.program.model.campaigns import Action

MESSAGE_LASTS = timedelta(days=7)
"""From when it is due; after that nobody wants to hear of it any more."""
DETAILS_MAX = 20
DETAIL_MAX = 200
"""Characters of a detail of an alert."""
TOLD_MAX = 2_000
"""Characters of all of them, names and texts: far below what an alert carries, however they are written."""
SUBJECTS = ("ticket_id", "contract_id", "account_id", "subscription_id", "order_id")
"""What an alert may be about, beside the customer."""


def act(  # noqa: PLR0917
    member: Member,
    run: Run,
    actions: Sequence[Action],
    occasion: Occasion,
    rulebook: Rulebook,
    changes: Changes,
) -> None:
    """Do what the run is for. Points and offers come first, so that a message can tell of them, in whichever order the
    file has them."""
    run.changed, run.event = True, None
    changes.keep_run(member, run)
    if run.arm == HOLDOUT:
        run.state = State.HELD_OUT
        return
    run.state = State.SUPERSEDED if run.silent else State.DONE
    points = sum(action.points for action in actions if action.points is not None)
    if points:
        _give_points(member, run, points, rulebook, changes)
    offers = [
        _give_offer(member, run, action.offer, index, rulebook, changes)
        for index, action in enumerate(actions)
        if action.offer is not None
    ]
    run.points, run.codes = points, " ".join(each.code for each in offers) or None
    offer = _told(offers[0]) if offers else _offer_of(occasion, member, changes)
    for index, action in enumerate(actions):
        if action.message is not None and not run.silent:
            context = _context(member, occasion, occasion.facts or {}, offer, rulebook)
            _ask_for_message(member, run, action.message, index, context, rulebook, changes)
        elif action.tag is not None:
            _tell(member, run, "tag.due", index, {"tag": action.tag}, changes)
        elif action.webhook is not None:
            facts = structs.asdict(occasion.facts) if occasion.facts is not None else {}
            context = _context(member, occasion, facts, offer, rulebook)
            data = {"webhook": action.webhook, "arm": run.arm, "context": context}
            _tell(member, run, "webhook.due", index, data, changes)
        elif action.alert is not None:
            changes.alerts.append(_alert(member, run, action.alert, occasion, changes))


def _give_points(member: Member, run: Run, points: int, rulebook: Rulebook, changes: Changes) -> None:
    lot = ledger.open_lot(
        member, lot_number(run.run, run.campaign), run.due_at, rulebook.program, now=changes.now
    )
    ledger.earn(
        member,
        changes,
        lot,
        points,
        rule=run.campaign,
        cause=run.root,
        at=run.due_at,
        key=member.key(f"campaign/{run.campaign}/{run.run}"),
    )
    given = [{"rule": run.campaign, "points": points}]
    data = {"points": points, "rules": given, "available": member.spendable(), "run": run.run}
    changes.tell(member, "points.earned", id_=f"{run.run}/earned", cause=run.root, data=data)


def _give_offer(  # noqa: PLR0917
    member: Member, run: Run, offer: str, index: int, rulebook: Rulebook, changes: Changes
) -> IssuedOffer:
    occasion = f"/{run.run}/{index}"
    rule, cause = run.campaign, run.root
    issue_offer(
        member, rulebook, changes, offer=offer, rule=rule, cause=cause, historical=False, occasion=occasion
    )
    return changes.offers[-1]


def _told(offer: IssuedOffer) -> dict[str, Any]:
    """What a message may tell of an offer."""
    gives = {"percent": offer.percent, "amount": offer.amount, "free_shipping": offer.free_shipping}
    ends = {"valid_until": offer.valid_until, "uses": offer.uses, "currency": offer.currency}
    return {"code": offer.code, "name": offer.offer, **ends, **gives, "gift": offer.gift}


def _offer_of(occasion: Occasion, member: Member, changes: Changes) -> dict[str, Any] | None:
    """The offer that the occasion itself brought: of a milestone, or of a tier."""
    rule = occasion.told.get("milestone") or occasion.told.get("rule")
    if occasion.type not in {"offer.issued", "milestone.reached"}:
        return None
    for offer in changes.offers:
        own = offer.customer_id == member.customer_id and offer.rule == rule and offer.cause == occasion.root
        if own and occasion.told.get("code") in {None, offer.code}:
            return _told(offer)
    code = occasion.told.get("code")
    return None if code is None else {"name": occasion.told.get("offer"), **occasion.told}


def _context(
    member: Member,
    occasion: Occasion,
    facts: Facts | dict[str, Any],
    offer: dict[str, Any] | None,
    rulebook: Rulebook,
) -> dict[str, Any]:
    """What a message may speak of: the event, the customer's facts, points, tier and offer as they are now. `Facts`
    travel without the empty ones, which are most of them."""
    rules = rulebook.program.tiers
    return {
        "event": occasion.told,
        "customer": facts,
        "points": member.spendable(),
        "tier": rules.levels[tiers.current_level(rules, member)].name if rules is not None else None,
        "offer": offer,
    }


def _ask_for_message(  # noqa: PLR0917
    member: Member,
    run: Run,
    message: str,
    index: int,
    context: dict[str, Any],
    rulebook: Rulebook,
    changes: Changes,
) -> None:
    expires_at = run.due_at + MESSAGE_LASTS
    offer = context["offer"]
    until = offer.get("valid_until") if offer is not None else None
    if isinstance(until, datetime):
        expires_at = min(expires_at, until)
    template = rulebook.program.templates.get(message)
    due = MessageDue(
        campaign=run.campaign,
        run=run.run,
        part=run.part or member.customer_id,
        message=message,
        arm=run.arm,
        purpose=template.purpose if template is not None else "marketing",
        context=context,
        caused_at=run.started_at,
        expires_at=expires_at,
    )
    run.wrote = True
    _tell(member, run, "message.due", index, structs.asdict(due), changes)
    asked = message_id(changes.outcomes[-1].id)
    changes.messages.append(
        AskedMessage(asked, member.customer_id, run.run, run.campaign, run.part, changes.now)
    )


def _tell(  # noqa: PLR0917
    member: Member, run: Run, type_: str, index: int, data: dict[str, Any], changes: Changes
) -> None:
    """An outcome of the run."""
    common = {"campaign": run.campaign, "run": run.run, "part": run.part or member.customer_id}
    changes.tell(member, type_, id_=f"{run.run}/{type_}/{index}", cause=run.moment, data={**common, **data})


def _alert(member: Member, run: Run, kind: str, occasion: Occasion, changes: Changes) -> NewAlert:
    subject = next(
        (f"{key[:-3]}:{occasion.told[key]}" for key in SUBJECTS if _is_id(occasion.told.get(key))), ""
    )
    facts = occasion.facts
    known = (
        {} if facts is None else {"stage": facts.stage, "score": facts.score, "spend_12m": facts.spend_12m}
    )
    return NewAlert(
        kind=kind,
        cause=run.root,
        at=changes.now,
        customer_id=member.customer_id,
        part=run.part,
        subject=subject,
        rule=run.campaign,
        program_version=changes.version,
        details={"run": run.run, "event": _details(occasion.told), **known},
    )


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= DETAIL_MAX


def _details(told: dict[str, Any]) -> dict[str, Any]:
    """Of what an occasion tells the first figures and short texts: an event of the shop's own may be of any size."""
    details: dict[str, Any] = {}
    left = TOLD_MAX
    for key, value in told.items():
        is_text = isinstance(value, str)
        if not (isinstance(value, bool | int | float) or (is_text and len(value) <= DETAIL_MAX)):
            continue
        left -= len(key) + (len(value) if is_text else 0)
        if left < 0 or len(details) == DETAILS_MAX:
            break
        details[key] = value
    return details
