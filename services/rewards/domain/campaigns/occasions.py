"""Occasions: what of an activity, or of what rewards has just decided, campaigns begin on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.rewards.domain.members.parting import PARTINGS
from services.rewards.domain.rulebook import Rulebook
from services.rewards.domain.skips import Why
from shared.contracts.activity import Activity, Facts
from shared.contracts.outcomes import Outcome
from shared.program.conditions.condition import ConditionContext
from shared.program.model.campaigns import Campaign
from shared.program.values.period import Period
from shared.program.vocabulary.occasions import counts_silence

STAGE, ENTERED, LEFT = "stage.changed", "segment.entered", "segment.left"
ASKED = ("source", "received", "late", "historical")
"""What conditions may ask of every event, beside its type and time."""
COMMON = "__common"
"""Under which these are kept: no field of an event is called so."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something that a campaign may begin on. `cause` names it, `root` the activity (or what time did) behind it, `at`
    is when it was. `told` is what it tells, in plain JSON; `facts` are the customer's right after it (None: nothing of
    the customer is known). `event` is what conditions look at. `late`: something of a later time was known already."""

    type: str
    cause: str
    root: str
    at: datetime
    told: dict[str, Any]
    facts: Facts | None
    event: Activity | dict[str, Any]
    late: bool = False
    unrewarded: bool = False

    def context(self) -> ConditionContext:
        """What conditions look at."""
        return ConditionContext(self.facts or {}, self.event)

    def kept(self) -> dict[str, Any]:
        """What is kept of it while a run waits: what it tells, and beside it what conditions may ask of every event."""
        event = self.event
        common = {
            key: getattr(event, key) if isinstance(event, Activity) else event.get(key) for key in ASKED
        }
        return {**self.told, COMMON: common}


def split(kept: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an occasion tells, and the event that conditions look at, of what was kept of it."""
    told = {key: value for key, value in kept.items() if key != COMMON}
    return told, {**told, **kept.get(COMMON, {})}


def concerns(activity: Activity, rulebook: Rulebook) -> bool:
    """Whether it may be an occasion: quickly, as nearly no activity is."""
    if activity.type in rulebook.campaigns:
        return True
    if not (activity.changes and rulebook.campaigns_on_changes):
        return False
    return any(change.what != "score" for change in activity.changes)


def hopeful(type_: str, told: Mapping[str, Any], rulebook: Rulebook) -> bool:
    """Whether a campaign may begin on what is told so, by the texts that its condition cannot do without: quickly, as
    on nearly nothing one does."""
    return any(
        campaign.when is None
        or all(_may_be(told.get(key), texts) for key, texts in campaign.when.texts.items())
        for campaign in rulebook.campaigns.get(type_, ())
    )


def _may_be(value: object, texts: frozenset[str]) -> bool:
    """Whether it may be one of these texts. What is more than a text is for the condition to compare."""
    return value in texts if type(value) is str else value is not None


def occasions_of(activity: Activity, rulebook: Rulebook, *, only_hopeful: bool = False) -> Iterator[Occasion]:
    """What of an activity some campaign begins on; of what changed, if asked, only that on which one may. History
    brings up nothing, nor does it that somebody proved to be somebody else, or that the same events were looked at
    anew."""
    if activity.historical or activity.type in PARTINGS:
        return
    if activity.type in rulebook.campaigns:
        yield _of_activity(activity, activity.type, activity.id, activity.time, activity.data, activity)
    if activity.changes and rulebook.campaigns_on_changes:
        for type_, name, at, data in _changes(activity):
            if hopeful(type_, data, rulebook) if only_hopeful else type_ in rulebook.campaigns:
                yield _of_change(activity, type_, f"{activity.id}/{name}", at, data)


def _changes(activity: Activity) -> Iterator[tuple[str, str, datetime, dict[str, Any]]]:
    """Of several changes of stage the last one, which is where the customer is; each segment."""
    stage = None
    for change in activity.changes:
        at = change.at or activity.time
        if change.what == "stage":
            stage = (STAGE, "stage", at, {"from": change.old, "to": change.new})
        elif change.what == "segment":
            type_, segment = (ENTERED, change.new) if change.new is not None else (LEFT, change.old)
            yield type_, f"{type_}/{segment}", at, {"segment": segment}
    if stage is not None and activity.type != STAGE:
        yield stage


def _of_change(activity: Activity, type_: str, cause: str, at: datetime, data: dict[str, Any]) -> Occasion:
    common = {"source": activity.source, "received": activity.received, "late": activity.late}
    event = {**data, **common, "type": type_, "time": at, "historical": False}
    return _of_activity(activity, type_, cause, at, data, event)


def _of_activity(  # noqa: PLR0917
    activity: Activity,
    type_: str,
    cause: str,
    at: datetime,
    data: dict[str, Any],
    event: Activity | dict[str, Any],
) -> Occasion:
    return Occasion(
        type=type_,
        cause=cause,
        root=activity.id,
        at=at,
        told={**data, "type": type_, "time": at},
        facts=activity.facts,
        event=event,
        late=activity.late,
        unrewarded=activity.unrewarded,
    )


def occasion_of(outcome: Outcome, facts: Facts | None, activity: Activity | None = None) -> Occasion:
    """What rewards has just decided, as an occasion; because of `activity`, if not of time."""
    at = outcome.time if activity is None else activity.time
    told = {**outcome.data, "type": outcome.type, "time": at}
    event = {**told, "historical": False}
    unrewarded = activity is not None and activity.unrewarded
    return Occasion(outcome.type, outcome.id, outcome.cause, at, told, facts, event, unrewarded=unrewarded)


def begun(occasion: Occasion, rulebook: Rulebook) -> list[Campaign]:
    """The campaigns that begin on the occasion, in the order of the file: those of its type whose condition holds, and
    who wait for a silence that is so long. What earns nothing brings no points or offers, nor word of them."""
    waiting = rulebook.campaigns.get(occasion.type, ())
    if not waiting:
        return []
    context = occasion.context()
    return [campaign for campaign in waiting if hindrance(campaign, occasion, context) is None]


def hindrance(campaign: Campaign, occasion: Occasion, context: ConditionContext) -> Why | None:
    """What keeps a campaign of the occasion's type from beginning on it, limits aside; None: nothing."""
    if counts_silence(campaign.on) and not _lasted(occasion, campaign):
        return Why.OTHER_EVENT
    if occasion.unrewarded and any(action.points or action.offer for action in campaign.actions()):
        return Why.UNREWARDED
    return None if campaign.when is None or context.holds(campaign.when) else Why.CONDITION


def _lasted(occasion: Occasion, campaign: Campaign) -> bool:
    """Whether the silence (or the time ahead) is the one that the campaign names: scoring tells of each by itself."""
    try:
        return Period.parse(str(occasion.told.get("after", ""))) == campaign.after
    except ValueError:
        return False


def of_outcomes(outcomes: Iterable[Outcome], rulebook: Rulebook) -> list[Outcome]:
    """Those of rewards' own decisions that campaigns may begin on."""
    types = rulebook.campaigns_on_outcomes
    return [
        one
        for one in outcomes
        if one.type in types and not one.historical and hopeful(one.type, one.data, rulebook)
    ]
