"""How the customer stands by the shop: referrals, recovery after a complaint, resilience after a late delivery.

Only good news feeds these parts, so they count only where they lift the score (`Sign.LIFTS`).
"""

from services.scoring.domain.event import Event
from services.scoring.domain.score.parts.part import FactValue, Part, Sign, View, rising, rounded
from services.scoring.domain.score.parts.trace import Trace

CONVERTED_WORTH = 3
"""A referral that became a customer counts beside its making like so many that did not."""

REFERRALS_HALF = 3
"""Referrals (weighted so) that give half of the part."""

RECOVERIES_HALF = 0.5
"""Recoveries that give half of the part: one gives 75."""


def referrals(view: View) -> int | None:
    """Friends referred: one gives 21, one who became a customer 60.

    Schmitt, Skiera and Van den Bulte 2011, "Referral programs and customer value"; and referring binds the one who
    refers (Garnefeld et al. 2013, "Growing existing customers' revenue streams through customer referral programs").
    """
    engagement = view.state.engagement
    made, converted = engagement.referrals.total, engagement.referrals_converted.total
    return rising(made + CONVERTED_WORTH * converted, REFERRALS_HALF) if made or converted else None


def recovery(view: View) -> int | None:
    """Tickets that were resolved and followed by a five-star review: one gives 75, two 94.

    The service recovery paradox: who was helped well may be more loyal than who never needed help (McCollough and
    Bharadwaj 1992; for satisfaction confirmed by the meta-analysis of de Matos, Henrique and Rossi 2007).
    """
    recoveries = view.state.feedback.recoveries
    return rising(recoveries, RECOVERIES_HALF) if recoveries else None


def resilience(view: View) -> int | None:
    """Of the late deliveries, the share that a friendly act followed, in per cent.

    Loyal customers have a wider zone of tolerance (Zeithaml, Berry and Parasuraman 1996, "The behavioral consequences
    of service quality").
    """
    deliveries, forgiven = view.state.deliveries, _forgiven(view)
    return rounded(100 * min(1.0, forgiven / max(1, deliveries.late))) if forgiven else None


def _forgiven(view: View) -> int:
    return view.state.deliveries.forgiven_by(view.state.last_order_at)


def _referral_facts(view: View) -> dict[str, FactValue]:
    engagement = view.state.engagement
    return {
        "referrals": engagement.referrals.total,
        "referrals_converted": engagement.referrals_converted.total,
    }


def _resilience_facts(view: View) -> dict[str, FactValue]:
    deliveries = view.state.deliveries
    return {"late_deliveries": deliveries.late, "forgiven": _forgiven(view)}


def _recoveries(trace: Trace) -> list[Event]:
    """Resolutions, and reviews of five stars."""
    return [
        event
        for event in trace.of("ticket.resolved", "review.posted")
        if event.record.type == "ticket.resolved" or event.record.data.get("rating") == 5
    ]


def _late(trace: Trace) -> list[Event]:
    """Deliveries that came late."""
    return [
        event
        for event in trace.of("order.delivered")
        if isinstance(event.record.data.get("days_late"), int) and event.record.data["days_late"] > 0
    ]


STANDING_BY = (
    Part(
        "referrals",
        referrals,
        _referral_facts,
        lambda trace: trace.of("referral.made", "referral.converted"),
        fields=("engagement",),
        sign=Sign.LIFTS,
    ),
    Part(
        "recovery",
        recovery,
        lambda view: {"recoveries": view.state.feedback.recoveries},
        _recoveries,
        fields=("feedback",),
        sign=Sign.LIFTS,
    ),
    Part("resilience", resilience, _resilience_facts, _late, fields=("deliveries",), sign=Sign.LIFTS),
)
