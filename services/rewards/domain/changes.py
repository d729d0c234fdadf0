"""What decisions have changed and must be written, collected over a batch in the order in which it was decided."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from services.rewards.domain.skips import Skip, Why
from services.rewards.domain.state.accounts import Account, Entry, Kind
from services.rewards.domain.state.budgets import Budget
from services.rewards.domain.state.member import Member
from services.rewards.domain.state.messages import AskedMessage, Noted
from services.rewards.domain.state.redemptions import CodeUse, Redemption
from services.rewards.domain.state.referral_notes import Bringing, Coming
from services.rewards.domain.state.runs import Run
from shared.alerts.alert import NewAlert
from shared.contracts.outcomes import Outcome

# Looked up for every entry: a module's name costs a third of an enum's member.
AVAILABLE, PENDING, RESERVED, DEBT = Account.AVAILABLE, Account.PENDING, Account.RESERVED, Account.DEBT


class RuleUse(NamedTuple):
    """A row of `rule_uses`: a rule with a limit gave points."""

    customer_id: str
    rule: str
    scope: str
    at: datetime
    cause: str
    points: int
    part: str | None = None


class Reached(NamedTuple):
    """A row of `milestones`: reached once, for ever. `occasion` is empty, or what makes it recur (a year)."""

    customer_id: str
    milestone: str
    occasion: str
    at: datetime
    cause: str
    points: int
    program_version: int
    part: str | None = None


class IssuedOffer(NamedTuple):
    """A row of `offers`: a code for one customer, with what it gives as the program said when it was issued."""

    code: str
    customer_id: str
    offer: str
    rule: str
    cause: str
    program_version: int
    issued_at: datetime
    valid_until: datetime
    uses: int
    percent: Decimal | None
    amount: Decimal | None
    free_shipping: bool
    gift: str | None
    currency: str
    part: str | None = None


class TierChange(NamedTuple):
    """A row of `tier_history`. `reason`: `spend` (reached by what counts), `review` (kept or lost when its time was
    over), `grace` (no longer reached, and kept a while), `refund` (the orders that reached it were undone), `grant` and
    `grant_ended` (by hand), `merge`, `unmerge`. `spend` is what counted then, in units of the program's measure."""

    customer_id: str
    number: int
    at: datetime
    old: str | None
    new: str
    reason: str
    spend: Decimal
    cause: str
    program_version: int
    until: datetime | None


class Answer(NamedTuple):
    """A row of `idempotency_keys`: what was answered to a request of the checkout. (`scope`, `key`) is the caller's
    key, `body_hash` what tells another request under the same key."""

    scope: str
    key: str
    body_hash: bytes
    body: bytes
    at: datetime


