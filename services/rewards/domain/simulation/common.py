"""What two programs have in common, and is played once for both of them.

A program gives points and offers for what customers do (`earning`), and tiers with what these bring (`standing`). One
asks for the other only where a rule is for members of some tiers, and where points count towards tiers. So where both
programs have the same tiers, the proposed one is played without any: customers stand as they do under the one in force.
And customers who met the same rules all along have from the proposed program what the one in force gave them.
"""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from services.rewards.domain.concerns import NOTHING, REMEMBERED, Concern, Held, Match
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.tiering.tiers import measure_of
from shared.contracts.activity import Activity
from shared.program.model.program import Program
from shared.program.model.tiers import Measure


class Meeting(NamedTuple):
    """What an activity meets in the program in force and in the proposed one, and whether that is the same."""

    live: Match
    proposed: Match
    same: bool


class Part(NamedTuple):
    """What of the proposed program is played; the rest is as under the one in force."""

    earning: bool
    standing: bool


@dataclass(slots=True)
class _Both:
    """What a type of event may concern in either program; the conditions of both are `asked` together."""

    live: Concern
    proposed: Concern
    asked: Concern
    known: dict[tuple[Held, Held, bool], Meeting] = field(default_factory=dict)


class Common:
    """The program in force and the proposed one, with what they have in common."""

    def __init__(self, live: Rulebook, proposed: Rulebook) -> None:
        self._live, self._proposed = live, proposed
        before, after = live.program, proposed.program
        ground = (before.currency, before.time_zone) == (after.currency, after.time_zone)
        by_points = measure_of(after) is Measure.POINTS
        self._same_tiers = ground and before.tiers == after.tiers and _brought(before) == _brought(after)
        # What all customers together may have is shared out among those who are played.
        self._same_points = ground and _lasting(before) == _lasting(after) and not _shared_out(after)
        self._tiers_alone = not by_points and not any(rule.tiers for rule in after.points.earn)
        self._points_alone = self._tiers_alone and not any(rule.tiers for rule in before.points.earn)
        self._both: dict[str, _Both] = {}
        self._books = {Part(earning=True, standing=True): proposed}

    def meeting(self, activity: Activity, otherwise: Activity) -> Meeting:
        """What an activity meets; `otherwise` is the same, with the facts that the proposed program would have."""
        both = self._both.get(activity.type) or self._bring_together(activity.type)
        held = there = both.asked.held(activity)
        if otherwise is not activity:
            there = both.asked.held(otherwise)
        found = both.known.get((held, there, activity.unrewarded))
        if found is None:
            if len(both.known) >= REMEMBERED:
                both.known.clear()
            live, proposed = both.live.met(held, activity), both.proposed.met(there, activity)
            found = both.known[held, there, activity.unrewarded] = Meeting(live, proposed, live == proposed)
        return found

    def part(self, *, same_rules: bool) -> Part:
        """What is to be played of the proposed program for customers, who met the `same_rules` in both all along."""
        same_points = self._same_points and same_rules
        if same_points and self._same_tiers:
            return Part(earning=False, standing=False)
        return Part(
            earning=not (same_points and self._points_alone),
            standing=not (self._same_tiers and self._tiers_alone),
        )

    def proposed(self, part: Part) -> Rulebook:
        """The proposed program with this part of it alone."""
        book = self._books.get(part)
        if book is None:
            program = self._proposed.program
            if not part.standing:
                program = replace(program, tiers=None)
            if not part.earning:
                points = replace(program.points, earn=(), renewed_by=frozenset())
                program = replace(program, points=points, milestones=())
            book = self._books[part] = Rulebook.of(program, self._proposed.code_key)
        return book

    def _bring_together(self, type_: str) -> _Both:
        live, proposed = self._live.concerning(type_), self._proposed.concerning(type_)
        # What both ask is asked as by the program in force: days in conditions are those of its time zone.
        asked = Concern((), (), {**proposed.conditions, **live.conditions})
        both = self._both[type_] = _Both(live, proposed, asked)
        return both


def met(meeting: Meeting, part: Part) -> Match:
    """What the activity meets in this part of the proposed program."""
    return meeting.proposed if part.earning else NOTHING


def _brought(program: Program) -> dict[str, Any]:
    """The offers that tiers bring, with what decides when they are issued."""
    levels = program.tiers.levels if program.tiers is not None else ()
    offers = {offer: program.offers[offer] for level in levels for offer, _ in level.recurring}
    return {name: (offer.valid_for, offer.terms.ends) for name, offer in offers.items()}


def _lasting(program: Program) -> tuple[Any, ...]:
    """What decides about points that rules give."""
    points = program.points
    return points.expire_after, points.expire_at, points.pending_for, points.renewed_by, points.count


def _shared_out(program: Program) -> bool:
    return any(rule.cap is not None and rule.cap.program is not None for rule in program.points.earn)
