"""Tiers as the API shows them."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from services.rewards.adapters.tiering.rows import StoredGrant
from services.rewards.domain.state.member import Member
from services.rewards.domain.tiering.tier_time import foresee
from services.rewards.domain.tiering.tiers import amount_now, present, standing_of
from shared.http.shapes import Shape
from shared.http.types import Instant, ShortText
from shared.program.model.program import Program


class NextTier(BaseModel):
    """The next tier, and how much more (of `measure`) reaches it."""

    tier: str
    missing: Decimal


class KeepTier(BaseModel):
    """What is missing to keep the tier: so much more by `by`, or the customer falls to `tier`."""

    missing: Decimal
    by: datetime
    tier: str


class TierView(BaseModel):
    """The tier a customer has now, or had at a moment. `until` null: for as long as the program stays. `counted` null:
    what counted at that moment is not known any more, and so neither `next` nor `keep` are told."""

    tier: str | None
    name: str | None
    since: datetime | None
    until: datetime | None
    status: str = Field(
        description="Empty for a tier that was reached; `grace`: no longer reached, not yet lost; `granted` by hand."
    )
    measure: str | None = Field(description="What counts towards tiers: `spend`, `points` or `orders`.")
    counted: Decimal | None = Field(description="How much of it counts; null: not known of that moment.")
    spend: Decimal | None = Field(
        description="What was paid less refunded in the window of the moment, in the program's currency; null like"
        " `counted`."
    )
    next: NextTier | None
    keep: KeepTier | None = Field(description="What is missing to keep it; null if it will stay.")
    perks: list[str]


class TierChangeView(BaseModel):
    """A change of tier. `spend` is what counted then, in units of the program's measure."""

    at: datetime
    old: str | None
    new: str
    reason: str
    spend: Decimal
    until: datetime | None
    cause: str
    program_version: int


class GrantRequest(Shape):
    """Which tier to give, until when, and why."""

    tier: ShortText
    until: Instant
    reason: ShortText = Field(description="Kept with the grant.")


class GrantView(BaseModel):
    """A tier given by hand. `revoked_at` null: it was not taken back."""

    id: str
    tier: str
    at: datetime
    until: datetime
    reason: str
    actor: str = Field(description="The key that gave it.")
    revoked_at: datetime | None


def grant_view(grant: StoredGrant) -> GrantView:
    """A stored grant as the API shows it."""
    return GrantView.model_validate(grant, from_attributes=True)


def tier_view(program: Program, member: Member, now: datetime) -> TierView:
    """The tier as it is at `now`, whether or not the timed jobs have come by. Of a member of whom `counted` is not
    loaded only what does not ask for it is told; their tier's time must not be over."""
    tiers = program.tiers
    if tiers is None:
        return TierView(
            tier=None,
            name=None,
            since=None,
            until=None,
            status="",
            measure=None,
            counted=Decimal(0),
            spend=member.spend,
            next=None,
            keep=None,
            perks=[],
        )
    standing = standing_of(member, tiers)
    if standing.until is not None and standing.until <= now:
        standing = present(member, program, now)
        member.tier, member.tier_until = tiers.levels[standing.level].id, standing.until
    level, known = tiers.levels[standing.level], member.counted is not None
    counted = amount_now(member, program, now) if known else None
    above = tiers.levels[standing.level + 1] if standing.level + 1 < len(tiers.levels) else None
    coming = foresee(member, program, standing.until) if known and standing.until is not None else None
    return TierView(
        tier=level.id,
        name=level.name,
        since=standing.since,
        until=standing.until,
        status=standing.status,
        measure=tiers.basis.measure.value,
        counted=counted,
        spend=member.spend if known else None,
        next=NextTier(tier=above.id, missing=max(above.at - counted, Decimal(0)))
        if above is not None and counted is not None
        else None,
        keep=KeepTier(missing=Decimal(coming[1]), by=standing.until, tier=coming[0])
        if coming is not None and standing.until is not None
        else None,
        perks=[benefit.perk for benefit in level.benefits if benefit.perk is not None],
    )