@dataclass(slots=True)
class Changes:
    """Everything that one transaction writes, in the order in which it was decided. What names a row class has the rows
    of its table."""

    tells: ClassVar[bool] = True
    """Whether outcomes are published. Code that composes one at some cost asks first."""

    now: datetime
    """The time of every decision in this transaction."""
    version: int
    """The program version of every decision in this transaction."""
    members: dict[str, Member] = field(default_factory=dict)
    """Members whose rows must be written, by customer id."""
    entries: list[Entry] = field(default_factory=list)
    uses: list[RuleUse] = field(default_factory=list)
    milestones: list[Reached] = field(default_factory=list)
    offers: list[IssuedOffer] = field(default_factory=list)
    tiers: list[TierChange] = field(default_factory=list)
    redemptions: list[Redemption] = field(default_factory=list)
    """Redemptions that are new or have changed."""
    undone_uses: list[CodeUse] = field(default_factory=list)
    """Uses of codes that were given back."""
    stock: dict[str, int] = field(default_factory=dict)
    """How many more were taken of each stock, by `redemptions.stock_of`; negative: were put back."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Customer ids by the pseudonyms that lead to them."""
    outcomes: list[Outcome] = field(default_factory=list)
    """What is published on `regulars.outcomes`."""
    standings: dict[str, Member] = field(default_factory=dict)
    """Members whose tier, as their rows hold it, must be written, by customer id."""
    by_history: set[str] = field(default_factory=set)
    """Customers whose tier imported history has changed last, and nothing since: what it brings by now brings nobody
    anything."""
    skips: list[Skip] | None = None
    """Why rules gave nothing; None, as on the stream: nobody asks, and nothing is kept."""
    budgets: dict[str, Budget] = field(default_factory=dict)
    """Points put aside for this transaction of caps for all customers together, by rule."""
    bringing: list[Bringing] = field(default_factory=list)
    coming: list[Coming] = field(default_factory=list)
    ordered: dict[str, datetime] = field(default_factory=dict)
    """Customers who ordered and may have been referred: when the earliest of these orders has been kept long enough."""
    runs: dict[str, tuple[Member, Run]] = field(default_factory=dict)
    """Campaign runs that are new or have changed, by id."""
    messages: list[AskedMessage] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)
    """What became of messages that campaigns asked for."""
    alerts: list[NewAlert] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    braked: list[str] = field(default_factory=list)
    """Campaigns that did not begin since they may go in circles (`shared.program.model.campaigns.BRAKE`)."""

    def budget(self, rule: str, whole: int) -> Budget:
        """What this transaction may give of a rule's points for all customers together; where nothing was put aside
        for it (nobody else decides meanwhile), the whole."""
        return self.budgets.setdefault(rule, Budget(whole))

    def skip(self, rule: str, why: Why, **figures: Any) -> None:
        """A rule or milestone whose condition holds gives nothing. Costs nothing unless somebody asks why."""
        if self.skips is not None:
            self.skips.append(Skip(rule, why, figures))

    def only_counts(self, offer: str, *, recurring: bool = False) -> bool:
        """Whether a code of this offer is merely counted, and need not be made. `recurring`: a tier brings it."""
        return False

    def touch(self, member: Member) -> None:
        """The member's row must be written."""
        self.members[member.customer_id] = member

    def keep_run(self, member: Member, run: Run) -> None:
        """The run of a campaign must be written."""
        self.runs[run.run] = (member, run)

    def stand(self, member: Member) -> None:
        """What the member's row says of the tier must be written; balances and sums are another matter."""
        self.standings[member.customer_id] = member

    def post(
        self,
        member: Member,
        kind: Kind,
        debit: Account,
        credit: Account,
        points: int,
        *,
        lot: int | None,
        rule: str | None,
        cause: str,
        at: datetime,
        key: str,
    ) -> None:
        """Move points from `debit` to `credit` in one new entry, and the member's balances with them."""
        assert points > 0, "an entry moves points"
        assert debit is not credit
        move(member, debit, -points)
        move(member, credit, points)
        member.entries += 1
        self.members[member.customer_id] = member
        self.entries.append(
            Entry(
                member.customer_id,
                member.entries,
                at,
                self.now,
                kind,
                debit,
                credit,
                points,
                lot,
                rule,
                cause,
                self.version,
                key,
            )
        )

    def tell(
        self,
        member: Member,
        type_: str,
        *,
        id_: str,
        cause: str,
        data: dict[str, Any],
        historical: bool = False,
    ) -> None:
        """Publish an outcome. `id_` derives from the cause, so that a repeat is recognised downstream."""
        self.outcomes.append(
            Outcome(
                id=id_,
                customer_id=member.customer_id,
                type=type_,
                time=self.now,
                cause=cause,
                program_version=self.version,
                data=data,
                historical=historical,
            )
        )

    def alert(
        self,
        member: Member,
        kind: str,
        *,
        rule: str | None,
        cause: str,
        details: dict[str, Any],
        subject: str = "",
    ) -> None:
        """Let somebody look at a customer. While such an alert is open, this counts on it (see `NewAlert`)."""
        self.alerts.append(
            NewAlert(
                kind=kind,
                cause=cause,
                at=self.now,
                customer_id=member.customer_id,
                part=member.part,
                subject=subject,
                rule=rule,
                program_version=self.version,
                details=details,
            )
        )


def move(member: Member, account: Account, points: int) -> None:
    """Add points to a balance of the member, or, negative, take them from it."""
    if account is AVAILABLE:
        member.available += points
        assert member.available >= 0, "available points never go below zero"
    elif account is PENDING:
        member.pending += points
        assert member.pending >= 0, "pending points never go below zero"
    elif account is RESERVED:
        member.reserved += points
        assert member.reserved >= 0, "reserved points never go below zero"
    elif account is DEBT:
        member.debt -= points
        assert member.debt >= 0, "nobody pays more than they owe"
