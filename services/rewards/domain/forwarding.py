"""What rewards passes on to deliveries beside its own decisions: who the customer is, and how they are reached.

Deliveries reads `regulars.outcomes` alone. These records are told under the customer whom a part belongs to now:

- `recipient.changed`: see `RecipientChanged`; `person` as on the activity; `state_of` is another customer than the
  outcome's where the part has gone to somebody else since
- `customer.merged`, `customer.unmerged`, `customer.corrected`: `from`, `parts`, `epoch`; and `person`,
  `tickets_angry`, `emails_unopened` of the customer who has the parts now
- `stage.changed`: `from`, `to`, `at`
- `segment.entered`, `segment.left`: `segment`, `at`

An ordinary order that brings nothing new adds nothing.
"""

from typing import Any, Final

import msgspec
from msgspec import structs

from services.rewards.domain.changes import Changes
from shared.contracts.activity import Activity, Change
from shared.contracts.facts import Facts
from shared.contracts.outcomes import Outcome, RecipientChanged

RECIPIENT: Final = "recipient.changed"

TOUCHING: Final = frozenset(
    {
        "consent.changed",
        "email.sent",
        "email.opened",
        "email.clicked",
        "email.unsubscribed",
        "ticket.opened",
        "ticket.replied",
        "ticket.resolved",
        "ticket.reopened",
    }
)
"""Types after which the customer may be written to otherwise than before, whatever is told of the person."""

SPOKEN: Final = frozenset({"review.posted", "survey.answered", "feedback.given", "social.mentioned"})
"""Types whose words may make an open ticket an angry one, or appease."""

FRUSTRATED: Final = "frustrated"

PARTINGS: Final = {
    "customer.merged": "customer.merged",
    "customer.unmerged": "customer.unmerged",
    "facts.corrected": "customer.corrected",
}
"""Changes in who is who, and what they are told as."""


def forward(activity: Activity, customer_id: str, changes: Changes) -> None:
    """Tell what deliveries must know of an activity. `customer_id`: whose its part is now."""
    type_, facts = activity.type, activity.facts
    if activity.person is not None or type_ in TOUCHING or (facts.tickets_open and type_ in SPOKEN):
        _tell(activity, customer_id, RECIPIENT, RECIPIENT, _recipient(activity), changes)
    if activity.changes and not activity.historical:
        _changes(activity, customer_id, changes)


def forward_parting(activity: Activity, changes: Changes) -> None:
    """Tell that parts of a customer went to another: what was noted of them goes with them."""
    parts = activity.data.get("parts", [activity.data["from"]])
    data = {
        "from": activity.data["from"],
        "parts": parts,
        "epoch": activity.data.get("epoch", 0),
        "person": msgspec.to_builtins(activity.person),
        **_state(activity.facts),
    }
    type_ = PARTINGS[activity.type]
    _tell(activity, activity.customer_id, type_, type_, data, changes)
    if activity.changes and not activity.historical:
        _changes(activity, activity.customer_id, changes)


def angry(facts: Facts) -> bool:
    """Whether the customer has an open ticket and sounds angry."""
    if not facts.tickets_open:
        return False
    return FRUSTRATED in facts.tags or (facts.sentiment is not None and facts.sentiment < 0)


def _recipient(activity: Activity) -> dict[str, Any]:
    person = activity.person
    told = RecipientChanged(
        part=activity.part or activity.customer_id,
        at=activity.time,
        event=activity.id if person is None else person.event or activity.id,
        type=activity.type,
        person=person,
        state_of=activity.customer_id,
        **_state(activity.facts),
    )
    return {**structs.asdict(told), "person": msgspec.to_builtins(person)}


def _state(facts: Facts) -> dict[str, Any]:
    return {"tickets_angry": angry(facts), "emails_unopened": facts.emails_unopened}


def _changes(activity: Activity, customer_id: str, changes: Changes) -> None:
    """Changes of stage and segments. That somebody new is in a stage at all is no change."""
    for number, change in enumerate(activity.changes):
        if change.what == "stage" and change.old is not None:
            data = {"from": change.old, "to": change.new, "at": change.at or activity.time}
            _tell(activity, customer_id, "stage.changed", f"stage/{number}", data, changes)
        elif change.what == "segment":
            type_, segment = _crossing(change)
            data = {"segment": segment, "at": activity.time}
            _tell(activity, customer_id, type_, f"segment/{segment}", data, changes)


def _crossing(change: Change) -> tuple[str, str | None]:
    return ("segment.left", change.old) if change.new is None else ("segment.entered", change.new)


def _tell(  # noqa: PLR0917  # each says what it is at the call
    activity: Activity, customer_id: str, type_: str, name: str, data: dict[str, Any], changes: Changes
) -> None:
    changes.outcomes.append(
        Outcome(
            id=f"{activity.id}/{name}",
            customer_id=customer_id,
            type=type_,
            time=changes.now,
            cause=activity.id,
            program_version=changes.version,
            data=data,
            historical=activity.historical,
        )
    )
